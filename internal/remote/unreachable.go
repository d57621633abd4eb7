package remote

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// noConnection is the error of a TCP connection that did not come about.
func (e *endpoint) noConnection(err error, via *link) *Error {
	f := &Error{Kind: KindUnreachable, Err: err, Summary: err.Error()}
	var dns *net.DNSError
	var refused *ssh.OpenChannelError
	var timeout net.Error
	switch {
	case errors.As(err, &refused):
		f.Summary = "the jump host says: " + printable(refused.Message)
		f.Remedy = "is the node up, and may the jump host reach it?"
		if refused.Reason == ssh.Prohibited {
			f.Remedy = "the jump host's sshd_config must have AllowTcpForwarding yes (or local) and let PermitOpen through"
		}
	case via != nil && !errors.Is(err, errTimeout):
		f.Kind, f.Summary = KindLost, "the connection to the jump host broke: "+err.Error()
	case errors.As(err, &dns):
		f.Summary = fmt.Sprintf("the name %s does not resolve", dns.Name)
		f.Remedy = "write an IP into address, or a Host alias of the ssh config"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Summary = "connection refused"
		f.Remedy = fmt.Sprintf("the host answers but nothing listens on port %d: is sshd running, and on that port?", e.port)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		f.Summary = "no route to host"
		f.Remedy = "is the node up, and on a network that this machine reaches? if only by way of another host, set proxy_jump"
	case errors.Is(err, errTimeout), errors.As(err, &timeout) && timeout.Timeout():
		f.Summary = fmt.Sprintf("nothing answered within %s", e.timeout)
		f.Remedy = fmt.Sprintf("is the node up, and does every firewall on the way let port %d through?", e.port)
	}
	return f
}

// tooSlow is the error of a server that took the connection and then stalled.
func (e *endpoint) tooSlow(words string) *Error {
	f := &Error{Kind: KindUnreachable, Err: errTimeout}
	if strings.Contains(words, "SSH-") {
		f.Summary = fmt.Sprintf("it answers, but the login was not through within %s", e.timeout)
		f.Remedy = "the node may be overloaded, or its sshd waits for DNS or a directory service: raise connect_timeout"
		return f
	}
	f.Summary = fmt.Sprintf("the connection opened, but no SSH server spoke within %s", e.timeout)
	f.Remedy = fmt.Sprintf("does sshd listen on port %d, or something else? a host out of memory accepts and stays silent, too", e.port)
	return f
}

// noHandshake is the error of a server that spoke, but not to the end.
func (e *endpoint) noHandshake(err error, words string) *Error {
	f := &Error{Kind: KindUnreachable, Err: err}
	first, _, _ := strings.Cut(words, "\n")
	text := printable(first)
	switch {
	case !strings.Contains(words, "SSH-") && text != "" && !hungUp(err):
		f.Summary = "what answers is no SSH server: it says " + text
		f.Remedy = fmt.Sprintf("is %d the right port?", e.port)
	case hungUp(err):
		f.Summary = "the SSH server hung up before it showed its key"
		if text != "" && !strings.HasPrefix(text, "SSH-") {
			f.Summary += ": " + text
		}
		f.Remedy = "too many logins at once (MaxStartups), an address it shuts out (PerSourcePenalties, fail2ban, hosts.deny), or a broken sshd: its log on the node says which"
	default:
		f.Summary = "no SSH session could be agreed on: " + printable(reason(err))
	}
	return f
}

// bare is an error of x/crypto without the names it gives itself.
func reason(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "ssh: handshake failed: "), "ssh: ")
}

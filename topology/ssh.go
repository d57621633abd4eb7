package topology

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// readSSH returns over, the settings from outside the ssh block, with the attributes of
// the block in place of the same ones.
func (s scope) readSSH(raw *rawSSH, over SSH) SSH {
	if raw == nil {
		return over
	}
	if user, ok := s.Text(raw.User); ok && s.sshUser(user, raw.User.Expr.Range()) {
		over.User = user
	}
	over.Port = s.IntegerOr(raw.Port, 1, 65535, over.Port)
	if path, ok := s.path(raw.IdentityFile); ok {
		over.IdentityFile = path
	}
	if only := s.Ternary(raw.IdentitiesOnly); only != nil {
		over.IdentitiesOnly = only
	}
	if path, ok := s.path(raw.KnownHosts); ok {
		over.KnownHosts = path
	}
	if key, ok := s.Text(raw.HostKey); ok && s.hostKey(key, raw.HostKey.Expr.Range()) {
		over.HostKey = key
	}
	if jump, ok := s.Text(raw.ProxyJump); ok && s.proxyJump(jump, raw.ProxyJump.Expr.Range()) {
		over.ProxyJump = jump
	}
	if d, ok := s.Duration(raw.ConnectTimeout, time.Second, 10*time.Minute); ok {
		over.ConnectTimeout = d
	}
	if sudo := s.Ternary(raw.Sudo); sudo != nil {
		over.Sudo = *sudo
	}
	return over
}

func (s scope) sshUser(user string, at hcl.Range) bool {
	if isUser(user) {
		return true
	}
	s.Refuse(at, "Not a user", "user is %s, which cannot be a login name.", lang.Quote(user))
	return false
}

func (s scope) path(a *hcl.Attribute) (string, bool) {
	text, ok := s.Text(a)
	if !ok {
		return "", false
	}
	if text == "" || strings.HasPrefix(text, "-") {
		s.Refuse(a.Expr.Range(), "Not a file name", "%s is %s. Write the path of a file, such as \"~/.ssh/id_ed25519\".", a.Name, lang.Quote(text))
		return "", false
	}
	return text, true
}

func (s scope) hostKey(key string, at hcl.Range) bool {
	if isHostKey(key) {
		return true
	}
	s.Refuse(at, "Not a public key", "host_key is %s. Write the host's public key as ssh-keyscan prints it, without the host name: \"ssh-ed25519 AAAA...\".", lang.Quote(key))
	return false
}

func (s scope) proxyJump(jump string, at hcl.Range) bool {
	if isJump(jump) {
		return true
	}
	s.Refuse(at, "Not a jump host", "proxy_jump is %s. Write \"[user@]host[:port]\", or several with commas between.", lang.Quote(jump))
	return false
}

func isUser(text string) bool {
	return len(text) <= 64 && lang.Only(text, lang.Letters+lang.Digits+"_", lang.Letters+lang.Digits+"._@-")
}

func isHostKey(text string) bool {
	_, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(text))
	return err == nil && len(options) == 0 && len(rest) == 0
}

// isJump reports whether text is "none", or [user@]host[:port], or several of them with
// commas between.
func isJump(text string) bool {
	if text == "none" {
		return true
	}
	for _, hop := range strings.Split(text, ",") {
		user, host, ok := strings.Cut(hop, "@")
		if !ok {
			host = hop
		}
		if ok && !isUser(user) || !sshHost(host) {
			return false
		}
	}
	return true
}

// sshHost reports whether text can be an address, a host name or an alias in the ssh
// config, with or without a port.
func sshHost(text string) bool {
	return len(text) <= 255 && lang.Only(text, lang.Letters+lang.Digits+"[:_", lang.Letters+lang.Digits+"[]:._%-")
}

// CheckNode says why no topology can have a node that is to be configured of that name
// and role, at that address: what is said to have been one, and comes from elsewhere, is
// held to the same rules.
func CheckNode(name string, role Role, address string, s SSH) error {
	switch {
	case !lang.IsName(name):
		return fmt.Errorf("%s is no name of a node", lang.Quote(name))
	case role != Director && role != RealServer && role != Router:
		return fmt.Errorf("%s is nothing that a node is for", lang.Quote(string(role)))
	case !sshHost(address):
		return fmt.Errorf("%s is no address for SSH", lang.Quote(address))
	case s.Port < 0 || s.Port > 65535:
		return fmt.Errorf("%d is no port", s.Port)
	case s.User != "" && !isUser(s.User):
		return fmt.Errorf("%s is no user", lang.Quote(s.User))
	case s.ProxyJump != "" && !isJump(s.ProxyJump):
		return fmt.Errorf("%s is no jump host", lang.Quote(s.ProxyJump))
	case s.HostKey != "" && !isHostKey(s.HostKey):
		return fmt.Errorf("%s is no public key", lang.Quote(s.HostKey))
	}
	return nil
}

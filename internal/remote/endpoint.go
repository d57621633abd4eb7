package remote

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// endpoint is one sshd and what logging in there takes: a Target after the ssh
// config and the defaults had their say.
type endpoint struct {
	alias string // as a person wrote it
	host  string
	port  int
	user  string
	via   *endpoint // the jump host before it; nil for none

	identities     []string // key files, in order
	named          bool     // somebody wrote them down; they are not the defaults
	identitiesOnly bool
	agent          string // the agent's socket; "" for none

	knownHosts []string // the user's files, then the system's; the first is written to
	keyAlias   string   // HostKeyAlias
	pin        ssh.PublicKey
	acceptNew  bool // StrictHostKeyChecking accept-new
	hashNew    bool // HashKnownHosts

	timeout time.Duration
	flags   []string // what makes ssh(1) go the same way
}

// address is how messages name it.
func (e *endpoint) address() string {
	if e.port == 22 {
		return e.host
	}
	return e.dial()
}

func (e *endpoint) dial() string { return net.JoinHostPort(e.host, strconv.Itoa(e.port)) }

func (e *endpoint) login() string { return e.user + "@" + e.dial() }

// key tells whether two ways to log in are the same one.
func (e *endpoint) key() string {
	k := fmt.Sprintf("%q %q %q %v %q", e.login(), e.identities, e.knownHosts, e.identitiesOnly, e.keyAlias)
	if e.pin != nil {
		k += string(e.pin.Marshal())
	}
	if e.via != nil {
		k += " via " + e.via.key()
	}
	return k
}

// ssh is the ssh(1) command line that goes the same way, for remedies.
func (e *endpoint) ssh(more ...string) string {
	args := slices.Concat([]string{"ssh"}, e.flags, more, []string{e.user + "@" + e.alias, "true"})
	return shell.Cmd(args...).String()
}

// resolve finds out how to reach t, jump hosts included.
func (d *Dialer) resolve(t Target) (*endpoint, error) {
	user := t.User
	if user == "" {
		user = d.config.get(t.Address, "User")
	}
	if user == "" {
		user = "root"
	}
	e, err := d.endpoint(t, user)
	if err != nil {
		return nil, err
	}
	jump := t.ProxyJump
	if jump == "" {
		if jump, err = d.jumpOf(e.alias); err != nil {
			return nil, err
		}
	} else {
		e.flags = append(e.flags, "-J", jump)
	}
	e.via, err = d.chain(jump, t, []string{e.login()})
	return e, err
}

// endpoint resolves everything of t but the jump hosts.
func (d *Dialer) endpoint(t Target, user string) (*endpoint, error) {
	e := &endpoint{alias: t.Address, host: t.Address, user: user, port: t.Port, flags: slices.Clone(d.flags)}
	get := func(key string) string { return d.config.get(t.Address, key) }
	if h := get("HostName"); h != "" {
		e.host = hostName(h, t.Address)
	}
	if e.host == "" {
		return nil, fmt.Errorf("it has no address")
	}
	var err error
	if p := get("Port"); e.port == 0 && p != "" {
		if e.port, err = parsePort(p); err != nil {
			return nil, fmt.Errorf("cannot read the ssh config's Port for %s: %w", t.Address, err)
		}
	} else if e.port == 0 {
		e.port = 22
	}
	if t.Port != 0 {
		e.flags = append(e.flags, "-p", strconv.Itoa(t.Port))
	}
	e.timeout = t.ConnectTimeout
	if s := get("ConnectTimeout"); e.timeout <= 0 && s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("cannot read the ssh config's ConnectTimeout for %s: %q is not a number of seconds", t.Address, s)
		}
		e.timeout = time.Duration(n) * time.Second
	}
	if e.timeout <= 0 {
		e.timeout = 10 * time.Second
	}
	if err := d.identities(e, t); err != nil {
		return nil, err
	}
	return e, d.trust(e, t)
}

func parsePort(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("%q is not a port", s)
	}
	return n, nil
}

// identities finds the keys to log in with.
func (d *Dialer) identities(e *endpoint, t Target) error {
	files := d.config.all(t.Address, "IdentityFile")
	if t.IdentityFile != "" {
		files = []string{t.IdentityFile}
		e.flags = append(e.flags, "-i", t.IdentityFile)
	}
	e.named = len(files) > 0
	if !e.named {
		files = []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}
	}
	for _, f := range files {
		if strings.EqualFold(f, "none") {
			continue
		}
		f, err := d.expand(f, e)
		if err != nil {
			return fmt.Errorf("cannot read IdentityFile for %s: %w", t.Address, err)
		}
		if !slices.Contains(e.identities, f) {
			e.identities = append(e.identities, f)
		}
	}
	e.identitiesOnly = strings.EqualFold(d.config.get(t.Address, "IdentitiesOnly"), "yes")
	if t.IdentitiesOnly != nil {
		e.identitiesOnly = *t.IdentitiesOnly
	}
	switch agent := d.config.get(t.Address, "IdentityAgent"); {
	case agent == "" || agent == "SSH_AUTH_SOCK":
		e.agent = os.Getenv("SSH_AUTH_SOCK")
	case strings.EqualFold(agent, "none"):
	case strings.HasPrefix(agent, "$"):
		e.agent = os.Expand(agent, os.Getenv)
	default:
		var err error
		if e.agent, err = d.expand(agent, e); err != nil {
			return fmt.Errorf("cannot read IdentityAgent for %s: %w", t.Address, err)
		}
	}
	return nil
}

// trust finds the host keys to expect.
func (d *Dialer) trust(e *endpoint, t Target) error {
	get := func(key, otherwise string) string {
		if v := d.config.get(t.Address, key); v != "" {
			return v
		}
		return otherwise
	}
	users := fields(get("UserKnownHostsFile", "~/.ssh/known_hosts ~/.ssh/known_hosts2"))
	if t.KnownHosts != "" {
		users = []string{t.KnownHosts}
		e.flags = append(e.flags, "-o", "UserKnownHostsFile="+word(t.KnownHosts))
	}
	global := fields(get("GlobalKnownHostsFile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"))
	for _, f := range slices.Concat(users, global) {
		if strings.EqualFold(f, "none") {
			continue
		}
		f, err := d.expand(f, e)
		if err != nil {
			return fmt.Errorf("cannot read UserKnownHostsFile for %s: %w", t.Address, err)
		}
		e.knownHosts = append(e.knownHosts, f)
	}
	e.keyAlias = get("HostKeyAlias", "")
	// no, off and ask count as yes: a person who turned the check off for ssh did
	// not mean it for a tool that works as root on every node.
	e.acceptNew = strings.EqualFold(get("StrictHostKeyChecking", ""), "accept-new")
	e.hashNew = strings.EqualFold(get("HashKnownHosts", ""), "yes")
	if t.HostKey != "" {
		pin, _, _, _, err := ssh.ParseAuthorizedKey([]byte(t.HostKey))
		if err != nil {
			return fmt.Errorf("cannot read host_key: want a public key such as \"ssh-ed25519 AAAA...\": %w", err)
		}
		e.pin = pin
	}
	return nil
}

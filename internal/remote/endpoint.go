package remote

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
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
	return Cmd(args...).String()
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

// jumpOf is the ssh config's ProxyJump for a host. A ProxyCommand would have to
// be run and trusted as ssh does; it is refused rather than left out.
func (d *Dialer) jumpOf(alias string) (string, error) {
	jump := d.config.get(alias, "ProxyJump")
	command := d.config.get(alias, "ProxyCommand")
	if jump == "" && command != "" && !strings.EqualFold(command, "none") {
		return "", fmt.Errorf("the ssh config has a ProxyCommand for %s, which lvsctl does not run; use ProxyJump, or proxy_jump in the topology", alias)
	}
	return jump, nil
}

// chain resolves a ProxyJump list and returns its last hop. As in OpenSSH, the
// first hop's own ProxyJump counts, the others are reached through the one
// before them.
func (d *Dialer) chain(jump string, t Target, seen []string) (*endpoint, error) {
	if jump == "" || strings.EqualFold(jump, "none") {
		return nil, nil
	}
	var via *endpoint
	for i, hop := range strings.Split(jump, ",") {
		h, err := parseHop(hop)
		if err != nil {
			return nil, err
		}
		h.ConnectTimeout = t.ConnectTimeout
		// The config's word on a hop stands; a topology that brings its own key and
		// known_hosts means its jump hosts too.
		if d.config.get(h.Address, "IdentityFile") == "" {
			h.IdentityFile = t.IdentityFile
		}
		if d.config.get(h.Address, "UserKnownHostsFile") == "" {
			h.KnownHosts = t.KnownHosts
		}
		user := h.User
		if user == "" {
			user = d.config.get(h.Address, "User")
		}
		if user == "" {
			user = d.me
		}
		e, err := d.endpoint(h, user)
		if err != nil {
			return nil, err
		}
		if slices.Contains(seen, e.login()) {
			return nil, fmt.Errorf("proxy_jump goes in a circle: %s -> %s; give the jump host ProxyJump none in the ssh config",
				strings.Join(seen, " -> "), e.login())
		}
		seen = append(seen, e.login())
		if i == 0 {
			own, err := d.jumpOf(h.Address)
			if err != nil {
				return nil, err
			}
			if via, err = d.chain(own, h, seen); err != nil {
				return nil, err
			}
		}
		e.via, via = via, e
	}
	return via, nil
}

// parseHop reads one hop of a ProxyJump: [ssh://][USER@]HOST[:PORT].
func parseHop(s string) (Target, error) {
	var t Target
	rest := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "ssh://"), "/")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		t.User, rest = rest[:at], rest[at+1:]
	}
	t.Address = rest
	if host, port, err := net.SplitHostPort(rest); err == nil {
		n, err := parsePort(port)
		if err != nil {
			return t, fmt.Errorf("cannot read the jump host %q: %w", s, err)
		}
		t.Address, t.Port = host, n
	}
	t.Address = strings.Trim(t.Address, "[]")
	if t.Address == "" || strings.ContainsAny(t.Address, " \t") {
		return t, fmt.Errorf("cannot read the jump host %q: want [USER@]HOST[:PORT]", s)
	}
	return t, nil
}

// endpoint resolves everything of t but the jump hosts.
func (d *Dialer) endpoint(t Target, user string) (*endpoint, error) {
	e := &endpoint{alias: t.Address, host: t.Address, user: user, port: t.Port, flags: slices.Clone(d.flags)}
	get := func(key string) string { return d.config.get(t.Address, key) }
	if h := get("HostName"); h != "" {
		e.host = strings.NewReplacer("%%", "%", "%h", t.Address).Replace(h)
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

// expand replaces ~ and the tokens of ssh_config(5) in a file name.
func (d *Dialer) expand(name string, e *endpoint) (string, error) {
	if name == "~" || strings.HasPrefix(name, "~/") {
		name = d.home + name[1:]
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b.WriteByte(name[i])
			continue
		}
		i++
		if i == len(name) {
			return "", fmt.Errorf("%s ends in %%", name)
		}
		switch name[i] {
		case '%':
			b.WriteByte('%')
		case 'd':
			b.WriteString(d.home)
		case 'h':
			b.WriteString(e.host)
		case 'n':
			b.WriteString(e.alias)
		case 'p':
			b.WriteString(strconv.Itoa(e.port))
		case 'r':
			b.WriteString(e.user)
		case 'u':
			b.WriteString(d.me)
		default:
			return "", fmt.Errorf("%s: %%%c is not understood", name, name[i])
		}
	}
	return filepath.Clean(b.String()), nil
}

// word keeps a file name one word for ssh.
func word(name string) string {
	if strings.ContainsAny(name, " \t") {
		return `"` + name + `"`
	}
	return name
}

// fields splits a list of file names, which may be quoted.
func fields(s string) []string {
	var all []string
	var word strings.Builder
	quoted, open := false, false
	flush := func() {
		if open {
			all = append(all, word.String())
		}
		word.Reset()
		open = false
	}
	for _, r := range s {
		switch {
		case r == '"':
			quoted, open = !quoted, true
		case (r == ' ' || r == '\t') && !quoted:
			flush()
		default:
			open = true
			word.WriteRune(r)
		}
	}
	flush()
	return all
}

func homeDir() string {
	if h, err := os.UserHomeDir(); err == nil {
		return h
	}
	return "/"
}

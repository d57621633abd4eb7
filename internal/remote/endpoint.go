package remote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/remote/sshconfig"
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

	network string // tcp, tcp4 or tcp6
	bind    string // the address to connect from; "" for any

	identities     []string // key files, in order
	certificates   []string // certificate files, for whichever key they fit
	named          bool     // somebody wrote the identities down; they are not the defaults
	identitiesOnly bool
	agent          string // the agent's socket; "" for none
	token          string // PKCS11Provider, which lvsctl cannot use; "" for none

	knownHosts []string // the user's files, or the topology's, then the system's
	ofTopology bool     // the first of them is the topology's
	revoked    []string // RevokedHostKeys
	keyAlias   string   // HostKeyAlias, in lower case
	checkIP    bool     // CheckHostIP
	minRSA     int      // bits
	pin        ssh.PublicKey
	algorithms algorithms

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
	k := fmt.Sprintf("%q %q %q %q %v %q %q %q %q %v", e.login(), e.identities, e.certificates, e.knownHosts, e.identitiesOnly,
		e.agent, e.keyAlias, e.revoked, e.bind, e.algorithms)
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
	s, err := d.settings(t, "root")
	if err != nil {
		return nil, err
	}
	e, err := d.endpoint(t, s)
	if err != nil {
		return nil, err
	}
	if t.ProxyJump != "" {
		e.flags = append(e.flags, "-J", t.ProxyJump)
	}
	e.via, err = d.chain(s, t, []string{e.login()})
	return e, err
}

// settings is what the ssh config says of t. A topology's own word goes first.
func (d *Dialer) settings(t Target, defaultUser string) (*sshconfig.Settings, error) {
	if t.Address == "" {
		return nil, errors.New("it has no address")
	}
	s, err := d.config.Resolve(sshconfig.Request{
		Host: t.Address, User: t.User, Port: t.Port, ProxyJump: t.ProxyJump, DefaultUser: defaultUser,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read the ssh config: %w", err)
	}
	return s, nil
}

// endpoint makes an endpoint of all that is settled but the jump hosts.
func (d *Dialer) endpoint(t Target, s *sshconfig.Settings) (*endpoint, error) {
	e := &endpoint{alias: t.Address, host: s.HostName, user: s.User, port: s.Port, flags: slices.Clone(d.flags)}
	if t.Port != 0 {
		e.flags = append(e.flags, "-p", strconv.Itoa(t.Port))
	}
	if err := e.transport(s, t); err != nil {
		return nil, err
	}
	if err := e.keys(s, t); err != nil {
		return nil, err
	}
	return e, e.trust(s, t)
}

// transport is how the connection is made.
func (e *endpoint) transport(s *sshconfig.Settings, t Target) error {
	e.timeout = t.ConnectTimeout
	if e.timeout <= 0 {
		n, _ := strconv.Atoi(s.Get("ConnectTimeout")) // parsed when it was read
		e.timeout = time.Duration(n) * time.Second
	}
	if e.timeout <= 0 {
		e.timeout = 10 * time.Second
	}
	e.network = map[string]string{"inet": "tcp4", "inet6": "tcp6"}[s.Get("AddressFamily")]
	if e.network == "" {
		e.network = "tcp"
	}
	if e.bind = s.Get("BindAddress"); strings.EqualFold(e.bind, "none") {
		e.bind = ""
	}
	for _, r := range unsupported {
		if v := s.Get(r.keyword); v != "" && r.stops(v) {
			return fmt.Errorf("the ssh config has %s for %s, %s", r.keyword+" "+v, t.Address, r.why)
		}
	}
	return nil
}

// unsupported is what the ssh config may say of a node and lvsctl cannot do.
// ProxyCommand is another one, where no ProxyJump came first.
var unsupported = []struct {
	keyword string
	stops   func(value string) bool
	why     string // and what to do
}{
	{"BindInterface", isSet, "which lvsctl does not do\nuse BindAddress"},
	{"KnownHostsCommand", isSet, "which lvsctl does not run\nlist the host keys in a file, or pin the node's with host_key in the topology"},
	{"PubkeyAuthentication", func(v string) bool { return v == "no" }, "and lvsctl logs in with keys alone"},
	{"PreferredAuthentications", func(v string) bool { return !slices.Contains(strings.Split(v, ","), "publickey") },
		"and lvsctl logs in with keys alone\nadd publickey"},
}

func isSet(v string) bool { return !strings.EqualFold(v, "none") }

// keys finds what to log in with.
func (e *endpoint) keys(s *sshconfig.Settings, t Target) error {
	names := s.All("IdentityFile")
	if t.IdentityFile != "" {
		names = []string{t.IdentityFile}
		e.flags = append(e.flags, "-i", t.IdentityFile)
	}
	e.named = len(names) > 0
	if !e.named {
		names = []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}
	}
	var err error
	if e.identities, err = files(s, "IdentityFile", names); err != nil {
		return err
	}
	if e.certificates, err = files(s, "CertificateFile", s.All("CertificateFile")); err != nil {
		return err
	}
	if e.token = s.Get("PKCS11Provider"); !isSet(e.token) {
		e.token = ""
	}
	e.identitiesOnly = s.Get("IdentitiesOnly") == "yes"
	if t.IdentitiesOnly != nil {
		e.identitiesOnly = *t.IdentitiesOnly
	}
	switch agent := s.Get("IdentityAgent"); {
	case agent == "" || agent == "SSH_AUTH_SOCK":
		e.agent = os.Getenv("SSH_AUTH_SOCK")
	case strings.EqualFold(agent, "none"):
	case agent[0] == '$' && !strings.HasPrefix(agent, "${"):
		e.agent = os.Getenv(agent[1:])
	default:
		if e.agent, err = s.File(agent); err != nil {
			return fmt.Errorf("cannot read IdentityAgent for %s: %w", t.Address, err)
		}
	}
	return nil
}

// files expands file names, each once, and leaves none out.
func files(s *sshconfig.Settings, keyword string, names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if !isSet(name) {
			continue
		}
		name, err := s.File(name)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s for %s: %w", keyword, s.Host, err)
		}
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all, nil
}

// trust finds the host keys to expect. StrictHostKeyChecking has no say: a person
// who turned the check off for ssh did not mean it for a tool that works as root
// on every node, and lvsctl writes no key down.
func (e *endpoint) trust(s *sshconfig.Settings, t Target) error {
	own := s.All("UserKnownHostsFile")
	if len(own) == 0 {
		own = []string{"~/.ssh/known_hosts", "~/.ssh/known_hosts2"}
	}
	if t.KnownHosts != "" {
		own = []string{t.KnownHosts}
		e.flags = append(e.flags, "-o", "UserKnownHostsFile="+sshconfig.Quote(t.KnownHosts))
	}
	var err error
	if e.knownHosts, err = files(s, "UserKnownHostsFile", own); err != nil {
		return err
	}
	e.ofTopology = t.KnownHosts != "" && len(e.knownHosts) > 0
	if e.ofTopology && letsPeopleIn(s, e.knownHosts[0]) {
		return fmt.Errorf("known_hosts is %s: such a file says who may log in here, and a host's key has no place in it\nname another file", t.KnownHosts)
	}
	global := s.All("GlobalKnownHostsFile") // ssh takes these names as they stand
	if len(global) == 0 {
		global = []string{"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"}
	}
	for _, name := range global {
		if isSet(name) {
			e.knownHosts = append(e.knownHosts, name)
		}
	}
	if e.revoked, err = files(s, "RevokedHostKeys", s.All("RevokedHostKeys")); err != nil {
		return err
	}
	e.keyAlias = strings.ToLower(s.Get("HostKeyAlias"))
	e.checkIP = s.Get("CheckHostIP") == "yes"
	e.minRSA = 1024
	if n, err := strconv.Atoi(s.Get("RequiredRSASize")); err == nil {
		e.minRSA = max(n, e.minRSA)
	}
	if e.algorithms, err = newAlgorithms(s); err != nil {
		return err
	}
	if t.HostKey != "" {
		e.pin, _, _, _, err = ssh.ParseAuthorizedKey([]byte(t.HostKey))
		if err != nil {
			return fmt.Errorf("cannot read host_key: want a public key such as \"ssh-ed25519 AAAA...\": %w", err)
		}
	}
	return nil
}

// letsPeopleIn tells whether a file says who may log in here, whatever it is called
// by. The remedy for an unknown host key would add that key there, and a line such as
// "restrict ssh-ed25519 AAAA..." is good in both sorts of file.
func letsPeopleIn(s *sshconfig.Settings, name string) bool {
	folder, base := filepath.Split(name)
	names := []string{name}
	if target, err := filepath.EvalSymlinks(name); err == nil {
		names = append(names, target)
	} else if target, err := filepath.EvalSymlinks(filepath.Clean(folder)); err == nil {
		names = append(names, filepath.Join(target, base))
	}
	for _, name := range names {
		// Some file systems do not tell cases apart.
		for part := range strings.SplitSeq(strings.ToLower(name), string(filepath.Separator)) {
			if strings.HasPrefix(part, "authorized_keys") {
				return true
			}
		}
	}
	info, err := os.Stat(name)
	for _, own := range []string{"~/.ssh/authorized_keys", "~/.ssh/authorized_keys2"} {
		own, bad := s.File(own)
		other, gone := os.Stat(own)
		if err == nil && bad == nil && gone == nil && os.SameFile(info, other) {
			return true
		}
	}
	return false
}

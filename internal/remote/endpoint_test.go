package remote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// What no ssh could read stops every node, before anything is dialled.
func TestConfigErrors(t *testing.T) {
	file := write(t, "Host web\n  Port ssh-ish\n")
	if _, err := NewDialer(Config{SSHConfig: file}); err == nil || !strings.HasPrefix(err.Error(), "cannot read the ssh config: "+file+":2: port: ") {
		t.Errorf("have %v", err)
	}
	if _, err := NewDialer(Config{SSHConfig: "/no/such/config"}); err == nil || !strings.Contains(err.Error(), "/no/such/config") {
		t.Errorf("want an error for a file that was named, have %v", err)
	}
}

// linkTo is a link to a new file of some name.
func linkTo(t *testing.T, name string) string {
	t.Helper()
	target, link := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// hardLink is another name of the user's own authorized_keys.
func hardLink(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	keys, other := filepath.Join(home, ".ssh", "authorized_keys"), filepath.Join(home, "hosts")
	if err := os.Mkdir(filepath.Dir(keys), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keys, []byte("restrict ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJLXgzJ7rA0jli0trldpvML9FEhmANmsAEuoPSbk21p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(keys, other); err != nil {
		t.Fatal(err)
	}
	return other
}

func TestResolveRefuses(t *testing.T) {
	for title, c := range map[string]struct {
		config string
		to     Target
		want   string
	}{
		"no address":     {"", Target{}, "no address"},
		"Match exec":     {"Host web\nMatch exec true\n Port 2", Target{Address: "web"}, "Match exec of FILE:2 decides on port (FILE:3) for web"},
		"BindInterface":  {"BindInterface eth0", Target{Address: "web"}, "BindInterface eth0 for web, which lvsctl does not do"},
		"more keys":      {"KnownHostsCommand /bin/keys %H", Target{Address: "web"}, "KnownHostsCommand /bin/keys %H for web, which lvsctl does not run"},
		"no keys":        {"PubkeyAuthentication no", Target{Address: "web"}, "lvsctl logs in with keys alone"},
		"only passwords": {"PreferredAuthentications password", Target{Address: "web"}, "lvsctl logs in with keys alone"},
		"refused":        {"Host web\n RefuseConnection \"ask first\"", Target{Address: "web"}, "RefuseConnection: ask first"},
		"ciphers":        {"Ciphers aes256-cbc", Target{Address: "web"}, "Ciphers for web: aes256-cbc leaves nothing that lvsctl can do"},
		"no cipher":      {"Ciphers aes256-ctr,aes-what", Target{Address: "web"}, `"aes-what" is no algorithm that is known`},
		"MACs":           {"MACs -*", Target{Address: "web"}, "MACs for web: -* leaves nothing"},
		"variable":       {"IdentityFile ${NO_SUCH_VARIABLE}/k", Target{Address: "web"}, "no environment variable NO_SUCH_VARIABLE"},
		"by a link":      {"", Target{Address: "web", KnownHosts: linkTo(t, "authorized_keys2")}, ": such a file says who may log in"},
		"another case":   {"", Target{Address: "web", KnownHosts: "~/.ssh/Authorized_Keys"}, ": such a file says who may log in"},
		"its folder":     {"", Target{Address: "web", KnownHosts: "/etc/ssh/authorized_keys.d/root"}, ": such a file says who may log in"},
		"a hard link":    {"", Target{Address: "web", KnownHosts: hardLink(t)}, ": such a file says who may log in"},
		"other lines":    {"", Target{Address: "web", KnownHosts: "/etc/passwd"}, "known_hosts is /etc/passwd: no line of it is a host's key"},
		"no known_hosts": {"", Target{Address: "web", KnownHosts: "~/.ssh/authorized_keys"}, "known_hosts is ~/.ssh/authorized_keys"},
		"token":          {"IdentityFile ~/%z", Target{Address: "web"}, "%z is not understood"},
		"half a token":   {"IdentityFile /a%", Target{Address: "web"}, "ends in %"},
		"ProxyCommand":   {"ProxyCommand nc %h %p", Target{Address: "web"}, "ProxyCommand for web, which lvsctl does not run"},
		"jump's command": {"Host gw\n ProxyCommand nc", Target{Address: "web", ProxyJump: "gw"}, "ProxyCommand for gw"},
		"jump port":      {"", Target{Address: "web", ProxyJump: "gw:x!"}, `jump host "gw:x!"`},
		"no jump":        {"", Target{Address: "web", ProxyJump: "a,,b"}, `jump host ""`},
		"itself":         {"Host *\n ProxyJump gw", Target{Address: "web"}, "goes in a circle: root@web:22 -> me@gw:22 -> me@gw:22"},
		"each other":     {"Host a\n ProxyJump b\nHost b\n ProxyJump a", Target{Address: "web", ProxyJump: "a"}, "goes in a circle"},
		"the target":     {"", Target{Address: "web", User: "me", ProxyJump: "me@web"}, "goes in a circle"},
		"pin":            {"", Target{Address: "web", HostKey: "SHA256:x"}, "host_key"},
	} {
		t.Run(title, func(t *testing.T) {
			d := dialer(t, c.config)
			d.config.Me = "me"
			c.to.Name = "node-1"
			_, err := d.Dial(t.Context(), c.to)
			if c.to.Address == "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("have %v", err)
				}
				return
			}
			file := d.flags[1]
			wantError(t, err, KindConfig, strings.ReplaceAll(c.want, "FILE", file))
		})
	}
}

// way is an endpoint in short: USER@HOST:PORT, jump hosts first.
func way(e *endpoint) string {
	if e.via != nil {
		return way(e.via) + " " + e.login()
	}
	return e.login()
}

func TestWays(t *testing.T) {
	for title, c := range map[string]struct {
		config string
		to     Target
		want   string
	}{
		"plain":             {"", Target{Address: "web"}, "root@web:22"},
		"IPv6":              {"", Target{Address: "fd00::1"}, "root@[fd00::1]:22"},
		"config":            {"Host web\n HostName 10.0.0.1\n Port 2222\n User op", Target{Address: "web"}, "op@10.0.0.1:2222"},
		"topology first":    {"Port 2222\nUser op", Target{Address: "web", Port: 23, User: "adm"}, "adm@web:23"},
		"first value":       {"Port 1\nPort 2", Target{Address: "web"}, "root@web:1"},
		"first block":       {"Host web\n Port 1\nHost *\n Port 2\n User op", Target{Address: "web"}, "op@web:1"},
		"another block":     {"Host web\n Port 1\nHost *\n Port 2", Target{Address: "db"}, "root@db:2"},
		"wildcard":          {"Host web-? 10.0.*\n Port 1", Target{Address: "10.0.3.4"}, "root@10.0.3.4:1"},
		"negation":          {"Host * !web\n Port 1", Target{Address: "web"}, "root@web:22"},
		"negation, other":   {"Host * !web\n Port 1", Target{Address: "db"}, "root@db:1"},
		"Match hosts":       {"Match originalhost db,web\n Port 1", Target{Address: "web"}, "root@web:1"},
		"Match both":        {"Match host web localuser me\n Port 1\nMatch host web localuser you\n User op", Target{Address: "web"}, "root@web:1"},
		"Match HostName":    {"Host web\n HostName 10.0.0.1\nMatch host 10.0.*\n Port 1\nMatch originalhost 10.0.*\n Port 2\nMatch originalhost 10.0.*\n User op", Target{Address: "web"}, "root@10.0.0.1:1"},
		"Match final":       {"Match final all\n Port 1\n User op\nHost web\n Port 2", Target{Address: "web"}, "op@web:2"},
		"quotes and tabs":   {"Host a\t\"web\"\n Port 1", Target{Address: "web"}, "root@web:1"},
		"CRLF":              {"Host web\r\n  Port 1\r\n", Target{Address: "web"}, "root@web:1"},
		"Match host":        {"Match host web\n Port 1\nMatch all\n User op", Target{Address: "web"}, "op@web:1"},
		"%h":                {"Host *.dc\n HostName %h.example.com", Target{Address: "web.dc"}, "root@web.dc.example.com:22"},
		"case and equals":   {"host=web\n\thostNAME = 10.0.0.1 # the first", Target{Address: "web"}, "root@10.0.0.1:22"},
		"ProxyCommand none": {"ProxyCommand none", Target{Address: "web"}, "root@web:22"},
		"jump":              {"", Target{Address: "web", ProxyJump: "op@gw:2222"}, "op@gw:2222 root@web:22"},
		"jump as me":        {"", Target{Address: "web", ProxyJump: "gw"}, "me@gw:22 root@web:22"},
		"jump, IPv6":        {"", Target{Address: "web", ProxyJump: "op@[fd00::1]:2222"}, "op@[fd00::1]:2222 root@web:22"},
		"jump, URI":         {"", Target{Address: "web", ProxyJump: "ssh://op@gw:23"}, "op@gw:23 root@web:22"},
		"jumps":             {"", Target{Address: "web", ProxyJump: "a, b,c"}, "me@a:22 me@b:22 me@c:22 root@web:22"},
		"jump of config":    {"Host web\n ProxyJump gw\nHost gw\n HostName 10.0.0.1\n User op", Target{Address: "web"}, "op@10.0.0.1:22 root@web:22"},
		"jump's own jump":   {"Host web\n ProxyJump gw\nHost gw\n ProxyJump out", Target{Address: "web"}, "me@out:22 me@gw:22 root@web:22"},
		"first hop's jump":  {"Host a b\n ProxyJump out", Target{Address: "web", ProxyJump: "a,b"}, "me@out:22 me@a:22 me@b:22 root@web:22"},
		"no jump":           {"ProxyJump gw", Target{Address: "web", ProxyJump: "none"}, "root@web:22"},
		"no jump, config":   {"Host web\n ProxyJump none\nHost *\n ProxyJump gw", Target{Address: "web"}, "root@web:22"},
		"another command":   {"Host db\n ProxyCommand nc\nMatch host db exec true\n Port 3", Target{Address: "web"}, "root@web:22"},
		"undecided, unused": {"Match exec true\n ForwardX11 yes\nHost web\n Port 2", Target{Address: "web"}, "root@web:2"},
		"undecided, late":   {"Host web\n Port 2\nMatch exec true\n Port 3", Target{Address: "web"}, "root@web:2"},
		"bastion's command": {"Host bastion\n ProxyCommand none\nHost *\n ProxyJump bastion", Target{Address: "web"}, "me@bastion:22 root@web:22"},
		"jump's tokens":     {"Host web\n User op\n ProxyJump %r@gw-%h:2", Target{Address: "web"}, "op@gw-web:2 op@web:22"},
		"gateway exempt":    {"Host gw\n ProxyJump none\nHost *\n ProxyJump gw", Target{Address: "web"}, "me@gw:22 root@web:22"},
		"jump over command": {"ProxyJump gw\nHost gw\nProxyCommand none", Target{Address: "web", ProxyJump: "none"}, "root@web:22"},
	} {
		t.Run(title, func(t *testing.T) {
			d := dialer(t, c.config)
			d.config.Me = "me"
			e, err := d.resolve(c.to)
			if err != nil {
				t.Fatal(err)
			}
			if have := way(e); have != c.want {
				t.Errorf("want %s, have %s", c.want, have)
			}
		})
	}
}

func TestIncludes(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for name, text := range map[string]string{
		"b.conf": "Host web\n  Port 2\n",
		"a.conf": "Host web\n  Port 1\n",
		"gw":     "ProxyJump gw\n",
		"last":   "Port 4\nHost ssl\n  User op\n",
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := dialer(t, "Match final all\n  Include ~/last # as in Fedora\nHost *\nInclude "+home+"/*.conf\nHost db\n  Include \""+home+"/gw\"\nHost * !ssl\n  Port 3\n")
	d.config.Me = "me"
	for address, want := range map[string]string{"web": "root@web:1", "db": "me@gw:3 root@db:3", "ssl": "op@ssl:4"} {
		e, err := d.resolve(Target{Address: address})
		if err != nil {
			t.Fatal(err)
		}
		if have := way(e); have != want {
			t.Errorf("%s: want %s, have %s", address, want, have)
		}
	}
}

func TestEndpoint(t *testing.T) {
	type short struct {
		Identities, KnownHosts []string
		Agent, KeyAlias        string
		Only                   bool
		Timeout                time.Duration
	}
	const global = "/etc/ssh/ssh_known_hosts"
	defaults := short{
		Identities: []string{"/home/me/.ssh/id_ed25519", "/home/me/.ssh/id_ecdsa", "/home/me/.ssh/id_rsa"},
		KnownHosts: []string{"/home/me/.ssh/known_hosts", "/home/me/.ssh/known_hosts2", global, global + "2"},
		Agent:      "/agent", Timeout: 10 * time.Second,
	}
	with := func(change func(*short)) short { s := defaults; change(&s); return s }
	yes := true
	for title, c := range map[string]struct {
		config string
		to     Target
		want   short
	}{
		"defaults": {"", Target{}, defaults},
		"identities": {"IdentityFile ~/.ssh/a\nIdentityFile \"%d/.ssh/b c\"\nIdentityFile /keys/%r@%h-%n-%u-%p%%\nIdentityFile ~/.ssh/a", Target{},
			with(func(s *short) {
				s.Identities = []string{"/home/me/.ssh/a", "/home/me/.ssh/b c", "/keys/root@web-web-me-22%"}
			})},
		"topology's identity": {"IdentityFile ~/.ssh/a\nIdentitiesOnly no", Target{IdentityFile: "~/k", IdentitiesOnly: &yes},
			with(func(s *short) { s.Identities, s.Only = []string{"/home/me/k"}, true })},
		"no identity":    {"IdentityFile none", Target{}, with(func(s *short) { s.Identities = nil })},
		"IdentitiesOnly": {"IdentitiesOnly yes", Target{}, with(func(s *short) { s.Only = true })},
		"no agent":       {"IdentityAgent none", Target{}, with(func(s *short) { s.Agent = "" })},
		"this agent":     {"IdentityAgent SSH_AUTH_SOCK", Target{}, defaults},
		"another agent":  {"IdentityAgent ~/%u.sock", Target{}, with(func(s *short) { s.Agent = "/home/me/me.sock" })},
		"variable agent": {"IdentityAgent $OTHER_SOCK", Target{}, with(func(s *short) { s.Agent = "/other" })},
		"known_hosts": {"UserKnownHostsFile ~/a \"/b c\"\nGlobalKnownHostsFile none", Target{},
			with(func(s *short) { s.KnownHosts = []string{"/home/me/a", "/b c"} })},
		"topology's known_hosts": {"UserKnownHostsFile ~/a", Target{KnownHosts: "/k"},
			with(func(s *short) { s.KnownHosts = []string{"/k", global, global + "2"} })},
		"alias": {"HostKeyAlias W", Target{}, with(func(s *short) { s.KeyAlias = "w" })},
		"variables": {"IdentityFile ${OTHER_SOCK}/k\nUserKnownHostsFile ${OTHER_SOCK}/h", Target{},
			with(func(s *short) {
				s.Identities, s.KnownHosts = []string{"/other/k"}, []string{"/other/h", global, global + "2"}
			})},
		"timeout":            {"ConnectTimeout 3", Target{}, with(func(s *short) { s.Timeout = 3 * time.Second })},
		"topology's timeout": {"ConnectTimeout 3", Target{ConnectTimeout: time.Minute}, with(func(s *short) { s.Timeout = time.Minute })},
	} {
		t.Run(title, func(t *testing.T) {
			d := dialer(t, c.config)
			t.Setenv("SSH_AUTH_SOCK", "/agent")
			t.Setenv("OTHER_SOCK", "/other")
			d.config.Home, d.config.Me = "/home/me", "me"
			c.to.Address = "web"
			e, err := d.resolve(c.to)
			if err != nil {
				t.Fatal(err)
			}
			have := short{e.identities, e.knownHosts, e.agent, e.keyAlias, e.identitiesOnly, e.timeout}
			if d := cmp.Diff(c.want, have); d != "" {
				t.Error(d)
			}
		})
	}
}

// With no --ssh-config the user's own file counts, before the system's.
func TestOwnConfig(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("SSH_AUTH_SOCK", "")
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".ssh", "config"), []byte(s.HostBlock("web")), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := NewDialer(Config{})
	if err != nil {
		t.Fatal(err)
	}
	wantHello(t, d, Target{Name: "node-1", Address: "web"})
	if _, err := NewDialer(Config{SSHConfig: write(t, "")}); err != nil { // without an empty one being an error
		t.Error(err)
	}
}

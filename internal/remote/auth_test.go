package remote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/sync/errgroup"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// startAgent is an ssh-agent with the private keys in files.
func startAgent(t *testing.T, files ...string) (socket string) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, f := range files {
		key, err := ssh.ParseRawPrivateKey([]byte(read(t, f)))
		if err != nil {
			t.Fatal(err)
		}
		if err := ring.Add(agent.AddedKey{PrivateKey: key, Comment: filepath.Base(f)}); err != nil {
			t.Fatal(err)
		}
	}
	socket = filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { _ = agent.ServeAgent(ring, c); _ = c.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return socket
}

// others makes n keys that no server knows.
func others(t *testing.T, n int) []string {
	t.Helper()
	var files []string
	for i := range n {
		f := filepath.Join(t.TempDir(), fmt.Sprint("other", i))
		sshtest.WriteKey(t, f, "")
		files = append(files, f)
	}
	return files
}

func TestKeysRefused(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	wrong := others(t, 1)[0]
	for title, c := range map[string]struct {
		config  string
		summary []string
	}{
		"wrong key":   {"IdentityFile " + wrong, []string{"it accepts no key from " + s.User + "; offered: " + wrong}},
		"none":        {"IdentityFile none", []string{"offered: none at all"}},
		"missing key": {"IdentityFile /no/such/key", []string{"not offered: /no/such/key (no such file or directory)"}},
		"not a key":   {"IdentityFile /etc/passwd", []string{"not offered: /etc/passwd (no key found)"}},
		"agent":       {"IdentityAgent " + startAgent(t, others(t, 9)...) + "\nIdentityFile " + wrong, []string{"agent key other0 (SHA256:", wrong, "not offered: 4 more keys of the agent"}},
		"no agent":    {"IdentityAgent /no/such/socket", []string{"not offered: the agent (dial unix /no/such/socket"}},
	} {
		t.Run(title, func(t *testing.T) {
			t.Setenv("HOME", t.TempDir())
			to := target(s)
			to.IdentityFile = ""
			err := greet(t.Context(), dialer(t, c.config), to)
			e := wantError(t, err, KindAuth, c.summary[0])
			for _, want := range c.summary {
				if !strings.Contains(e.Summary, want) {
					t.Errorf("want ...%s..., have %s", want, e.Summary)
				}
			}
			if !strings.Contains(e.Remedy, fmt.Sprintf("ssh-copy-id -p %d %s@127.0.0.1", s.Port, s.User)) {
				t.Errorf("have remedy %s", e.Remedy)
			}
		})
	}
}

func TestOtherWaysToLogIn(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{Config: "PubkeyAuthentication no\nPasswordAuthentication yes\nPermitRootLogin yes"})
	wantError(t, greet(t.Context(), dialer(t, ""), target(s)), KindAuth, "takes no keys from "+s.User+", only password")
	s = sshtest.Start(t, sshtest.Options{Config: "AuthenticationMethods publickey,password\nPasswordAuthentication yes\nPermitRootLogin yes"})
	wantError(t, greet(t.Context(), dialer(t, ""), target(s)), KindAuth, "besides a key it wants password")
	s = sshtest.Start(t, sshtest.Options{Config: "DenyUsers *"})
	wantError(t, greet(t.Context(), dialer(t, ""), target(s)), KindAuth, "accepts no key")
	s = sshtest.Start(t, sshtest.Options{Config: "MaxAuthTries 1"})
	to := target(s)
	to.IdentityFile = ""
	config := "IdentityFile " + strings.Join(append(others(t, 2), s.Identity), "\nIdentityFile ")
	wantError(t, greet(t.Context(), dialer(t, config), to), KindAuth, "it ended the login of")
}

func TestKeysAccepted(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	pub := write(t, read(t, s.Identity+".pub"))
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{"", ".pub"} {
		if err := os.WriteFile(filepath.Join(home, ".ssh", "id_ed25519"+ext), []byte(read(t, s.Identity+ext)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	full := startAgent(t, append(others(t, 9), s.Identity)...)
	for title, c := range map[string]struct {
		config string
		sock   string
		home   string
	}{
		"default file":                         {home: home},
		"default file beside a full agent":     {home: home, sock: startAgent(t, others(t, 9)...)},
		"config's file":                        {config: "IdentityFile " + s.Identity},
		"config's file beside a full agent":    {config: "IdentityFile " + s.Identity, sock: startAgent(t, others(t, 9)...)},
		"the last of several":                  {config: "IdentityFile " + strings.Join(append(others(t, 4), s.Identity), "\nIdentityFile ")},
		"agent":                                {sock: startAgent(t, s.Identity)},
		"agent by config":                      {config: "IdentityAgent " + startAgent(t, s.Identity)},
		"agent's last key, named":              {config: "IdentityFile " + s.Identity, sock: full},
		"agent's last key, named by its .pub":  {config: "IdentitiesOnly yes\nIdentityFile " + pub, sock: full},
		"agent's last key, named without .pub": {config: "IdentitiesOnly yes\nIdentityFile " + strings.TrimSuffix(s.Identity+".pub", ".pub"), sock: full},
	} {
		t.Run(title, func(t *testing.T) {
			if c.home == "" {
				c.home = t.TempDir()
			}
			t.Setenv("HOME", c.home)
			d := dialer(t, c.config)
			t.Setenv("SSH_AUTH_SOCK", c.sock)
			to := target(s)
			to.IdentityFile = ""
			wantHello(t, d, to)
		})
	}
}

func TestIdentitiesOnly(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	wrong := others(t, 1)[0]
	yes, no := true, false
	d := dialer(t, "IdentitiesOnly yes\nIdentityFile "+wrong)
	t.Setenv("SSH_AUTH_SOCK", startAgent(t, s.Identity))
	to := target(s)
	to.IdentityFile = ""
	wantError(t, greet(t.Context(), d, to), KindAuth, "offered: "+wrong)
	to.IdentitiesOnly = &no // the topology's word goes first
	wantHello(t, d, to)
	to.IdentityFile, to.IdentitiesOnly = wrong, &yes
	wantError(t, greet(t.Context(), d, to), KindAuth, "offered: "+wrong)
}

// answers is a person at the terminal.
type answers struct {
	mu    sync.Mutex
	give  []string
	asked []string
}

func (a *answers) prompt(question string) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, question)
	if len(a.give) == 0 {
		return nil, errors.New("nobody answers")
	}
	s := a.give[0]
	a.give = a.give[1:]
	return []byte(s), nil
}

func TestEncryptedKey(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	key := filepath.Join(t.TempDir(), "id")
	pub := sshtest.WriteKey(t, key, "sesame")
	unwanted := filepath.Join(t.TempDir(), "id")
	sshtest.WriteKey(t, unwanted, "sesame")
	s.Authorize(t, string(ssh.MarshalAuthorizedKey(pub)))
	question := "Enter passphrase for key '" + key + "': "

	for title, c := range map[string]struct {
		keys    []string
		give    []string
		asked   int
		summary string // "" if it is to work
	}{
		"right at once":          {keys: []string{key}, give: []string{"sesame"}, asked: 1},
		"right the third time":   {keys: []string{key}, give: []string{"a", "b", "sesame"}, asked: 3},
		"never right":            {keys: []string{key}, give: []string{"a", "b", "c", "sesame"}, asked: 3, summary: "cannot decrypt " + key},
		"nobody answers":         {keys: []string{key}, asked: 1, summary: "cannot ask for the passphrase"},
		"no terminal":            {keys: []string{key}, give: nil, asked: 0, summary: "no terminal"},
		"not asked in vain":      {keys: []string{unwanted, key}, give: []string{"sesame"}, asked: 1},
		"nor where another does": {keys: []string{key, s.Identity}, asked: 0},
	} {
		t.Run(title, func(t *testing.T) {
			a := &answers{give: c.give}
			d := dialer(t, "IdentityFile "+strings.Join(c.keys, "\nIdentityFile "), func(cfg *Config) {
				if title != "no terminal" {
					cfg.Prompt = a.prompt
				}
			})
			to := target(s)
			to.IdentityFile = ""
			var g errgroup.Group
			for range 5 { // five nodes, one question
				g.Go(func() error { return greet(t.Context(), d, to) })
			}
			err := g.Wait()
			if c.summary == "" && err != nil {
				t.Error(err)
			}
			if c.summary != "" {
				wantError(t, err, KindAuth, c.summary)
			}
			if len(a.asked) != c.asked {
				t.Errorf("want %d questions, have %q", c.asked, a.asked)
			}
			for _, q := range a.asked {
				if q != question {
					t.Errorf("want %q, have %q", question, q)
				}
			}
		})
	}
}

// The old PEM format hides the public key; the file beside it has it.
func TestEncryptedPEM(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	key := filepath.Join(t.TempDir(), "id")
	tool(t, "ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "sesame", "-f", key)
	s.Authorize(t, read(t, key+".pub"))
	to := target(s)
	to.IdentityFile = key
	ask := func(cfg *Config) { cfg.Prompt = (&answers{give: []string{"sesame"}}).prompt }
	wantHello(t, dialer(t, "", ask), to)
	if err := os.Remove(key + ".pub"); err != nil {
		t.Fatal(err)
	}
	wantError(t, greet(t.Context(), dialer(t, "", ask), to), KindAuth, "no .pub next to it")
}

func TestUserCertificate(t *testing.T) {
	dir := t.TempDir()
	ca, key := filepath.Join(dir, "ca"), filepath.Join(dir, "id")
	sshtest.WriteKey(t, ca, "")
	sshtest.WriteKey(t, key, "")
	s := sshtest.Start(t, sshtest.Options{Config: "TrustedUserCAKeys " + ca + ".pub"})
	to := target(s)
	to.IdentityFile = key
	wantError(t, greet(t.Context(), dialer(t, ""), to), KindAuth, "accepts no key")
	tool(t, "ssh-keygen", "-q", "-s", ca, "-I", "me", "-n", s.User, key+".pub")
	wantHello(t, dialer(t, ""), to)
	// Of an encrypted key, and of one that the agent holds.
	tool(t, "ssh-keygen", "-q", "-p", "-P", "", "-N", "sesame", "-f", key)
	wantHello(t, dialer(t, "", func(cfg *Config) { cfg.Prompt = (&answers{give: []string{"sesame"}}).prompt }), to)
	tool(t, "ssh-keygen", "-q", "-p", "-P", "sesame", "-N", "", "-f", key)
	wantHello(t, dialer(t, "IdentityAgent "+startAgent(t, key)), to)
}

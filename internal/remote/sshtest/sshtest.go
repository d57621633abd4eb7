// Package sshtest starts a real sshd for tests: on 127.0.0.1, on a free port,
// with keys and configuration of its own, as the user who runs the tests.
package sshtest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

const sshd = "/usr/sbin/sshd"

// Options say what is special about a server; the zero value is a plain one.
type Options struct {
	Config   string   // sshd_config lines; they win over those of this package
	HostKeys []string // ssh-keygen types; default ed25519
}

// Server is a running sshd that accepts the key in Identity from User.
type Server struct {
	Addr string // 127.0.0.1:PORT
	Host string
	Port int
	User string

	Dir        string // holds everything below, and goes with the test
	Identity   string // private key file that may log in
	KnownHosts string // known_hosts file with all host keys of the server
	ConfigPath string // ssh config (ssh -F) with a Host alias "node" for all of this

	cmd *exec.Cmd
	log *lockedBuffer
}

// Start starts sshd and waits until it answers; the test's end stops it. It
// skips the test where there is no sshd, unless CI=true.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	if _, err := os.Stat(sshd); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no %s: install openssh-server", sshd)
		}
		t.Skipf("no %s: install openssh-server", sshd)
	}
	s := &Server{Dir: t.TempDir(), Host: "127.0.0.1", log: &lockedBuffer{}}
	u, err := user.Current()
	check(t, err)
	s.User = u.Username
	if os.Geteuid() == 0 {
		check(t, os.MkdirAll("/run/sshd", 0o755)) // sshd insists on it
	}
	s.Identity = filepath.Join(s.Dir, "id")
	pub := WriteKey(t, s.Identity, "")
	check(t, os.WriteFile(filepath.Join(s.Dir, "authorized_keys"), ssh.MarshalAuthorizedKey(pub), 0o600))
	if len(o.HostKeys) == 0 {
		o.HostKeys = []string{"ed25519"}
	}
	var config strings.Builder
	fmt.Fprintf(&config, "%s\n", o.Config)
	for _, typ := range o.HostKeys {
		file := s.HostKey(typ)
		out, err := exec.Command("ssh-keygen", "-q", "-N", "", "-t", typ, "-f", file).CombinedOutput()
		if err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
		fmt.Fprintf(&config, "HostKey %s\n", file)
	}
	// A bash that is not the first reads no .bashrc: what the tester keeps there
	// is slow, or waits for a lock that a killed session has left.
	fmt.Fprintf(&config, `AuthorizedKeysFile %[1]s/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding yes
LogLevel VERBOSE
SetEnv SHLVL=9
`, s.Dir)
	s.listen(t, config.String())

	s.KnownHosts = filepath.Join(s.Dir, "known_hosts")
	var known strings.Builder
	for _, typ := range o.HostKeys {
		text, err := os.ReadFile(s.HostKey(typ) + ".pub")
		check(t, err)
		fmt.Fprintf(&known, "[%s]:%d %s", s.Host, s.Port, text)
	}
	check(t, os.WriteFile(s.KnownHosts, []byte(known.String()), 0o600))
	s.ConfigPath = filepath.Join(s.Dir, "ssh_config")
	check(t, os.WriteFile(s.ConfigPath, []byte(s.HostBlock("node")), 0o600))
	return s
}

// HostBlock is a Host block of an ssh config for this server.
func (s *Server) HostBlock(alias string) string {
	return fmt.Sprintf(`Host %s
  HostName %s
  Port %d
  User %s
  IdentityFile %s
  IdentitiesOnly yes
  UserKnownHostsFile %s
`, alias, s.Host, s.Port, s.User, s.Identity, s.KnownHosts)
}

// Authorize lets another public key log in, an authorized_keys line.
func (s *Server) Authorize(t testing.TB, line string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Dir, "authorized_keys"), os.O_APPEND|os.O_WRONLY, 0)
	check(t, err)
	_, err = f.WriteString(strings.TrimSpace(line) + "\n")
	check(t, err)
	check(t, f.Close())
}

// HostKey is the file of the server's private host key of one type.
func (s *Server) HostKey(typ string) string { return filepath.Join(s.Dir, "host_"+typ) }

// Log is what sshd has logged so far.
func (s *Server) Log() string { return s.log.String() }

// Stop ends the listening sshd; sessions that are open live on.
func (s *Server) Stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// Crash kills every connection's sshd, without a word to either side. What runs
// in its sessions lives on, and the server takes new connections.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	children := map[int][]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	check(t, err)
	for _, file := range stats {
		// 4711 (sshd) S 1 ...; sshd-session, since OpenSSH 9.8
		text, _ := os.ReadFile(file) // one that is gone by now is none of ours
		var pid, parent int
		var name, state string
		if n, _ := fmt.Sscan(string(text), &pid, &name, &state, &parent); n == 4 && strings.HasPrefix(name, "(sshd") {
			children[parent] = append(children[parent], pid)
		}
	}
	for below := children[s.cmd.Process.Pid]; len(below) > 0; below = below[1:] {
		_ = syscall.Kill(below[0], syscall.SIGKILL)
		below = append(below, children[below[0]]...)
	}
}

// listen starts sshd on a free port, and tries another one if somebody was
// faster.
func (s *Server) listen(t testing.TB, config string) {
	t.Helper()
	t.Cleanup(s.Stop)
	for range 5 {
		s.Port = FreePort(t)
		s.Addr = net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
		file := filepath.Join(s.Dir, "sshd_config")
		text := fmt.Sprintf("Port %d\nListenAddress %s\n%s", s.Port, s.Host, config)
		check(t, os.WriteFile(file, []byte(text), 0o600))
		s.cmd = exec.Command(sshd, "-D", "-e", "-f", file)
		s.cmd.Stderr = s.log
		check(t, s.cmd.Start())
		for range 500 {
			if strings.Contains(s.log.String(), "Server listening on "+s.Host+" port "+strconv.Itoa(s.Port)) {
				return
			}
			if s.cmd.ProcessState != nil || syscall.Kill(s.cmd.Process.Pid, 0) != nil || strings.Contains(s.log.String(), "fatal") {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		s.Stop()
	}
	t.Fatalf("sshd does not start:\n%s", s.Log())
}

// FreePort is a port of 127.0.0.1 on which nothing listens.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// WriteKey makes an ed25519 key pair, FILE and FILE.pub, encrypted if there is
// a passphrase.
func WriteKey(t testing.TB, file, passphrase string) ssh.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "test")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "test", []byte(passphrase))
	}
	check(t, err)
	pub, err := ssh.NewPublicKey(public)
	check(t, err)
	check(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	check(t, os.WriteFile(file+".pub", ssh.MarshalAuthorizedKey(pub), 0o600))
	return pub
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lockedBuffer takes what sshd writes while tests read it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

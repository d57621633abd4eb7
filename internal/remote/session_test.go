package remote

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// dialer is one that has no agent and reads the given ssh config alone.
func dialer(t *testing.T, config string, change ...func(*Config)) *Dialer {
	t.Helper()
	t.Setenv("SSH_AUTH_SOCK", "")
	cfg := Config{SSHConfig: filepath.Join(t.TempDir(), "ssh_config")}
	if err := os.WriteFile(cfg.SSHConfig, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&cfg)
	}
	d, err := NewDialer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// target is how to reach a server without any ssh config.
func target(s *sshtest.Server) Target {
	return Target{Name: "web", Address: s.Host, Port: s.Port, User: s.User, IdentityFile: s.Identity, KnownHosts: s.KnownHosts}
}

// greet logs in and runs a script that says hello.
func greet(ctx context.Context, d *Dialer, t Target) error {
	r, err := d.Dial(ctx, t)
	if err != nil {
		return err
	}
	out, err := r.Run(ctx, Script{Body: "echo hello"})
	if err == nil && out.Stdout != "hello\n" {
		err = fmt.Errorf("have %+v", out)
	}
	_ = r.Close()
	return err
}

func wantHello(t *testing.T, d *Dialer, to Target) {
	t.Helper()
	if err := greet(t.Context(), d, to); err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, d *Dialer, to Target) Runner {
	t.Helper()
	r, err := d.Dial(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestRunOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	text, err := os.ReadFile(s.ConfigPath)
	if err != nil {
		t.Fatal(err)
	}
	r := dial(t, dialer(t, string(text)), Target{Name: "web", Address: "node"})
	for i := range 12 { // more than MaxSessions, one after the other
		var lines []string
		have, err := r.Run(t.Context(), Script{
			Body: fmt.Sprintf("echo out; echo err >&2; exit %d", i),
			Line: func(s string) { lines = append(lines, s) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(Output{Stdout: "out\n", Stderr: "err\n", Status: i}, have); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff([]string{"out"}, lines); d != "" {
			t.Fatal(d)
		}
	}
	if n := strings.Count(s.Log(), "Accepted publickey"); n != 1 {
		t.Errorf("want one login, have %d", n)
	}
	_, err = r.Run(t.Context(), Script{Body: "echo 'a"})
	wantError(t, err, KindScript, "cannot parse")
	_, err = r.Run(t.Context(), Script{Body: "kill -9 $$; sleep 1"})
	wantError(t, err, KindTruncated, "killed by signal KILL")
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	_, err = r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindLost, "the connection is closed")
}

func TestLargeScriptOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, ""), target(s))
	const size = 10 << 20
	line := ": " + strings.Repeat("x", 1000) + "\n"
	have, err := r.Run(t.Context(), Script{Body: strings.Repeat(line, size/len(line)) + fmt.Sprintf("head -c %d /dev/zero; head -c 1000000 /dev/zero >&2", size)})
	if err != nil {
		t.Fatal(err)
	}
	if len(have.Stdout) != size || len(have.Stderr) != 1000000 {
		t.Errorf("have %d and %d bytes", len(have.Stdout), len(have.Stderr))
	}
}

// behind makes sshd run the client's command by way of another shell.
func behind(shell string) string { return "ForceCommand " + shell }

func TestOddLogins(t *testing.T) {
	needs := func(t *testing.T, tool string) string {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skip(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		config string
		needs  string
	}{
		"banner":              {config: "Banner /etc/passwd"},
		"noisy .bashrc":       {config: behind(`echo noise; printf 'no newline'; echo noise >&2; eval "$SSH_ORIGINAL_COMMAND"`)},
		"noise like ours":     {config: behind(`echo "lvsctl-X 0"; echo; eval "$SSH_ORIGINAL_COMMAND"`)},
		"csh":                 {config: behind(`exec csh -f -c "$SSH_ORIGINAL_COMMAND"`), needs: "csh"},
		"fish":                {config: behind(`exec fish -c "$SSH_ORIGINAL_COMMAND"`), needs: "fish"},
		"busybox":             {config: behind(`exec busybox sh -c "$SSH_ORIGINAL_COMMAND"`), needs: "busybox"},
		"french":              {config: "SetEnv LC_ALL=fr_FR.UTF-8 LANG=fr_FR.UTF-8 LANGUAGE=fr"},
		"strange environment": {config: "SetEnv PATH=/nowhere IFS=e ENV=/etc/passwd BASH_ENV=/etc/passwd CDPATH=/"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.needs != "" {
				needs(t, c.needs)
			}
			s := sshtest.Start(t, sshtest.Options{Config: c.config})
			r := dial(t, dialer(t, ""), target(s))
			var lines []string
			have, err := r.Run(t.Context(), Script{Body: "ls -d /; echo err >&2; exit 3", Line: func(s string) { lines = append(lines, s) }})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(Output{Stdout: "/\n", Stderr: "err\n", Status: 3}, have); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]string{"/"}, lines); d != "" {
				t.Error(d)
			}
		})
	}
}

// fakeSudo is a login whose sudo only says what the real one said.
func fakeSudo(message string, status int) string {
	return behind(fmt.Sprintf("echo '%s' >&2; exit %d", message, status))
}

func TestLoginsThatRunNothing(t *testing.T) {
	for name, c := range map[string]struct {
		config  string
		kind    ErrorKind
		summary string
		remedy  string
	}{
		"nologin":      {behind("/usr/sbin/nologin"), KindShell, "nologin", "usermod -s /bin/sh USER"},
		"false":        {behind("/bin/false"), KindShell, "does not start /bin/sh (exit status 1)", "getent passwd USER"},
		"no such":      {behind("/no/such/shell"), KindShell, "does not start /bin/sh (exit status 127)", "ForceCommand"},
		"another tool": {behind("echo 'rsync only \x1b[31m, please'; exit 0"), KindShell, "rsync only [31m, please", "ForceCommand"},
		"sftp":         {"ForceCommand internal-sftp", KindShell, "file transfer only", "ForceCommand"},
		"expired":      {behind("echo 'WARNING: Your password has expired.'; echo 'Password change required but no TTY available.'; exit 1"), KindShell, "expired", "passwd"},
		"no sessions":  {"MaxSessions 0", KindShell, "opens no session", "MaxSessions"},

		"sudo password":          {fakeSudo("sudo: a password is required", 1), KindSudo, "wants a password", "USER ALL=(root) NOPASSWD: /bin/sh"},
		"sudo 1.7 password":      {fakeSudo("sudo: sorry, a password is required to run sudo", 1), KindSudo, "wants a password", "NOPASSWD"},
		"sudo no tty":            {fakeSudo("sudo: no tty present and no askpass program specified", 1), KindSudo, "wants a password", "NOPASSWD"},
		"sudo-rs password":       {fakeSudo("sudo: interactive authentication is required", 1), KindSudo, "wants a password", "NOPASSWD"},
		"sudo requiretty":        {fakeSudo("sudo: sorry, you must have a tty to run sudo", 1), KindSudo, "requiretty", "Defaults:USER !requiretty"},
		"sudo, not in the file":  {fakeSudo("op is not in the sudoers file.  This incident will be reported.", 1), KindSudo, "does not let", "NOPASSWD"},
		"sudo, not this command": {fakeSudo("Sorry, user op is not allowed to execute /bin/sh -s as root on host1.", 1), KindSudo, "does not let", "NOPASSWD"},
		"sudo missing, env":      {fakeSudo("env: sudo: No such file or directory", 127), KindSudo, "no sudo", "install sudo"},
		"sudo missing, env 8.25": {fakeSudo("env: ‘sudo’: No such file or directory", 127), KindSudo, "no sudo", "install sudo"},
		"sudo missing, busybox":  {fakeSudo("env: can'\\''t execute '\\''sudo'\\'': No such file or directory", 127), KindSudo, "no sudo", "install sudo"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sshtest.Start(t, sshtest.Options{Config: c.config})
			err := greet(t.Context(), dialer(t, ""), target(s))
			e := wantError(t, err, c.kind, c.summary)
			if remedy := strings.ReplaceAll(c.remedy, "USER", s.User); !strings.Contains(e.Remedy, remedy) {
				t.Errorf("want remedy ...%s..., have %s", remedy, e.Remedy)
			}
		})
	}
}

// The real sudo, as a user whom it does not know.
func TestRealSudoWantsAPassword(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("becomes nobody, which takes root")
	}
	for _, tool := range []string{"sudo", "su"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	s := sshtest.Start(t, sshtest.Options{Config: behind("exec su -s /bin/sh nobody -c 'exec env LC_ALL=C sudo -n /bin/sh -s'")})
	wantError(t, greet(t.Context(), dialer(t, ""), target(s)), KindSudo, "wants a password")

	// And the real sudo of root, which is allowed.
	s = sshtest.Start(t, sshtest.Options{Config: behind("exec env LC_ALL=C sudo -n /bin/sh -s")})
	wantHello(t, dialer(t, ""), target(s))
}

func TestSudoCommand(t *testing.T) {
	for _, c := range []struct {
		sudo bool
		want string
	}{{false, "exec /bin/sh -s"}, {true, "exec env LC_ALL=C sudo -n /bin/sh -s"}} {
		if have := (&sshRunner{sudo: c.sudo}).command(); have != c.want {
			t.Errorf("want %s, have %s", c.want, have)
		}
	}
}

func TestServerKilledDuringScript(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, ""), target(s))
	_, err := r.Run(t.Context(), Script{Body: "echo a; kill -9 $PPID; sleep 30"})
	wantError(t, err, KindLost, "the connection broke")
	_, err = r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindLost, "connection")
}

func TestSilenceOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, "", func(c *Config) { c.Silence = 2 * time.Second }), target(s))
	_, err := r.Run(t.Context(), Script{Body: "sleep 20 >&- 2>&-"})
	wantError(t, err, KindLost, "said nothing for 2s")
	_, err = r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindLost, "said nothing for 2s") // it is not waited for twice
	r = dial(t, dialer(t, "", func(c *Config) { c.Silence = 2 * time.Second }), target(s))
	have, err := r.Run(t.Context(), Script{Body: "for i in 1 2 3 4 5 6; do sleep 0.5; echo $i >&2; done"})
	if err != nil || have.Status != 0 {
		t.Errorf("want a script that speaks to run on, have %v, %v", have, err)
	}
}

func TestLimitOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, "", func(c *Config) { c.Silence = 400 * time.Millisecond }), target(s))
	_, err := r.Run(t.Context(), Script{Body: "while :; do printf x; sleep 0.1; done"})
	wantError(t, err, KindLost, "its script did not end within 2s")
	_, err = r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindLost, "did not end within 2s") // nobody waits for it again
}

func TestInterruptedOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, ""), target(s))
	ctx, cancel := context.WithCancel(t.Context())
	start := time.Now()
	_, err := r.Run(ctx, Script{Body: "echo a; sleep 3", Line: func(string) { cancel() }})
	wantError(t, err, KindInterrupted, "stopped")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
	// The connection is still good: whoever was interrupted may want to tidy up.
	if out, err := r.Run(t.Context(), Script{Body: "echo tidy"}); err != nil || out.Stdout != "tidy\n" {
		t.Errorf("have %v, %v", out, err)
	}
}

// A peer that vanishes without a word, as behind a firewall that forgot us.
func TestDeadPeer(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	w := newWire(t, s.Addr)
	to := target(s)
	to.Port = w.port
	d := dialer(t, fmt.Sprintf("Host *\n  HostKeyAlias %s\n", "wired"), func(c *Config) { c.Silence = 2 * time.Second })
	key, err := os.ReadFile(s.HostKey("ed25519") + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	to.HostKey = string(key)
	r := dial(t, d, to)
	if _, err := r.Run(t.Context(), Script{Body: "echo"}); err != nil {
		t.Fatal(err)
	}
	w.cut()
	<-r.(*sshRunner).link.done // noticed without anything running
	_, err = r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindLost, "no answer for 2s")
}

// wire is a TCP connection's way that can be cut without either side hearing
// of it.
type wire struct {
	port int
	mu   sync.Mutex
	dead bool
}

func newWire(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{port: l.Addr().(*net.TCPAddr).Port}
	var all sync.WaitGroup
	var conns []net.Conn
	all.Go(func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", to)
			if err != nil {
				_ = a.Close()
				return
			}
			w.mu.Lock()
			conns = append(conns, a, b)
			w.mu.Unlock()
			all.Go(func() { w.carry(a, b) })
			all.Go(func() { w.carry(b, a) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		all.Wait()
	})
	return w
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
}

func (w *wire) carry(from, to net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		w.mu.Lock()
		dead := w.dead
		w.mu.Unlock()
		if !dead {
			_, _ = io.Copy(to, bytes.NewReader(buf[:n]))
			if err != nil {
				_ = to.Close()
			}
		}
		if err != nil {
			return
		}
	}
}

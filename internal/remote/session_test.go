package remote

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

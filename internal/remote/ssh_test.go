package remote

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// dialer is one that reads the server's ssh config, or the one given.
func dialer(t *testing.T, cfg Config) *Dialer {
	t.Helper()
	t.Setenv("SSH_AUTH_SOCK", "")
	d, err := NewDialer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSSHRuns(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	d := dialer(t, Config{SSHConfig: s.ConfigPath})
	r, err := d.Dial(t.Context(), Target{Name: "web", Address: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	have, err := r.Run(t.Context(), Script{Body: "echo out; echo err >&2; exit 3"})
	if err != nil {
		t.Fatal(err)
	}
	want := Output{Stdout: "out\n", Stderr: "err\n", Status: 3}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
}

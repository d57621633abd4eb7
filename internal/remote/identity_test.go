package remote

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// TestIdentity: which machine a target is, as far as the topology decides it.
func TestIdentity(t *testing.T) {
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshtest.WriteKey(t, filepath.Join(t.TempDir(), "a"), ""))))
	ca := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshtest.WriteKey(t, filepath.Join(t.TempDir(), "b"), ""))))
	known := write(t, fmt.Sprintf("[10.0.0.9]:2222 %s since May\n@cert-authority [10.0.0.9]:2222 %s\nother %s\n", key, ca, ca))
	config := write(t, "Host lb\n  HostName 10.0.0.9\n  Port 2222\n  UserKnownHostsFile "+known+"\n")
	d, err := NewDialer(Config{SSHConfig: config})
	if err != nil {
		t.Fatal(err)
	}
	both := []string{"@cert-authority " + ca, key}
	slices.Sort(both)
	for name, c := range map[string]struct {
		target Target
		want   Identity
	}{
		"as the ssh config has it": {Target{Address: "lb"}, Identity{"10.0.0.9", 2222, "root", nil}},
		"a file of the topology's": {Target{Address: "lb", KnownHosts: known}, Identity{"10.0.0.9", 2222, "root", both}},
		"a pinned key":             {Target{Address: "lb", KnownHosts: known, HostKey: key + " a comment"}, Identity{"10.0.0.9", 2222, "root", []string{key}}},
		"another port and user":    {Target{Address: "lb", User: "ann", Port: 22}, Identity{"10.0.0.9", 22, "ann", nil}},
		"this machine":             {Target{Address: "local"}, Identity{Host: "local"}},
	} {
		have, err := d.Identity(c.target)
		if diff := cmp.Diff(c.want, have); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +have)\n%s", name, err, diff)
		}
	}
	if _, err := d.Identity(Target{Name: "n", Address: "lb", KnownHosts: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "known_hosts") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

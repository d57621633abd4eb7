package remote

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// TestKnownHostsAsSSH holds which lines are about which host against ssh-keygen -F.
func TestKnownHostsAsSSH(t *testing.T) {
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshtest.WriteKey(t, filepath.Join(t.TempDir(), "key"), ""))))
	hashed := write(t, "hashed.example.com "+key+"\n[hashed]:2222 "+key+"\n")
	tool(t, "ssh-keygen", "-H", "-f", hashed)
	var text strings.Builder
	for _, names := range []string{
		"web", "web,10.0.0.1", "WEB", "[web]:2222", "*.example.com", "*", "w?b", "*,!web", "!web,*", "10.0.0.*", "[10.0.0.*]:2222",
		"fd00::1", "[fd00::1]:2222", "web,,db", "@cert-authority *.example.com", "@revoked web", "# web", "  web", "|1|bad|hash", "db,*.example.com,!a.example.com",
	} {
		fmt.Fprintf(&text, "%s %s\n", names, key)
	}
	file := write(t, text.String()+read(t, hashed))
	f := readKnownHosts(file)
	if f.err != nil {
		t.Fatal(f.err)
	}
	for _, name := range []string{"web", "[web]:2222", "db", "10.0.0.1", "[10.0.0.1]:2222", "a.example.com", "b.example.com", "fd00::1", "[fd00::1]:2222", "hashed.example.com", "[hashed]:2222", "hashed"} {
		// # Host web found: line 1 CA
		said, err := exec.Command("ssh-keygen", "-F", name, "-f", file).Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var want, have []int
		for line := range strings.Lines(string(said)) {
			var n int
			if _, after, ok := strings.Cut(line, " found: line "); ok {
				fmt.Sscan(after, &n)
				want = append(want, n)
			}
		}
		for _, i := range f.about(name) {
			have = append(have, f.lines[i].number)
		}
		if !slices.Equal(want, have) {
			t.Errorf("%s: want lines %v, have %v", name, want, have)
		}
	}
}

// A name that leads to another address all of a sudden shows, where CheckHostIP
// asks for it. A loopback address says nothing, so no real server can show this.
func TestCheckHostIP(t *testing.T) {
	dir := t.TempDir()
	key, other := sshtest.WriteKey(t, filepath.Join(dir, "a"), ""), sshtest.WriteKey(t, filepath.Join(dir, "b"), "")
	line := func(name string, key ssh.PublicKey) string { return name + " " + string(ssh.MarshalAuthorizedKey(key)) }
	for title, c := range map[string]struct {
		config, known string
		want          string // "" if the key is to be trusted
	}{
		"the address had another": {"CheckHostIP yes", line("web", key) + line("192.0.2.1", other), "its address 192.0.2.1 had another one"},
		"the address has it":      {"CheckHostIP yes", line("web", key) + line("192.0.2.1", other) + line("192.0.2.1", key), ""},
		"the address is new":      {"CheckHostIP yes", line("web", key), ""},
		"nobody asks":             {"", line("web", key) + line("192.0.2.1", other), ""},
	} {
		t.Run(title, func(t *testing.T) {
			d := dialer(t, c.config)
			e, err := d.resolve(Target{Address: "web", KnownHosts: write(t, c.known)})
			if err != nil {
				t.Fatal(err)
			}
			j, err := d.hostKeyCheck(e)
			if err != nil {
				t.Fatal(err)
			}
			failed := j.check(key, &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 22})
			if (failed == nil) != (c.want == "") || failed != nil && !strings.Contains(failed.Summary, c.want) {
				t.Errorf("want %q, have %v", c.want, failed)
			}
		})
	}
}

// BenchmarkKnownHosts is as many lines as hosts, and twice as many.
func BenchmarkKnownHosts(b *testing.B) {
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshtest.WriteKey(b, filepath.Join(b.TempDir(), "key"), ""))))
	for _, n := range []int{5000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "known_hosts")
			var text strings.Builder
			for i := range n {
				fmt.Fprintf(&text, "[web-%d.example.com]:2222,10.%d.%d.1 %s\n", i, i/256, i%256, key)
			}
			if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				f := readKnownHosts(file)
				for i := range n {
					if len(linesAbout([]*knownFile{f}, fmt.Sprintf("[web-%d.example.com]:2222", i))) != 1 {
						b.Fatal(i)
					}
				}
			}
		})
	}
}

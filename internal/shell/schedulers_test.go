package shell_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// TestSchedulers asks for schedulers where modprobe is busybox's, which has no -n,
// and where it is kmod's: both find what depmod listed, and nothing else.
func TestSchedulers(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("not root")
		}
		t.Skip("left out: a mount namespace needs root")
	}
	applets := t.TempDir()
	if out, err := exec.Command("busybox", "--install", "-s", applets).CombinedOutput(); err != nil {
		t.Fatalf("busybox: %v: %s", err, out)
	}
	kmod := tools(t, "uname", "grep", "sh", "modprobe")
	ask := shell.Definitions(shell.ReadSchedulers) + shell.Call(shell.ReadSchedulers, "rr", "mh", "wlc", "twos").String() + "\n"
	for name, path := range map[string]string{"busybox": applets, "kmod": kmod} {
		for _, c := range []struct{ what, prepare, want string }{
			{"lists", `mkdir -p "$m/kernel"
echo 'kernel/net/netfilter/ipvs/ip_vs_rr.ko.xz: kernel/net/netfilter/ipvs/ip_vs.ko.xz' >"$m/modules.dep"
echo 'kernel/net/netfilter/ipvs/ip_vs_wlc.ko' >"$m/modules.builtin"`, "rr wlc"},
			{"no lists", "", "rr mh wlc twos"},
		} {
			t.Run(name+", "+c.what, func(t *testing.T) {
				cmd := exec.Command("unshare", "-m", "sh", "-ec", `mkdir -p /lib/modules; mount -t tmpfs none /lib/modules
m=/lib/modules/$(uname -r)
`+c.prepare+"\nPATH="+path+"; export PATH\n"+ask)
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				if have := strings.Join(strings.Fields(string(out)), " "); have != c.want {
					t.Errorf("want %q, have %q", c.want, have)
				}
			})
		}
	}
}

// tools makes a folder of some of this machine's programs, to be the whole PATH.
func tools(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

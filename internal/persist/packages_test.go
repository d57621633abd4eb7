package persist

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// fetch downloads Debian packages to a folder. They are not installed, because some of them
// conflict with each other and with this machine's.
func fetch(t testing.TB, packages ...string) string {
	t.Helper()
	need(t, "apt-get", "dpkg")
	dir := t.TempDir()
	cmd := exec.Command("apt-get", append([]string{"-qq", "-o", "APT::Sandbox::User=root", "download"}, packages...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "true" {
			t.Skipf("left out: cannot fetch packages: %v: %s", err, out)
		}
		t.Fatalf("cannot fetch packages: %v: %s", err, out)
	}
	return dir
}

// unpack extracts the fetched packages that match a pattern to a new folder. /bin, /lib and
// /sbin are in /usr there.
func unpack(t testing.TB, debs, pattern string) string {
	t.Helper()
	root := t.TempDir()
	sh(t, debs, "for deb in "+pattern+"; do dpkg -x $deb "+root+"; done; cd "+root+`
for d in bin lib sbin; do
  if [ -d $d ]; then mkdir -p usr; cp -a $d usr; rm -r $d; fi
done`)
	return root
}

// sh runs a shell script in a folder.
func sh(t testing.TB, dir, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-euc", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", filepath.Base(dir), err, out)
	}
}

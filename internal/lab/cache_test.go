package lab

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// testCache is a cache for the test, in a folder that other users can enter, as they
// can enter most home folders.
func testCache(t *testing.T, below ...string) *os.Root {
	t.Helper()
	home, err := os.MkdirTemp("", "lvsctl-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", home)
	root, err := openCache(below...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// TestImageWholeOrNone makes images that fail on the way. None of them may be used.
func TestImageWholeOrNone(t *testing.T) {
	c := debianCache{testCache(t, debianDir), func(string) {}}
	err := c.make("x.img", func(out *os.File, work string) error {
		if _, err := out.WriteString("half"); err != nil {
			return err
		}
		return os.ErrPermission
	})
	if names, _ := entries(c.Root); err == nil || len(names) != 0 {
		t.Errorf("error %v, and left behind: %v", err, names)
	}
	if err := c.make("x.img", func(out *os.File, _ string) error { _, err := out.WriteString("whole"); return err }); err != nil {
		t.Fatal(err)
	}
	if text, err := c.ReadFile("x.img"); err != nil || string(text) != "whole" {
		t.Errorf("%q, %v", text, err)
	}
	if err := checkSealed(c.Root, "x.img"); err != nil {
		t.Error(err)
	}
}

// TestImageBeingMade attacks an image while it is made, as another user who knows its
// path: each file that is there, and each that may appear beside it.
func TestImageBeingMade(t *testing.T) {
	needRoot(t)
	defer syscall.Umask(syscall.Umask(0))
	c := debianCache{testCache(t, debianDir), func(string) {}}
	tried := false
	err := c.make("x.img", func(out *os.File, work string) error {
		// mmdebstrap makes such folders: a root folder, and tmp that all can write.
		if err := os.MkdirAll(filepath.Join(work, "mmdebstrap.x", "tmp"), 0o777); err != nil {
			return err
		}
		if _, err := out.WriteString("half"); err != nil {
			return err
		}
		part := filepath.Join(work, "part")
		for _, script := range []string{
			"ls $work", "ls $cache", "cat $part", "echo evil >>$part", "echo evil >$work/evil", "ln -s /etc/passwd $work/evil",
			"echo evil >$work/mmdebstrap.x/tmp/evil", "rm -rf $work", "mv $work $work.evil", "echo evil >$cache/x.img", "echo evil >$cache/x.img.digest", "chmod 777 $part",
		} {
			attack := as(somebody, exec.Command("sh", "-c", script))
			attack.Env = append(os.Environ(), "work="+work, "part="+part, "cache="+c.Name())
			if out, err := attack.CombinedOutput(); err == nil || !strings.Contains(string(out), "Permission denied") {
				t.Errorf("%s: %v\n%s", script, err, out)
			}
			tried = true
		}
		return nil
	})
	if err != nil || !tried {
		t.Fatal(err)
	}
	if text, err := c.ReadFile("x.img"); err != nil || string(text) != "half" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestSealed changes files in the cache. lvsctl must not use a changed file.
func TestSealed(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, want string
		root        bool
	}{
		"sound":                  {":", "", false},
		"changed":                {"printf x | dd of=f bs=1 seek=3000000 conv=notrunc status=none", "it is not as lvsctl made it", false},
		"longer":                 {"truncate -s +1 f", "it is not as lvsctl made it", false},
		"shorter":                {"truncate -s -1 f", "it is not as lvsctl made it", false},
		"zeros in another place": {"truncate -s 1M f; printf data >>f; truncate -s 5000000 f", "it is not as lvsctl made it", false},
		"open to others":         {"chmod 604 f", "its mode is 0604", false},
		"its digest is open":     {"chmod 666 f.digest", "its mode is 0666", false},
		"without a digest":       {"rm f.digest", "no such file", false},
		"a link":                 {"mv f g; ln -s g f", "it is a link", false},
		"its digest is a link":   {"mv f.digest g; ln -s g f.digest", "it is a link", false},
		"another user's":         {"chown 65534 f", "it belongs to user 65534", true},
		"its digest another's":   {"chown 65534 f.digest", "it belongs to user 65534", true},
		"a file more":            {"printf x >d/more; chmod 600 d/more", "d: it is not as lvsctl made it", false},
		"a file less":            {"rm d/sub/b", "d: it is not as lvsctl made it", false},
		"a file moved":           {"mv d/sub/b d/b", "d: it is not as lvsctl made it", false},
		"a link in a folder":     {"rm d/sub/b; ln -s ../a d/sub/b", "it is a link", false},
	} {
		t.Run(name, func(t *testing.T) {
			if c.root {
				needRoot(t)
			}
			root := openRoot(t, t.TempDir())
			sh := func(script string) { t.Helper(); shell(t, root.Name(), script) }
			sh("umask 077; printf data >f; truncate -s 5000000 f; mkdir -p d/sub; echo a >d/a; echo b >d/sub/b")
			for _, name := range []string{"f", "d"} {
				if err := seal(root, name); err != nil {
					t.Fatal(err)
				}
			}
			sh(c.spoil)
			err := errors.Join(checkSealed(root, "f"), checkSealed(root, "d"))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("want %q, have %v", c.want, err)
			}
			if _, err := os.Lstat(filepath.Join(root.Name(), "f.digest")); c.want == "no such file" && !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		})
	}
}

// TestDigestOfHoles compares a file with holes and one with written zeros. A reader sees
// no difference, so their digests are equal.
func TestDigestOfHoles(t *testing.T) {
	root := openRoot(t, t.TempDir())
	data := make([]byte, 7<<20+13)
	copy(data[5<<20:], "data")
	if err := writeNew(root, "written", data); err != nil {
		t.Fatal(err)
	}
	f, err := root.OpenFile("holes", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte("data"), 5<<20)
	if err := errors.Join(err, f.Truncate(int64(len(data))), f.Close()); err != nil {
		t.Fatal(err)
	}
	var sums [2]string
	for n, name := range []string{"written", "holes"} {
		if sums[n], err = fileDigest(root, name); err != nil {
			t.Fatal(err)
		}
	}
	if sums[0] != sums[1] || !bytes.Equal(bytes.ToLower([]byte(sums[0])), []byte(sums[0])) {
		t.Errorf("%q", sums)
	}
}

// TestForeignCache lets another user make the cache folder before root does. root must
// not boot from it.
func TestForeignCache(t *testing.T) {
	needRoot(t)
	for name, plant := range map[string]string{
		"another user's": "mkdir lvsctl; chown 65534 lvsctl",
		"a link":         "mkdir other; ln -s other lvsctl",
		"below":          "mkdir -p lvsctl/debian; chown 65534 lvsctl/debian",
	} {
		dir := t.TempDir()
		t.Setenv("XDG_CACHE_HOME", dir)
		shell(t, dir, plant)
		if root, err := openCache(debianDir); err == nil {
			root.Close()
			t.Errorf("%s: it is used", name)
		}
	}
}

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestForeignFolders runs `lab down`, and a `lab up` that fails, in repositories that
// hold links or folders in place of the lab's. lvsctl must not remove or fill a folder
// that it did not make.
func TestForeignFolders(t *testing.T) {
	const name = ".lvsctl/lab/dr"
	for what, c := range map[string]struct {
		plant string // run in the working directory; home is a folder beside it
		want  string // in what is said
		root  bool
	}{
		"a link in the lab's place":                 {"mkdir -p .lvsctl/lab; ln -s $home .lvsctl/lab/dr", "cannot use .lvsctl/lab/dr: it is a link", false},
		"a relative link":                           {"mkdir -p .lvsctl/lab; ln -s ../../../home .lvsctl/lab/dr", "it is a link", false},
		"a link to a folder of the same repository": {"mkdir -p .lvsctl/lab src; mv $home/* src; ln -s ../../src .lvsctl/lab/dr", "it is a link", false},
		"a link in the place of all labs":           {"mkdir -p .lvsctl $home/dr; mv $home/precious $home/dr; ln -s $home .lvsctl/lab", "cannot use .lvsctl/lab: it is a link", false},
		"a link in lvsctl's place":                  {"mkdir -p $home/lab/dr; mv $home/precious $home/lab/dr; ln -s $home .lvsctl", "cannot use .lvsctl: it is a link", false},
		"a link to a link":                          {"mkdir -p .lvsctl/lab; ln -s $home other; ln -s ../../other .lvsctl/lab/dr", "it is a link", false},
		"a file":                                    {"mkdir -p .lvsctl/lab; mv $home/precious .lvsctl/lab/dr", "it is a file, and lvsctl makes a folder", false},
		"a folder with files":                       {"mkdir -p .lvsctl; mv $home .lvsctl/lab; mkdir .lvsctl/lab/dr; mv .lvsctl/lab/precious .lvsctl/lab/dr", "lvsctl did not make it", false},
		"a marker that is a link":                   {"mkdir -p .lvsctl/lab/dr; chmod 700 .lvsctl/lab/dr; ln -s $home/precious .lvsctl/lab/dr/made-by-lvsctl", "made-by-lvsctl: it is a link", false},
		"a marker that a checkout made": {"mkdir -p .lvsctl/lab/dr; chmod 700 .lvsctl/lab/dr; cp $home/precious .lvsctl/lab/dr; umask 022; echo 0123456789abcdef0123456789abcdef >.lvsctl/lab/dr/made-by-lvsctl",
			"its mode is 0644", false},
		"a folder that a checkout made": {"umask 022; mkdir -p .lvsctl/lab/dr; cp $home/precious .lvsctl/lab/dr; umask 077; echo 0123456789abcdef0123456789abcdef >.lvsctl/lab/dr/made-by-lvsctl",
			"its mode is 0755", false},
		"a marker of other words":     {"umask 077; mkdir -p .lvsctl/lab/dr; cp $home/precious .lvsctl/lab/dr/made-by-lvsctl", "is not lvsctl's", false},
		"another user's folder":       {"umask 077; mkdir -p .lvsctl/lab/dr; echo 0123456789abcdef0123456789abcdef >.lvsctl/lab/dr/made-by-lvsctl; chown -R 65534 .lvsctl/lab/dr", "it belongs to user 65534", true},
		"another user's labs":         {"mkdir -p .lvsctl/lab; chown 65534 .lvsctl/lab", "cannot use .lvsctl/lab: it belongs to user 65534", true},
		"another user's empty folder": {"mkdir -p .lvsctl/lab/dr; chown 65534 .lvsctl/lab/dr", "it belongs to user 65534", true},
	} {
		t.Run(what, func(t *testing.T) {
			if c.root {
				needRoot(t)
			}
			top := t.TempDir()
			here, home := filepath.Join(top, "repository"), filepath.Join(top, "home")
			shell(t, top, "home='"+home+"'; mkdir $home repository; echo precious >$home/precious; cd repository\n"+c.plant)
			t.Chdir(here)
			before := everything(t, top)
			// An Up that fails clears the folder before and after.
			_, _, upErr := lockFolder(name)
			for do, err := range map[string]error{"up": upErr, "down": Down("dr")} {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: want %q, have %v", do, c.want, err)
				}
			}
			if _, err := Open("dr"); err == nil {
				t.Error("it is taken for a lab")
			}
			if after := everything(t, top); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// shell runs a script of this machine's sh in a folder.
func shell(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-euc", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// everything lists a folder with the types, modes, owners and contents in it.
func everything(t *testing.T, dir string) string {
	t.Helper()
	return shell(t, dir, "find . -printf '%y %m %U %p %l\\n' | sort; find . -type f | sort | xargs -r cat")
}

// TestOwnFolder checks the folders that lvsctl makes: no other user can read them,
// whatever the umask.
func TestOwnFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	defer syscall.Umask(syscall.Umask(0))
	f, unlock, err := lockFolder(Dir("dr"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := lockFolder(Dir("dr")); err == nil || !strings.Contains(err.Error(), "another lvsctl is at it") {
		t.Errorf("a second lockFolder: %v", err)
	}
	if _, err := authorise([]folder{f}); err != nil {
		t.Fatal(err)
	}
	if err := writeSSH(f, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := (&Lab{Name: "dr"}).write(f); err != nil {
		t.Fatal(err)
	}
	if err := newConsole(f.Root, "."); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("find", ".", "-mindepth", "1", "-perm", "/077").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("open to others: %s%v", out, err)
	}
	if l, err := Open("dr"); err != nil || l.dir != f.path {
		t.Errorf("opened: %+v, %v", l, err)
	}
	unlock()
	// An old lab's folder is emptied. Links in it are removed, not what they lead to.
	if err := os.WriteFile("precious", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"hosts", consoleFile, imageFile} {
		_ = os.Remove(filepath.Join(Dir("dr"), link))
		if err := os.Symlink("../../../", filepath.Join(Dir("dr"), link)); err != nil {
			t.Fatal(err)
		}
	}
	f, unlock, err = lockFolder(Dir("dr"))
	if err != nil {
		t.Fatal(err)
	}
	if names, err := entries(f.Root); err != nil || len(names) != 1 {
		t.Errorf("a stale lab was not cleared: %v, %v", names, err)
	}
	unlock()
	if err := Down("dr"); err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir("."); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

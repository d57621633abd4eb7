package lab

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Only its user can use what lvsctl makes, and lvsctl removes only what it made.
//
// The working directory may be a repository that somebody else wrote. It may hold a
// symbolic link in place of the lab's folder, or a lab's folder with files of that
// author. And other users of this machine may try to write to a file while lvsctl
// makes it.
//
// So lvsctl opens a folder component by component, and refuses a component that is a
// link or belongs to another user. From then on it uses the open descriptor: if the
// path is replaced, nothing outside is written, read or removed. A marker file in the
// folder says that lvsctl made it. Folders have mode 0700 and files 0600, which no
// checkout of a repository has.

// markerFile shows that lvsctl made the folder. It holds the lab's id, which is part
// of the names of the lab's QEMU processes.
const markerFile = "made-by-lvsctl"

// A folder is an open folder that lvsctl made.
type folder struct {
	*os.Root
	path string // absolute, for people and for ssh's files
	id   string // 32 hexadecimal digits
}

// A chain holds the open folders on the path to a folder called name. The first one is
// where the path begins, the last one is name's parent.
type chain struct {
	roots []*os.Root
	name  string
}

// walk opens the folders on the path dir, from the working directory; the path of an
// absolute dir begins at its parent. It calls missing to make a folder that is not
// there. If missing is nil, the error wraps [fs.ErrNotExist].
func walk(dir string, missing func(parent *os.Root, name string) error) (*chain, error) {
	clean := filepath.Clean(dir)
	begin, names := ".", strings.Split(clean, string(filepath.Separator))
	if filepath.IsAbs(clean) {
		begin, names = filepath.Dir(clean), []string{filepath.Base(clean)}
	}
	first, err := os.OpenRoot(begin)
	if err != nil {
		return nil, fmt.Errorf("cannot open the folder of %s: %w", dir, err)
	}
	c := &chain{roots: []*os.Root{first}, name: names[len(names)-1]}
	for _, name := range names[:len(names)-1] {
		if missing != nil {
			if err := missing(c.parent(), name); err != nil {
				c.close()
				return nil, err
			}
		}
		next, err := enter(c.parent(), name)
		if err != nil {
			c.close()
			return nil, err
		}
		c.roots = append(c.roots, next)
	}
	return c, nil
}

func (c *chain) parent() *os.Root { return c.roots[len(c.roots)-1] }

func (c *chain) close() {
	for _, r := range c.roots {
		r.Close()
	}
}

// makeOwn makes a folder unless there is a file of that name.
func makeOwn(parent *os.Root, name string) error {
	if err := parent.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot make a folder: %w", err)
	}
	return nil
}

// enter opens a folder that belongs to this user. It refuses every link.
func enter(parent *os.Root, name string) (*os.Root, error) {
	path := filepath.Join(parent.Name(), name)
	before, err := parent.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	if err := checkOwn(path, before, fs.ModeDir); err != nil {
		return nil, err
	}
	root, err := parent.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	// Another file may have taken the folder's place since Lstat.
	if after, err := root.Stat("."); err != nil || !os.SameFile(before, after) {
		root.Close()
		return nil, fmt.Errorf("cannot open %s: it was replaced meanwhile", path)
	}
	return root, nil
}

// checkOwn refuses a file that is not of the type want, above all a link, and one
// that belongs to another user.
func checkOwn(path string, info fs.FileInfo, want fs.FileMode) error {
	if info.Mode().Type() != want {
		what := map[fs.FileMode]string{fs.ModeDir: "folder", 0: "file"}
		have := "something else"
		if info.Mode()&fs.ModeSymlink != 0 {
			have = "a link"
		} else if w, ok := what[info.Mode().Type()]; ok {
			have = "a " + w
		}
		return fmt.Errorf("cannot use %s: it is %s, and lvsctl makes a %s there\nLook at what it is, and move it away", path, have, what[want])
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != os.Geteuid() {
		return fmt.Errorf("cannot use %s: it belongs to user %d, and lvsctl runs as user %d\nRun lvsctl as the user who made it, or in another folder", path, owner, os.Geteuid())
	}
	return nil
}

// openOwn opens a file for reading, and refuses one that other users can read or write.
func openOwn(parent *os.Root, name string) (*os.File, error) {
	path := filepath.Join(parent.Name(), name)
	before, err := parent.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	if err := checkOwn(path, before, 0); err != nil {
		return nil, err
	}
	if mode := before.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("cannot use %s: its mode is %#o, and what lvsctl makes has 0600\nLook at who made it, and move it away", path, mode)
	}
	f, err := parent.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", path, err)
	}
	if after, err := f.Stat(); err != nil || !os.SameFile(before, after) {
		f.Close()
		return nil, fmt.Errorf("cannot open %s: it was replaced meanwhile", path)
	}
	return f, nil
}

// openFolder opens a folder that lvsctl made. The error wraps [fs.ErrNotExist] if
// there is no folder, or one without the marker.
func openFolder(dir string) (folder, error) {
	c, err := walk(dir, nil)
	if err != nil {
		return folder{}, err
	}
	defer c.close()
	root, err := enter(c.parent(), c.name)
	if err != nil {
		return folder{}, err
	}
	f, err := readMarker(root)
	if err != nil {
		root.Close()
		return folder{}, err
	}
	return f, nil
}

// readMarker reads the marker of an open folder.
func readMarker(root *os.Root) (folder, error) {
	path, err := filepath.Abs(root.Name())
	if err != nil {
		return folder{}, fmt.Errorf("cannot find %s: %w", root.Name(), err)
	}
	info, err := root.Stat(".")
	if err != nil {
		return folder{}, fmt.Errorf("cannot look at %s: %w", root.Name(), err)
	}
	file, err := openOwn(root, markerFile)
	if err != nil {
		return folder{}, err
	}
	defer file.Close()
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return folder{}, fmt.Errorf("cannot use %s: its mode is %#o, and a folder that lvsctl makes has 0700\nLook at who made it, and move it away", root.Name(), mode)
	}
	text := make([]byte, 33)
	n, err := file.Read(text)
	id := strings.TrimSuffix(string(text[:n]), "\n")
	if raw, bad := hex.DecodeString(id); err != nil || bad != nil || len(raw) != 16 {
		return folder{}, fmt.Errorf("cannot use %s: its file %s is not lvsctl's\nLook at what is in the folder, and move it away", root.Name(), markerFile)
	}
	return folder{Root: root, path: path, id: id}, nil
}

// putMarker puts the marker into an empty folder. It refuses a folder that has other
// files but no marker.
func putMarker(root *os.Root) error {
	names, err := entries(root)
	switch {
	case err != nil:
		return err
	case slices.Contains(names, markerFile):
		return nil
	case len(names) > 0:
		return notMade(root)
	}
	if err := root.Chmod(".", 0o700); err != nil {
		return fmt.Errorf("cannot make a folder: %w", err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails, says crypto/rand
	return writeNew(root, markerFile, []byte(hex.EncodeToString(id)+"\n"))
}

func notMade(root *os.Root) error {
	return fmt.Errorf("cannot use %s: there are files in it, and lvsctl did not make it\nLook at what they are, and move the folder away", root.Name())
}

// entries are the names in a folder.
func entries(root *os.Root) ([]string, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("cannot list %s: %w", root.Name(), err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("cannot list %s: %w", root.Name(), err)
	}
	return names, nil
}

// clear removes everything in the folder but the marker. It follows no link.
func (f folder) clear() error {
	names, err := entries(f.Root)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == markerFile {
			continue
		}
		if err := f.RemoveAll(name); err != nil {
			return fmt.Errorf("cannot clear %s: %w", f.path, err)
		}
	}
	return nil
}

// removeFolder removes the folder at the end of c. The folder must be empty or have
// the marker; if it has, before is called first.
func (c *chain) removeFolder(before func(folder) error) error {
	root, err := enter(c.parent(), c.name)
	if err != nil {
		return err
	}
	defer root.Close()
	names, err := entries(root)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		if !slices.Contains(names, markerFile) {
			return notMade(root)
		}
		f, err := readMarker(root)
		if err != nil {
			return err
		}
		if err := before(f); err != nil {
			return err
		}
		if err := errors.Join(f.clear(), f.Remove(markerFile)); err != nil {
			return err
		}
	}
	// The folder is empty. If somebody has just put a file there, Remove fails.
	if err := c.parent().Remove(c.name); err != nil {
		return fmt.Errorf("cannot remove %s: %w", root.Name(), err)
	}
	return nil
}

// writeNew writes a new file with mode 0600. It is an error if the file exists.
func writeNew(root *os.Root, name string, data []byte) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", filepath.Join(root.Name(), name), err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cannot write %s: %w", filepath.Join(root.Name(), name), err)
	}
	return nil
}

// inside returns a path of the folder that can be the working directory of a new
// process. It means the open folder even if another one has taken its name. The
// caller calls done when the process has started.
func (f folder) inside() (dir string, done func(), err error) {
	d, err := f.Open(".")
	if err != nil {
		return "", nil, fmt.Errorf("cannot open %s: %w", f.path, err)
	}
	// A forked child has this process's descriptors until it calls execve.
	return fmt.Sprintf("/proc/self/fd/%d", d.Fd()), func() { d.Close() }, nil
}

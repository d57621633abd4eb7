package sshconfig

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// mostBytes bounds one file of an ssh config.
const mostBytes = 4 << 20

// mostDepth is how deep Include may go, as in OpenSSH.
const mostDepth = 16

// ReadFile reads a file that an ssh config or a topology names. Only a regular
// file of at most most bytes is read: a device may never end, and a FIFO blocks
// whoever opens it. /dev/null is an empty file, as people use it.
func ReadFile(name string, most int64) ([]byte, error) {
	text, _, err := readFile(name, most)
	return text, err
}

func readFile(name string, most int64) ([]byte, fs.FileInfo, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if null, err := os.Stat(os.DevNull); err == nil && os.SameFile(info, null) {
		return nil, info, nil
	}
	if !info.Mode().IsRegular() {
		return nil, nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(text)) > most {
		return nil, nil, &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("larger than %d KiB", most>>10)}
	}
	return text, info, nil
}

// file is one file, split into lines.
type file struct {
	lines []line
	err   error // it cannot be read, or makes no sense
}

// read reads a file once. Its error is fs.ErrNotExist if there is none.
func (c *Config) read(path string, k kind, depth int) (*file, error) {
	if depth > mostDepth {
		return nil, fmt.Errorf("%s: Include goes too deep; it may include itself", path)
	}
	// Whose the file has to be depends on how it is reached.
	checked := k == own || depth > 0
	key := fmt.Sprint(checked, path)
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.files[key]
	if f == nil {
		f = &file{}
		f.lines, f.err = readLines(path, checked)
		c.files[key] = f
	}
	return f, f.err
}

func readLines(path string, checked bool) ([]line, error) {
	text, info, err := readFile(path, mostBytes)
	if err != nil {
		return nil, err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); checked && ok {
		if st.Uid != 0 && int(st.Uid) != os.Getuid() {
			return nil, fmt.Errorf("%s belongs to somebody else (uid %d)", path, st.Uid)
		}
		if info.Mode()&0o022 != 0 {
			return nil, fmt.Errorf("%s can be written by others: chmod go-w %s", path, path)
		}
	}
	return parse(path, string(text))
}

// check reads a file and all it includes, so that what makes no sense is found
// before anything is dialled. An Include that depends on the host waits.
func (c *Config) check(s source, depth int) error {
	f, err := c.read(s.path, s.kind, depth)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !s.must:
		return nil
	case err != nil:
		return err
	}
	for _, l := range f.lines {
		if l.keyword != "include" || strings.ContainsAny(strings.Join(l.values, ""), "%$") {
			continue
		}
		for _, name := range l.values {
			found, err := c.included(l, name, s.kind)
			if err != nil {
				return err
			}
			for _, path := range found {
				if err := c.check(source{path: path, kind: s.kind}, depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// included is the files that a name in an Include line stands for.
func (c *Config) included(l line, name string, k kind) ([]string, error) {
	switch {
	case strings.HasPrefix(name, "~") && k == system:
		return nil, l.errorf("Include %s: the system's ssh config has no home folder", name)
	case strings.HasPrefix(name, "~"):
		var err error
		if name, err = c.tilde(name); err != nil {
			return nil, l.errorf("Include %s: %w", name, err)
		}
	case filepath.IsAbs(name):
	case k == system:
		name = filepath.Join(systemFolder, name)
	default:
		name = filepath.Join(c.Home, ".ssh", name)
	}
	found, err := filepath.Glob(name)
	if err != nil {
		return nil, l.errorf("Include %s: %w", name, err)
	}
	return found, nil
}

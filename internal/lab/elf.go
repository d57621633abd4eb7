package lab

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// An elfFile is what an executable or a library needs from the dynamic loader.
type elfFile struct {
	interp string   // the loader; "" for a static executable and for libraries
	needed []string // DT_NEEDED
	search []string // DT_RUNPATH or DT_RPATH, $ORIGIN resolved
}

// readELF reads path. ok is false for a file that is not ELF, for example a script.
func readELF(path string) (e elfFile, ok bool, err error) {
	f, err := elf.Open(path)
	var format *elf.FormatError
	switch {
	case errors.As(err, &format), errors.Is(err, io.EOF): // too short for a header
		return elfFile{}, false, nil
	case err != nil:
		return elfFile{}, false, fmt.Errorf("cannot read %s: %w", path, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name := make([]byte, p.Filesz)
		if _, err := p.ReadAt(name, 0); err != nil {
			return elfFile{}, false, fmt.Errorf("cannot read %s: %w", path, err)
		}
		e.interp = strings.TrimRight(string(name), "\x00")
	}
	// A static executable has no dynamic section and gives no error for it.
	if e.needed, err = f.DynString(elf.DT_NEEDED); err != nil {
		return elfFile{}, false, fmt.Errorf("cannot read %s: %w", path, err)
	}
	// $ORIGIN is the loader's name for the folder of the file itself.
	origin := strings.NewReplacer("${ORIGIN}", filepath.Dir(path), "$ORIGIN", filepath.Dir(path))
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		paths, err := f.DynString(tag)
		if err != nil {
			return elfFile{}, false, fmt.Errorf("cannot read %s: %w", path, err)
		}
		for _, list := range paths {
			for _, dir := range strings.Split(list, ":") {
				e.search = append(e.search, origin.Replace(dir))
			}
		}
	}
	return e, true, nil
}

// loaderDirs are the folders that ld.so searches: its own, and those of ld.so.conf.
func loaderDirs() []string {
	dirs := []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"}
	confs, _ := filepath.Glob("/etc/ld.so.conf.d/*.conf") // the pattern is well formed
	for _, conf := range confs {
		text, err := os.ReadFile(conf)
		if err != nil {
			continue // a folder less to search; a library missed is an error of its own
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "/") {
				dirs = append(dirs, line)
			}
		}
	}
	return dirs
}

// closure returns every file that is loaded along with the given ones, the loader
// included, by the path that the loader uses. The given files are not in it.
func closure(dirs []string, paths ...string) ([]string, error) {
	seen := map[string]bool{}
	var out []string
	for queue := paths; len(queue) > 0; queue = queue[1:] {
		e, ok, err := readELF(queue[0])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		var found []string
		if e.interp != "" {
			found = append(found, e.interp)
		}
		for _, lib := range e.needed {
			path, err := findLibrary(lib, append(e.search[:len(e.search):len(e.search)], dirs...))
			if err != nil {
				return nil, fmt.Errorf("cannot pack %s: %w", queue[0], err)
			}
			found = append(found, path)
		}
		for _, path := range found {
			if !seen[path] {
				seen[path] = true
				out = append(out, path)
				queue = append(queue, path)
			}
		}
	}
	return out, nil
}

func findLibrary(name string, dirs []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("library %s: %w", name, fs.ErrNotExist)
}

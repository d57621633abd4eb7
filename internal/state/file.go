package state

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// File is a whole file of lvsctl's own. Its key is its path.
type File struct {
	// Text is the content. It ends in a newline.
	Text string `json:"text"`
	// Mode is the permissions as four octal digits: 0644.
	Mode string `json:"mode"`
	// Owner is UID:GID of a live file that does not belong to root, or "" for 0:0. A
	// wanted file always belongs to root.
	Owner string `json:"owner,omitempty"`
}

var files = &table[string, File]{
	kind:    KindFile,
	of:      func(s *State) *map[string]File { return &s.Files },
	compare: cmp.Compare[string],
	key:     func(path string) Key { return Path(path) },
	value:   File.String,
	text:    func(_ *State, f File) string { return f.Text },
	make: func(_ *State, path string, f File) []shell.Command {
		return reload(path, writeFile(path, f))
	},
	edit: func(_ *State, path string, _, f File) []shell.Command {
		return reload(path, writeFile(path, f))
	},
	unmake: func(_ *State, path string, _ File) []shell.Command {
		return reload(path, writeFile(path, File{}))
	},
}

func (f File) String() string {
	text := countLines(f.Text)
	if f.Mode != "0644" || f.Owner != "" {
		text += " mode " + f.Mode
	}
	if f.Owner != "" {
		text += " owner " + f.Owner
	}
	return text
}

func writeFile(path string, f File) shell.Command {
	args := []string{path, cmp.Or(f.Mode, "0644")}
	if f.Text != "" {
		args = append(args, strings.Split(strings.TrimSuffix(f.Text, "\n"), "\n")...)
	}
	return shell.Call(shell.File, args...)
}

// fileSection prints each file that matches the patterns of the shell: a line of ls -ldn,
// then the file's lines, each after a blank.
func fileSection(paths []string) Section {
	return Section{"own files", shell.Call(shell.ReadFiles, paths...), parseFiles}
}

// parseFiles reads what fileSection printed:
//
//	-rw-------. 1 0 0 42 Nov 21 09:00 /etc/netplan/90-lvsctl-web.yaml
//	 network:
//	   version: 2
func parseFiles(text string, s *State) error {
	path := ""
	var inside strings.Builder // the content of the file at path
	end := func() {
		if f, there := s.Files[path]; there {
			f.Text = inside.String()
			s.Files[path] = f
		}
		inside.Reset()
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if text, ok := strings.CutPrefix(line, " "); ok {
			inside.WriteString(text + "\n")
			continue
		}
		end()
		f, ok := Listed(line)
		if !ok {
			return fmt.Errorf("cannot read file line %q", line)
		}
		words := strings.Fields(line)
		path = words[len(words)-1]
		s.Files[path] = f
	}
	end()
	return nil
}

// Listed is what a line of ls -ldn says of a file, without its text.
func Listed(line string) (File, bool) {
	words := strings.Fields(line)
	if len(words) < 6 || len(words[0]) < 10 {
		return File{}, false
	}
	f := File{Mode: octal(words[0])}
	if owner := words[2] + ":" + words[3]; owner != "0:0" {
		f.Owner = owner
	}
	return f, true
}

// octal returns the octal digits of permissions as ls prints them, -rwxr-xr-x.
func octal(perms string) string {
	mode := 0
	for i := 1; i < 10; i++ {
		mode <<= 1
		if c := perms[i]; c != '-' && c != 'S' && c != 'T' {
			mode |= 1
		}
	}
	special := 0
	for i, at := range []int{3, 6, 9} {
		if strings.ContainsRune("sStT", rune(perms[at])) {
			special |= 4 >> i
		}
	}
	return fmt.Sprintf("%d%03o", special, mode)
}

package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// sshConfig is what the ssh config files say, the user's before the system's.
type sshConfig struct {
	// Included rather than decoded: only so the library resolves relative
	// includes of /etc/ssh there.
	files []*ssh_config.Include
}

// readConfig reads the one file that a person named: it has to be there.
func readConfig(file string) (*sshConfig, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("cannot read the ssh config: %w", err)
	}
	return readConfigs(file)
}

// readConfigs reads those of the files that exist.
func readConfigs(files ...string) (*sshConfig, error) {
	c := &sshConfig{}
	for _, file := range files {
		if err := checkConfig(file, 0); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("cannot read the ssh config: %w", err)
		}
		full, err := filepath.Abs(file)
		if err != nil {
			return nil, fmt.Errorf("cannot read the ssh config: %w", err)
		}
		inc, err := ssh_config.NewInclude([]string{literal(full)}, false, ssh_config.Position{Line: 1, Col: 1}, "", true, 0)
		if err != nil {
			return nil, fmt.Errorf("cannot read the ssh config: %s: %w", file, err)
		}
		c.files = append(c.files, inc)
	}
	return c, nil
}

// literal keeps a file name from being taken for a glob pattern.
func literal(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// get is the first value of a keyword for a host, "" if there is none.
func (c *sshConfig) get(alias, key string) string {
	for _, f := range c.files {
		if v := f.Get(alias, key); v != "" {
			return v
		}
	}
	return ""
}

// all is every value of a keyword that may be given several times.
func (c *sshConfig) all(alias, key string) []string {
	var all []string
	for _, f := range c.files {
		v, _ := f.GetAll(alias, key) // never fails
		all = append(all, v...)
	}
	return all
}

// checkConfig refuses what ssh_config would misread silently, and says of the
// rest in which file and line an error is, through includes.
func checkConfig(file string, depth int) error {
	if depth > 5 { // the library's own limit
		return fmt.Errorf("%s: Include goes too deep; it may include itself", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		end := strings.IndexAny(line, " \t=")
		if end < 0 || line[0] == '#' {
			continue
		}
		value, _, _ := strings.Cut(strings.TrimLeft(line[end:], " \t="), "#")
		switch strings.ToLower(line[:end]) {
		case "host":
			if strings.ContainsAny(strings.TrimSpace(value), "\t\"") {
				return fmt.Errorf("%s:%d: quotes and tabs between the patterns of a Host line are not understood", file, n)
			}
		case "match":
			if err := checkMatch(strings.Fields(value)); err != nil {
				return fmt.Errorf("%s:%d: %w", file, n, err)
			}
		case "include":
			if err := checkInclude(file, strings.Fields(value), depth); err != nil {
				return err
			}
		}
	}
	if _, err := ssh_config.DecodeBytes(stripIncludes(text)); err != nil {
		return parseError(file, err)
	}
	return nil
}

// checkMatch knows the criteria that the library takes: it reads a second one
// as one more host pattern.
func checkMatch(fields []string) error {
	const hint = "lvsctl understands Match all and Match host PATTERN; name another file with --ssh-config"
	switch {
	case len(fields) == 1 && strings.EqualFold(fields[0], "all"):
		return nil
	case len(fields) < 2 || !strings.EqualFold(fields[0], "host"):
		return fmt.Errorf("Match %s is not understood (%s)", strings.Join(fields, " "), hint)
	case len(fields) > 2 || strings.ContainsAny(fields[1], `,"`):
		return fmt.Errorf("Match %s: more than one pattern or criterion is not understood (%s)", strings.Join(fields, " "), hint)
	}
	return nil
}

func checkInclude(file string, patterns []string, depth int) error {
	for _, p := range patterns {
		switch {
		case filepath.IsAbs(p):
		case strings.HasPrefix(filepath.Clean(file), "/etc/ssh/"):
			p = filepath.Join("/etc/ssh", p)
		case strings.HasPrefix(p, "~/"):
			p = filepath.Join(includeHome(), p[2:])
		default:
			p = filepath.Join(includeHome(), ".ssh", p)
		}
		names, err := filepath.Glob(p)
		if err != nil {
			return fmt.Errorf("%s: Include %s: %w", file, p, err)
		}
		for _, name := range names {
			if err := checkConfig(name, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// includeHome is where the library looks for relative includes.
func includeHome() string {
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return os.Getenv("HOME")
}

// stripIncludes blanks Include lines: their files were checked by themselves.
func stripIncludes(text []byte) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i, line := range lines {
		word := bytes.TrimLeft(line, " \t")
		if len(word) >= 7 && bytes.EqualFold(word[:7], []byte("include")) {
			lines[i] = []byte("\n")
		}
	}
	return bytes.Join(lines, nil)
}

// parseError turns the library's "(3, 1): ssh_config: text" into FILE:3: text.
func parseError(file string, err error) error {
	text := err.Error()
	if pos, rest, ok := strings.Cut(text, "): "); ok && strings.HasPrefix(pos, "(") {
		line, _, _ := strings.Cut(pos[1:], ",")
		if n, err := strconv.Atoi(line); err == nil {
			return fmt.Errorf("%s:%d: %s", file, n, strings.TrimPrefix(strings.TrimSpace(rest), "ssh_config: "))
		}
	}
	return fmt.Errorf("%s: %w", file, err)
}

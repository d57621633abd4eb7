package remote

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"
)

// sshConfig is what the ssh config files say, the user's before the system's.
//
// The library reads the lines and matches the patterns. Blocks and includes are
// ours: it takes a second criterion of a Match for one more host pattern, it
// cannot read the Match final of every Fedora and EL, and it does not say in
// which included file an error is.
type sshConfig struct {
	files []*configFile
	me    string // for Match localuser
}

// configFile is one file, parsed: blocks[i] says when the i-th of the library's
// blocks counts.
type configFile struct {
	hosts    []*ssh_config.Host
	blocks   []block
	includes [][]*configFile // what the i-th Include line includes
}

// block is a Host or Match line.
type block struct {
	tests []test
	final bool // Match final: counts after everything else
}

// test is one criterion; all of a block's must hold.
type test struct {
	subject  string // originalhost, host or localuser
	patterns *ssh_config.Host
}

// includeKey stands for Include in the text that the library gets: it would
// follow the original.
const includeKey = "LvsctlInclude"

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
	if u, err := user.Current(); err == nil {
		c.me = u.Username
	}
	for _, file := range files {
		if _, err := os.Stat(file); os.IsNotExist(err) {
			continue
		}
		f, err := parseConfig(file, 0)
		if err != nil {
			return nil, fmt.Errorf("cannot read the ssh config: %w", err)
		}
		c.files = append(c.files, f)
	}
	return c, nil
}

func parseConfig(file string, depth int) (*configFile, error) {
	if depth > 16 { // as in OpenSSH
		return nil, fmt.Errorf("%s: Include goes too deep; it may include itself", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f := &configFile{blocks: []block{{}}} // what stands before any Host line
	var plain strings.Builder             // the same lines, without what is ours
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		word, value := keyword(line)
		if word != "" && value == "" {
			return nil, fmt.Errorf("%s:%d: %s has no value", file, n, word)
		}
		switch word {
		case "host", "match":
			b, err := parseBlock(word, fields(value))
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, n, err)
			}
			f.blocks = append(f.blocks, b)
			line = "Host *"
		case "include":
			files, err := parseIncludes(file, fields(value), depth)
			if err != nil {
				return nil, err
			}
			line = includeKey + " " + strconv.Itoa(len(f.includes))
			f.includes = append(f.includes, files)
		}
		plain.WriteString(line + "\n")
	}
	parsed, err := ssh_config.DecodeBytes([]byte(plain.String()))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	f.hosts = parsed.Hosts
	return f, nil
}

// keyword splits a line into its keyword, in lower case, and the rest without
// its comment; both are "" for a line that says nothing.
func keyword(line string) (word, value string) {
	if line == "" || line[0] == '#' {
		return "", ""
	}
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return strings.ToLower(line), ""
	}
	value, _, _ = strings.Cut(strings.TrimLeft(line[end:], " \t="), "#")
	return strings.ToLower(line[:end]), strings.TrimSpace(value)
}

// parseBlock reads what follows Host or Match.
func parseBlock(word string, args []string) (block, error) {
	if word == "host" {
		h, err := patterns(args)
		return block{tests: []test{{"originalhost", h}}}, err
	}
	var b block
	for rest := args; len(rest) > 0; {
		name := strings.ToLower(rest[0])
		rest = rest[1:]
		switch {
		case name == "all":
		case name == "final":
			b.final = true
		case slices.Contains([]string{"host", "originalhost", "localuser"}, name) && len(rest) > 0:
			h, err := patterns(strings.Split(rest[0], ","))
			if err != nil {
				return b, err
			}
			b.tests = append(b.tests, test{name, h})
			rest = rest[1:]
		default:
			return b, fmt.Errorf("Match %s is not understood: lvsctl knows all, final, host, originalhost and localuser; name another file with --ssh-config", strings.Join(args, " "))
		}
	}
	return b, nil
}

func patterns(words []string) (*ssh_config.Host, error) {
	h := &ssh_config.Host{}
	for _, w := range words {
		p, err := ssh_config.NewPattern(w)
		if err != nil {
			return nil, fmt.Errorf("%q is no pattern", w)
		}
		h.Patterns = append(h.Patterns, p)
	}
	return h, nil
}

func parseIncludes(file string, names []string, depth int) ([]*configFile, error) {
	var all []*configFile
	for _, name := range names {
		switch {
		case filepath.IsAbs(name):
		case strings.HasPrefix(filepath.Clean(file), "/etc/ssh/"):
			name = filepath.Join("/etc/ssh", name)
		case strings.HasPrefix(name, "~/"):
			name = filepath.Join(homeDir(), name[2:])
		default:
			name = filepath.Join(homeDir(), ".ssh", name)
		}
		found, err := filepath.Glob(name)
		if err != nil {
			return nil, fmt.Errorf("%s: Include %s: %w", file, name, err)
		}
		for _, inc := range found {
			f, err := parseConfig(inc, depth+1)
			if err != nil {
				return nil, err
			}
			all = append(all, f)
		}
	}
	return all, nil
}

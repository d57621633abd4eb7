package remote

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// expand replaces ~ and the tokens of ssh_config(5) in a file name.
func (d *Dialer) expand(name string, e *endpoint) (string, error) {
	if name == "~" || strings.HasPrefix(name, "~/") {
		name = d.home + name[1:]
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b.WriteByte(name[i])
			continue
		}
		i++
		if i == len(name) {
			return "", fmt.Errorf("%s ends in %%", name)
		}
		switch name[i] {
		case '%':
			b.WriteByte('%')
		case 'd':
			b.WriteString(d.home)
		case 'h':
			b.WriteString(e.host)
		case 'n':
			b.WriteString(e.alias)
		case 'p':
			b.WriteString(strconv.Itoa(e.port))
		case 'r':
			b.WriteString(e.user)
		case 'u':
			b.WriteString(d.me)
		default:
			return "", fmt.Errorf("%s: %%%c is not understood", name, name[i])
		}
	}
	return filepath.Clean(b.String()), nil
}

// word keeps a file name one word for ssh.
func word(name string) string {
	if strings.ContainsAny(name, " \t") {
		return `"` + name + `"`
	}
	return name
}

// fields splits a list of file names, which may be quoted.
func fields(s string) []string {
	var all []string
	var word strings.Builder
	quoted, open := false, false
	flush := func() {
		if open {
			all = append(all, word.String())
		}
		word.Reset()
		open = false
	}
	for _, r := range s {
		switch {
		case r == '"':
			quoted, open = !quoted, true
		case (r == ' ' || r == '\t') && !quoted:
			flush()
		default:
			open = true
			word.WriteRune(r)
		}
	}
	flush()
	return all
}

func homeDir() string {
	if h, err := os.UserHomeDir(); err == nil {
		return h
	}
	return "/"
}

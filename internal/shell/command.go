// Package shell is what runs on nodes: commands as data and the one place that
// quotes values, so that what a plan prints is what runs.
package shell

import "strings"

// Command is one command as data: an argument vector, never a line of shell.
type Command struct {
	Args []string `json:"args"`
	// To is a file that receives the command's standard output, as sysctls are
	// written; "" for none.
	To string `json:"to,omitempty"`
}

// Cmd makes a Command.
func Cmd(args ...string) Command { return Command{Args: args} }

// String is the command as a line of POSIX sh: what a plan prints, and what
// runs.
func (c Command) String() string {
	var b strings.Builder
	for i, a := range c.Args {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(Quote(a))
	}
	if c.To != "" {
		b.WriteString(" > ")
		b.WriteString(Quote(c.To))
	}
	return b.String()
}

// Quote makes one shell word of s, whatever it holds: bare where every byte is
// harmless, in single quotes otherwise. It is the only place where a value
// becomes shell text.
func Quote(s string) string {
	if s != "" && strings.IndexFunc(s, unsafe) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func unsafe(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("_@%+:,./-", r)
}

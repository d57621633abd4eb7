// Package shell is what runs on nodes: commands as data, the one place that
// quotes values, and every piece of POSIX sh, so that what a plan prints is what
// runs.
//
// The sh stands in files of its own here, as functions. To add one: write it to a
// file, give it a line in the table of functions.go, and call it by [Call]. A
// [Script] brings along what its commands call.
package shell

import "strings"

// Command is one command as data: an argument vector, never a line of shell.
type Command struct {
	Args []string `json:"args"`
	// To is a file that receives the command's standard output, as sysctls are
	// written; "" for none.
	To string `json:"to,omitempty"`
	// Calls is the function that the command calls; "" for a program.
	Calls Function `json:"calls,omitempty"`
}

// Cmd makes a Command that runs a program.
func Cmd(args ...string) Command { return Command{Args: args} }

// Call makes a Command that calls a function.
func Call(f Function, args ...string) Command {
	return Command{Args: append([]string{string(f)}, args...), Calls: f}
}

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

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// Exit codes, documented in the README.
const (
	exitFailed      = 1
	exitChanges     = 2
	exitUnreadable  = 3
	exitRolledBack  = 4
	exitStale       = 5
	exitLocked      = 6
	exitInterrupted = 130
)

// exitError ends the program with a code; a nil err has been printed already,
// or is no error at all.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// app is what every command shares: the terminal and the global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	sshConfig   string
	vars        []string
	varFiles    []string
	parallelism int
	timeout     time.Duration
	colour      string
	verbose     bool
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	return &app{stdin: stdin, stdout: stdout, stderr: stderr}
}

func (a *app) globalFlags(f *pflag.FlagSet) {
	f.StringVar(&a.sshConfig, "ssh-config", "", "ssh `FILE` to use instead of ~/.ssh/config")
	f.StringArrayVar(&a.vars, "var", nil, "set a variable, `NAME=VALUE`; may be repeated")
	f.StringArrayVar(&a.varFiles, "var-file", nil, "read variables from an HCL `FILE`; may be repeated")
	f.IntVar(&a.parallelism, "parallelism", 32, "how many nodes to work on at once")
	f.DurationVar(&a.timeout, "timeout", 60*time.Second, "how long a node may stay silent")
	f.StringVar(&a.colour, "color", "auto", "auto, always or never; NO_COLOR is honoured")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say how long each node took, and show what changes in each file")
}

// terminal reports whether w is one, and its width.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 80, false
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width, true
	}
	return 80, true
}

// isTerminal reports whether r is a terminal, on which a question can be
// answered.
func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// paint returns a printer for w: coloured on a terminal or with --color=always,
// plain elsewhere.
func (a *app) paint(w io.Writer, attrs ...color.Attribute) func(string, ...any) string {
	c := color.New(attrs...)
	if a.coloured(w) {
		c.EnableColor()
	} else {
		c.DisableColor()
	}
	return c.Sprintf
}

func (a *app) coloured(w io.Writer) bool {
	switch a.colour {
	case "always":
		return true
	case "never":
		return false
	}
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	_, ok := terminal(w)
	return ok
}

// fail prints an error, and what follows its first line as a hint.
func (a *app) fail(err error) {
	head, hint, _ := strings.Cut(err.Error(), "\n")
	fmt.Fprintf(a.stderr, "%s %s\n", a.paint(a.stderr, color.FgRed, color.Bold)("Error:"), head)
	if hint != "" {
		fmt.Fprintln(a.stderr, hint)
	}
}

// warn prints a warning line.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintf(a.stderr, "%s %s\n", a.paint(a.stderr, color.FgYellow, color.Bold)("Warning:"), fmt.Sprintf(format, args...))
}

// longFlags rewrites -flag and -flag=v, as Terraform's users type them, to
// --flag wherever the word is a long flag of some command.
func longFlags(root *cobra.Command, args []string) []string {
	known := map[string]bool{"help": true}
	var collect func(*cobra.Command)
	collect = func(c *cobra.Command) {
		for _, set := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
			set.VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		}
		for _, sub := range c.Commands() {
			collect(sub)
		}
	}
	collect(root)
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "="); len(name) > 1 && !strings.HasPrefix(arg, "--") && strings.HasPrefix(arg, "-") && known[name] {
			arg = "-" + arg
		}
		out = append(out, arg)
	}
	return out
}

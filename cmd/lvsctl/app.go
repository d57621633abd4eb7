package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/pflag"
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

// exitError ends the program with an exit code. If err is nil, the error has been printed
// already, or there is none.
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

// app is what all commands share: the terminal and the global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr *screen

	sshConfig   string
	vars        []string
	varFiles    []string
	parallelism int
	timeout     time.Duration
	colour      string
	verbose     bool
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{stdin: stdin}
	a.stdout = &screen{w: stdout, colour: &a.colour}
	a.stderr = &screen{w: stderr, colour: &a.colour}
	return a
}

func (a *app) globalFlags(f *pflag.FlagSet) {
	f.StringVar(&a.sshConfig, "ssh-config", "", "ssh `FILE` to use instead of ~/.ssh/config")
	f.StringArrayVar(&a.vars, "var", nil, "set a variable, `NAME=VALUE`; may be repeated")
	f.StringArrayVar(&a.varFiles, "var-file", nil, "read variables from an HCL `FILE`; may be repeated")
	f.IntVar(&a.parallelism, "parallelism", 32, "how many nodes to work on at once")
	f.DurationVar(&a.timeout, "timeout", 60*time.Second, "how long a node may stay silent")
	f.StringVar(&a.colour, "color", "auto", "auto, always or never; NO_COLOR is honoured")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "show each node by itself and what changes in each file, and say how long each took")
}

// fail prints an error. Its further lines are printed as a hint.
func (a *app) fail(err error) {
	head, hint, _ := strings.Cut(err.Error(), "\n")
	a.stderr.line(painted("Error:", color.FgRed, color.Bold), painted(" "+head))
	if hint != "" {
		fmt.Fprintln(a.stderr, hint)
	}
}

// warn prints a warning line.
func (a *app) warn(format string, args ...any) {
	a.stderr.line(painted("Warning:", color.FgYellow, color.Bold), painted(" "+fmt.Sprintf(format, args...)))
}

// Package remote carries scripts to nodes and their output back: over SSH, or
// on this machine.
//
// It is the only room that knows host keys, ssh configs, jump hosts, sudo and
// quoting. Everything above it speaks [shell.Command] (data) and [Runner] (a border
// of one call), so what is printed in a plan is what runs.
package remote

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Runner runs scripts on one node. A Runner is used by one goroutine at a time.
type Runner interface {
	// Run runs a script and returns what it printed and its exit status. The
	// error is nil whenever the script ran to its end, whatever its status; it is
	// a *[Error] when the node could not be reached or the output was cut off, and
	// then nothing is known of what ran.
	Run(ctx context.Context, script Script) (Output, error)
	// Hold runs a script and, once it has ended, keeps the shell that ran it,
	// with every file the script opened by exec: a lock on one lasts until release
	// is called or the connection ends, whichever way. Other scripts can be run
	// meanwhile. The script must not exit: that ends the shell. release may be called more than once; it is never nil.
	Hold(ctx context.Context, script Script) (out Output, release func(), err error)
	// Keep opens a shell for many scripts. Other scripts can be run meanwhile, by another
	// goroutine too. It ends with the connection.
	Keep(ctx context.Context) (*Shell, error)
	// Close drops the connection.
	Close() error
}

// Script is POSIX sh.
type Script struct {
	// Body is the inside of a shell function: it runs with LC_ALL=C, a PATH that
	// has the sbin folders first, and standard input at /dev/null. Nothing of it runs
	// unless all of it arrived.
	Body string
	// Line, if set, is called with each line of standard output as it arrives.
	Line func(line string)
	// Limit is how long the script may take in whole, however much it says; 0 is
	// the Runner's own limit, see [Config].
	Limit time.Duration
}

// Output is what a script printed between its start and its end.
type Output struct {
	Stdout string
	Stderr string
	Status int
}

// checkScript refuses what sh would silently read as something else.
func checkScript(s Script) *Error {
	if i := strings.IndexByte(s.Body, 0); i >= 0 {
		return &Error{Kind: KindScript, Summary: fmt.Sprintf("the script has a NUL byte at offset %d; nothing of it ran", i)}
	}
	return nil
}

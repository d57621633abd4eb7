package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// ErrorKind tells apart the ways in which a node can fail us. The values are
// stable: they may appear in JSON.
type ErrorKind string

// The kinds of Error.
const (
	KindConfig      ErrorKind = "config"      // the ssh config, a key file or a pin makes no sense
	KindUnreachable ErrorKind = "unreachable" // no SSH server answers there
	KindHostKey     ErrorKind = "host-key"    // the node's identity is unknown, changed or revoked
	KindAuth        ErrorKind = "auth"        // the node accepts none of our keys
	KindSudo        ErrorKind = "sudo"        // logged in, but sudo refuses
	KindShell       ErrorKind = "shell"       // logged in, but no sh answers
	KindScript      ErrorKind = "script"      // sh cannot parse the script; nothing of it ran
	KindLost        ErrorKind = "lost"        // the connection ended or fell silent during a script
	KindTruncated   ErrorKind = "truncated"   // the script ended before its end, or said too much
	KindInterrupted ErrorKind = "interrupted" // the caller's context ended
)

// Error says why a node could not be reached, or why nothing is known of what
// ran there. It carries the node's name: who wraps it need not say it again.
type Error struct {
	Node    string // the node's name in the topology
	Address string // where it was looked for: HOST or HOST:PORT, or "local"
	Kind    ErrorKind
	Summary string // what happened, in one line
	Remedy  string // what to do about it, in one line or more; "" if nothing is known
	Err     error  // the cause; may be nil
}

// Error is the failure in one line and, from the second line on, the remedy.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s %s (%s): %s", e.Kind.cannot(), e.Node, e.Address, e.Summary)
	if e.Node == "" || e.Node == e.Address {
		s = fmt.Sprintf("%s %s: %s", e.Kind.cannot(), e.Address, e.Summary)
	}
	if e.Remedy != "" {
		s += "\n" + e.Remedy
	}
	return s
}

// Unwrap is the cause, so that errors.Is(err, context.Canceled) holds.
func (e *Error) Unwrap() error { return e.Err }

func (k ErrorKind) cannot() string {
	switch k {
	case KindHostKey:
		return "cannot trust"
	case KindAuth:
		return "cannot log in to"
	case KindSudo:
		return "cannot become root on"
	case KindShell:
		return "cannot run sh on"
	case KindScript, KindTruncated:
		return "cannot finish the script on"
	case KindLost:
		return "lost"
	case KindInterrupted:
		return "interrupted on"
	case KindConfig:
		return "cannot connect to"
	}
	return "cannot reach"
}

// at fills in the node that e is about.
func (e *Error) at(node, address string) *Error {
	e.Node, e.Address = node, address
	return e
}

func interrupted(ctx context.Context) *Error {
	err := context.Cause(ctx)
	summary := "stopped before it was done"
	if errors.Is(err, context.DeadlineExceeded) {
		summary = "out of time"
	}
	return &Error{Kind: KindInterrupted, Summary: summary, Err: err}
}

// configError is an error found before anything was dialled; what stands after
// its first line is the remedy.
func configError(err error) *Error {
	summary, remedy, _ := strings.Cut(err.Error(), "\n")
	return &Error{Kind: KindConfig, Summary: summary, Remedy: remedy, Err: err}
}

// said is what a node printed, as one line that is safe on a terminal: the far
// side is not trusted to leave out escape sequences.
func printable(text string) string {
	const most = 300
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.Map(func(r rune) rune {
			if r == '\t' {
				return ' '
			}
			if !unicode.IsPrint(r) {
				return -1
			}
			return r
		}, line)
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	s := strings.Join(lines, " / ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return s
}

// FirstLine is what went wrong, in one line: what follows in an error is the remedy.
func FirstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

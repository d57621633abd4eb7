package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// streamGrace is how long the streams of a shell that is gone may stay open (a
// background process holds them) before its output counts as all there is.
const streamGrace = 2 * time.Second

// openShell is one running sh -s, on whichever side of the wire.
type openShell struct {
	stdin          io.WriteCloser
	stdout, stderr io.Reader
	wait           func() exit // returns when the shell has ended; called once
	exited         <-chan exit // what wait returns, of a shell that is kept; else nil
	hangup         func()      // ends a shell that is not at its end; may be nil
	close          func()      // lets go of it: the streams end soon after
}

// exit is how a shell ended.
type exit struct {
	status int
	signal string // its name, if one killed the shell
	lost   string // why nobody knows: the connection broke first
}

func (e exit) String() string {
	switch {
	case e.lost != "":
		return e.lost
	case e.signal != "":
		return "killed by signal " + e.signal
	}
	return fmt.Sprintf("exit status %d", e.status)
}

// runScript sends a script to a shell and collects its answer. Sending and
// collecting go on at once: either may be larger than what the pipes hold. It
// lets go of the shell before it returns, and then calls script.Line no more.
func runScript(ctx context.Context, sh openShell, script Script, silence time.Duration) (Output, *Error) {
	defer sh.close()
	return exchange(ctx, sh, script, silence, delivery{wrap, sh.stdin.Close})
}

// delivery is how a script's text is made, and what follows it.
type delivery struct {
	wrap func(body, mark string) string
	then func() error
}

// exchange is runScript for a shell that may have to live on.
func exchange(ctx context.Context, sh openShell, script Script, silence time.Duration, d delivery) (Output, *Error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	// A node that says a byte now and then is never silent, so there is an end in
	// any case.
	whole := time.NewTimer(script.Limit)
	defer whole.Stop()
	alive := func() { quiet.Reset(silence) }

	mark := shell.NewMark()
	stdout := &frame{mark: mark, line: script.Line}
	stderr := &frame{mark: mark}
	defer stdout.close()
	defer func() {
		if _, whole := stdout.code(); !whole && sh.hangup != nil {
			sh.hangup()
		}
	}()

	go func() {
		// An error here shows as a missing end mark, which says more.
		_, _ = io.Copy(sh.stdin, &activity{Reader: strings.NewReader(d.wrap(script.Body, mark)), moved: alive})
		_ = d.then()
	}()
	var streams sync.WaitGroup
	collect := func(f *frame, r io.Reader) {
		streams.Go(func() {
			if err := drain(f, &activity{Reader: r, moved: alive}); err != nil {
				stop(err)
			}
		})
	}
	collect(stdout, sh.stdout)
	collect(stderr, sh.stderr)
	drained := make(chan struct{})
	go func() { streams.Wait(); close(drained) }()
	exited := sh.exited
	if exited == nil {
		ended := make(chan exit, 1)
		go func() { ended <- sh.wait() }()
		exited = ended
	}

	var ended *exit
	var late <-chan time.Time
	for {
		select {
		case <-drained:
			if _, whole := stdout.code(); whole || ended != nil {
				return conclude(stdout, stderr, ended)
			}
			drained = nil
			late = time.After(streamGrace)
		case e := <-exited:
			ended = &e
			if drained == nil {
				return conclude(stdout, stderr, ended)
			}
			late = time.After(streamGrace)
		case <-late:
			return conclude(stdout, stderr, ended)
		case <-quiet.C:
			if _, whole := stdout.code(); whole {
				return conclude(stdout, stderr, ended)
			}
			return Output{}, &Error{
				Kind:    KindLost,
				Summary: fmt.Sprintf("it said nothing for %s", silence),
				Remedy:  "the node or the way to it hangs, or a command there waits for something; what ran is unknown",
			}
		case <-whole.C:
			return Output{}, &Error{
				Kind:    KindLost,
				Summary: fmt.Sprintf("its script did not end within %s", script.Limit),
				Remedy:  "the node is overloaded, or a command there goes on for ever; what ran is unknown. --timeout raises this limit too",
			}
		case <-ctx.Done():
			var much tooMuch
			if err := context.Cause(ctx); errors.As(err, &much) {
				return Output{}, &Error{Kind: KindTruncated, Summary: err.Error(), Err: err}
			}
			return Output{}, interrupted(ctx)
		}
	}
}

// drain reads r into f up to the end mark or the end of the stream: what a
// background process prints later concerns nobody.
func drain(f *frame, r io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if _, err := f.Write(buf[:n]); err != nil {
			return err
		}
		if err != nil || f.over() {
			return nil
		}
	}
}

// activity calls moved whenever bytes move.
type activity struct {
	io.Reader
	moved func()
}

func (p *activity) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if n > 0 {
		p.moved()
	}
	return n, err
}

// conclude makes the answer of what came; ended is nil if the shell may still
// run.
func conclude(stdout, stderr *frame, ended *exit) (Output, *Error) {
	out, begun := stdout.result()
	errs, errsBegun := stderr.result()
	if status, ok := stdout.code(); ok {
		if !errsBegun {
			errs = ""
		}
		return Output{Stdout: out, Stderr: errs, Status: status}, nil
	}
	end := exit{lost: "its output ended"}
	if ended != nil {
		end = *ended
	}
	if begun {
		return Output{}, endedEarly(end, errs)
	}
	return Output{}, neverBegan(end, out, errs)
}

// endedEarly is the error of a script that began and did not reach its end.
func endedEarly(end exit, errs string) *Error {
	e := &Error{
		Kind:    KindTruncated,
		Summary: "the shell ended before the script did: " + end.String(),
		Remedy:  "what ran is unknown: read the node again",
	}
	if end.lost != "" {
		e.Kind, e.Summary = KindLost, end.lost
	}
	if text := printable(errs); text != "" {
		e.Summary += ": " + text
	}
	return e
}

package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// sshRunner runs each script in a session of its own on one connection: ten at
// once are allowed (MaxSessions), one at a time is what a Runner promises.
type sshRunner struct {
	link    *link
	node    string
	address string
	user    string
	sudo    bool
	silence time.Duration
	limit   time.Duration
}

func (r *sshRunner) Close() error {
	r.link.drop("the connection is closed")
	return nil
}

func (r *sshRunner) Run(ctx context.Context, script Script) (Output, error) {
	return runIn(ctx, script, r, runScript)
}

func (r *sshRunner) Hold(ctx context.Context, script Script) (Output, func(), error) {
	return holdIn(ctx, script, r)
}

func (r *sshRunner) Keep(ctx context.Context) (*Shell, error) { return keepIn(ctx, r) }

func (r *sshRunner) silenceLimit() time.Duration { return r.silence }

func (r *sshRunner) wholeLimit() time.Duration { return r.limit }

// complete also gives up a connection that failed: what is half lost would be
// waited for again and again.
func (r *sshRunner) complete(e *Error) error {
	if e.Kind == KindLost {
		r.link.drop(e.Summary)
	}
	return e.as(r.user).at(r.node, r.address)
}

// command is what the login shell gets. That shell may be csh or fish, so it
// holds nothing that one of them would read differently; LC_ALL is for sudo's
// messages, which are recognised.
func (r *sshRunner) command() string {
	if r.sudo {
		return "exec env LC_ALL=C sudo -n /bin/sh -s"
	}
	return "exec /bin/sh -s"
}

// open starts sh. x/crypto may wait for ever for a session on a connection that
// ends just then, so nobody waits for it unconditionally.
func (r *sshRunner) open(ctx context.Context) (openShell, *Error) {
	if r.link.gone() {
		return openShell{}, r.unsent()
	}
	type result struct {
		sh  openShell
		err error
	}
	opened := make(chan result, 1)
	go func() {
		sh, err := r.session()
		opened <- result{sh, err}
	}()
	quiet := time.NewTimer(r.silence)
	defer quiet.Stop()
	select {
	case o := <-opened:
		if o.err == nil {
			return o.sh, nil
		}
		return openShell{}, r.refused(o.err)
	case <-r.link.done:
		return openShell{}, r.unsent()
	case <-quiet.C:
		r.link.drop(fmt.Sprintf("it opened no session for %s", r.silence))
		return openShell{}, r.unsent()
	case <-ctx.Done():
		go func() {
			select {
			case o := <-opened:
				if o.err == nil {
					o.sh.close()
				}
			case <-r.link.done:
			}
		}()
		return openShell{}, interrupted(ctx)
	}
}

// unsent is the error of a connection that was gone before the script was sent.
func (r *sshRunner) unsent() *Error {
	return &Error{Kind: KindLost, Summary: r.link.lost(), Remedy: "nothing of the script ran"}
}

// refused is the error of a session that did not come about.
func (r *sshRunner) refused(err error) *Error {
	var rejected *ssh.OpenChannelError
	if errors.As(err, &rejected) {
		return &Error{
			Kind:    KindShell,
			Summary: "it opens no session: " + printable(rejected.Message),
			Remedy:  "look at MaxSessions in the node's sshd_config",
			Err:     err,
		}
	}
	select {
	case <-r.link.done:
		return r.unsent()
	case <-time.After(streamGrace): // the connection lives: it was a refusal
	}
	return &Error{Kind: KindShell, Summary: "it starts no command: " + printable(reason(err)), Err: err}
}

func (r *sshRunner) session() (openShell, error) {
	s, err := r.link.client.NewSession()
	if err != nil {
		return openShell{}, err
	}
	stdin, err1 := s.StdinPipe()
	stdout, err2 := s.StdoutPipe()
	stderr, err3 := s.StderrPipe()
	if err := errors.Join(err1, err2, err3, s.Start(r.command())); err != nil {
		_ = s.Close()
		return openShell{}, err
	}
	return openShell{
		stdin: stdin, stdout: stdout, stderr: stderr,
		wait:  func() exit { return r.exitOf(s.Wait()) },
		close: func() { _ = s.Close() },
	}, nil
}

func (r *sshRunner) exitOf(err error) exit {
	var e *ssh.ExitError
	switch {
	case err == nil:
		return exit{}
	case errors.As(err, &e) && e.Signal() != "":
		return exit{signal: strings.TrimPrefix(e.Signal(), "SIG")}
	case errors.As(err, &e):
		return exit{status: e.ExitStatus()}
	}
	return exit{lost: r.link.lost()}
}

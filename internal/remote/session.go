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
}

func (r *sshRunner) Close() error {
	r.link.close()
	return nil
}

func (r *sshRunner) Run(ctx context.Context, script Script) (Output, error) {
	return runIn(ctx, script, r, converse)
}

func (r *sshRunner) Hold(ctx context.Context, script Script) (Output, func(), error) {
	return holdIn(ctx, script, r)
}

func (r *sshRunner) quiet() time.Duration { return r.silence }

func (r *sshRunner) blame(e *Error) error { return e.as(r.user).at(r.node, r.address) }

// command is what the login shell gets. That shell may be csh or fish, so it
// holds nothing that one of them would read differently; LC_ALL is for sudo's
// messages, which are recognised.
func (r *sshRunner) command() string {
	if r.sudo {
		return "exec env LC_ALL=C sudo -n /bin/sh -s"
	}
	return "exec /bin/sh -s"
}

// open starts sh. A peer that does not answer is dropped with the connection:
// there is nothing smaller to take back.
func (r *sshRunner) open(ctx context.Context) (shell, *Error) {
	stop := context.AfterFunc(ctx, func() { r.link.drop("interrupted") })
	quiet := time.AfterFunc(r.silence, func() { r.link.drop(fmt.Sprintf("it opened no session for %s", r.silence)) })
	defer quiet.Stop()
	sh, err := r.session()
	if stop() && err == nil {
		return sh, nil
	}
	if ctx.Err() != nil {
		return shell{}, interrupted(ctx)
	}
	var rejected *ssh.OpenChannelError
	if errors.As(err, &rejected) {
		return shell{}, &Error{
			Kind:    KindShell,
			Summary: "it opens no session: " + said(rejected.Message),
			Remedy:  "look at MaxSessions in the node's sshd_config",
			Err:     err,
		}
	}
	select {
	case <-r.link.done:
		return shell{}, &Error{Kind: KindLost, Summary: r.link.lost(), Remedy: "nothing of the script ran", Err: err}
	case <-time.After(100 * time.Millisecond):
		return shell{}, &Error{Kind: KindShell, Summary: "it starts no command: " + err.Error(), Err: err}
	}
}

func (r *sshRunner) session() (shell, error) {
	s, err := r.link.client.NewSession()
	if err != nil {
		return shell{}, err
	}
	stdin, err1 := s.StdinPipe()
	stdout, err2 := s.StdoutPipe()
	stderr, err3 := s.StderrPipe()
	if err := errors.Join(err1, err2, err3, s.Start(r.command())); err != nil {
		_ = s.Close()
		return shell{}, err
	}
	return shell{
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

package remote

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"syscall"
	"time"
)

// localRunner runs scripts on this machine.
type localRunner struct {
	node    string
	user    string
	args    []string
	silence time.Duration
	limit   time.Duration
}

func newLocal(t Target, silence, limit time.Duration) *localRunner {
	r := &localRunner{node: t.Name, silence: silence, limit: limit, args: []string{"/bin/sh", "-s"}}
	if t.Sudo && os.Geteuid() != 0 {
		r.args = []string{"sudo", "-n", "/bin/sh", "-s"}
	}
	if u, err := user.Current(); err == nil {
		r.user = u.Username
	}
	return r
}

func (r *localRunner) Close() error { return nil }

func (r *localRunner) Run(ctx context.Context, script Script) (Output, error) {
	return runIn(ctx, script, r, runScript)
}

func (r *localRunner) Hold(ctx context.Context, script Script) (Output, func(), error) {
	return holdIn(ctx, script, r)
}

func (r *localRunner) Keep(ctx context.Context) (*Shell, error) { return keepIn(ctx, r) }

func (r *localRunner) silenceLimit() time.Duration { return r.silence }

func (r *localRunner) wholeLimit() time.Duration { return r.limit }

func (r *localRunner) complete(e *Error) error { return e.as(r.user).at(r.node, "local") }

func (r *localRunner) open(context.Context) (openShell, *Error) {
	sh, err := r.start()
	switch {
	case err == nil:
		return sh, nil
	case errors.Is(err, exec.ErrNotFound) && r.args[0] == "sudo":
		return openShell{}, neverBegan(exit{status: 127}, "", "sudo: not found")
	}
	return openShell{}, &Error{Kind: KindShell, Summary: err.Error(), Err: err}
}

// start starts sh on pipes of its own: those of os/exec lose output when the
// shell ends before all of it was read.
func (r *localRunner) start() (openShell, error) {
	cmd := exec.Command(r.args[0], r.args[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C") // sudo's messages are recognised
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return openShell{}, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return openShell{}, err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		return openShell{}, errors.Join(err, outR.Close(), outW.Close())
	}
	cmd.Stdout, cmd.Stderr = outW, errW
	err = cmd.Start()
	_ = outW.Close()
	_ = errW.Close()
	if err != nil {
		return openShell{}, errors.Join(err, stdin.Close(), outR.Close(), errR.Close())
	}
	gone := make(chan struct{})
	return openShell{
		stdin:  stdin,
		stdout: outR,
		stderr: errR,
		wait: func() exit {
			defer close(gone)
			return exitOf(cmd.Wait())
		},
		hangup: func() {
			// As a terminal that goes away: what was detached with nohup or setsid
			// lives on, everything else of this script ends.
			select {
			case <-gone:
			default:
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGHUP)
			}
		},
		close: func() {
			_ = stdin.Close()
			_ = outR.Close()
			_ = errR.Close()
		},
	}, nil
}

func exitOf(err error) exit {
	var e *exec.ExitError
	if !errors.As(err, &e) {
		if err != nil {
			return exit{lost: err.Error()}
		}
		return exit{}
	}
	if ws, ok := e.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return exit{signal: ws.Signal().String()}
	}
	return exit{status: e.ExitCode()}
}

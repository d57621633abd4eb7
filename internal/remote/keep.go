package remote

import (
	"context"
	"sync"
)

// Shell is a shell that is kept for many scripts: each costs neither a session nor a
// login, nor a line in sudo's log. It is used by one goroutine at a time.
type Shell struct {
	sh     openShell
	opener opener
	end    func()
	ended  bool
}

// Run runs a script as [Runner.Run] does. A script that was not seen to end ends the
// shell: then every later one fails.
func (s *Shell) Run(ctx context.Context, script Script) (Output, error) {
	if failed := checkScript(script); failed != nil {
		return Output{}, s.opener.complete(failed)
	}
	if ctx.Err() != nil {
		return Output{}, s.opener.complete(interrupted(ctx))
	}
	if s.ended {
		return Output{}, s.opener.complete(&Error{Kind: KindTruncated, Summary: "its shell has ended", Remedy: "nothing of the script ran"})
	}
	if script.Limit <= 0 {
		script.Limit = s.opener.wholeLimit()
	}
	out, failed := exchange(ctx, s.sh, script, s.opener.silenceLimit(), delivery{wrapNext, func() error { return nil }})
	if failed != nil {
		s.Close()
		return Output{}, s.opener.complete(failed)
	}
	return out, nil
}

// Close ends the shell. It may be called more than once.
func (s *Shell) Close() {
	s.ended = true
	s.end()
}

// keepIn opens a shell that is kept.
func keepIn(ctx context.Context, p opener) (*Shell, error) {
	sh, failed := openFor(ctx, Script{}, p)
	if failed != nil {
		return nil, p.complete(failed)
	}
	exited := make(chan exit, 1)
	go func() { exited <- sh.wait() }()
	sh.exited = exited
	return &Shell{sh: sh, opener: p, end: sync.OnceFunc(sh.close)}, nil
}

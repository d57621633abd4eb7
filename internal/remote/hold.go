package remote

import (
	"context"
	"sync"
	"time"
)

// place is where shells can be opened: a node, or this machine.
type place interface {
	open(context.Context) (openShell, *Error)
	quiet() time.Duration // how long a script may say nothing
	whole() time.Duration // how long a script may take that does not say itself
	blame(*Error) error   // completes an error with who it is about
}

// runIn runs a script in a shell of its own.
func runIn(ctx context.Context, script Script, p place, talk func(context.Context, openShell, Script, time.Duration) (Output, *Error)) (Output, error) {
	sh, failed := openFor(ctx, script, p)
	if failed != nil {
		return Output{}, p.blame(failed)
	}
	if script.Limit <= 0 {
		script.Limit = p.whole()
	}
	out, failed := talk(ctx, sh, script, p.quiet())
	if failed != nil {
		return Output{}, p.blame(failed)
	}
	return out, nil
}

// holdIn runs a script and leaves its shell waiting for the end of its input,
// which comes with release or with the loss of the connection.
func holdIn(ctx context.Context, script Script, p place) (Output, func(), error) {
	release := func() {}
	out, err := runIn(ctx, script, p, func(ctx context.Context, sh openShell, script Script, silence time.Duration) (Output, *Error) {
		out, failed := exchange(ctx, sh, script, silence, dialogue{wrapHold, func() error { return nil }})
		release = sync.OnceFunc(func() {
			_ = sh.stdin.Close() // a shell that is gone already is what is wanted
			sh.close()
		})
		return out, failed
	})
	if err != nil {
		release()
	}
	return out, release, err
}

func openFor(ctx context.Context, script Script, p place) (openShell, *Error) {
	if failed := checkScript(script); failed != nil {
		return openShell{}, failed
	}
	if ctx.Err() != nil {
		return openShell{}, interrupted(ctx)
	}
	return p.open(ctx)
}

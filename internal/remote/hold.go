package remote

import (
	"context"
	"sync"
	"time"
)

// opener is where shells can be opened: a node, or this machine.
type opener interface {
	open(context.Context) (openShell, *Error)
	silenceLimit() time.Duration // how long a script may say nothing
	wholeLimit() time.Duration   // how long a script may take that does not say itself
	complete(*Error) error       // completes an error with who it is about
}

// runIn runs a script in a shell of its own.
func runIn(ctx context.Context, script Script, p opener, talk func(context.Context, openShell, Script, time.Duration) (Output, *Error)) (Output, error) {
	sh, failed := openFor(ctx, script, p)
	if failed != nil {
		return Output{}, p.complete(failed)
	}
	if script.Limit <= 0 {
		script.Limit = p.wholeLimit()
	}
	out, failed := talk(ctx, sh, script, p.silenceLimit())
	if failed != nil {
		return Output{}, p.complete(failed)
	}
	return out, nil
}

// holdIn runs a script and leaves its shell waiting for the end of its input,
// which comes with release or with the loss of the connection.
func holdIn(ctx context.Context, script Script, p opener) (Output, func(), error) {
	release := func() {}
	out, err := runIn(ctx, script, p, func(ctx context.Context, sh openShell, script Script, silence time.Duration) (Output, *Error) {
		out, failed := exchange(ctx, sh, script, silence, delivery{wrapHold, func() error { return nil }})
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

func openFor(ctx context.Context, script Script, p opener) (openShell, *Error) {
	if failed := checkScript(script); failed != nil {
		return openShell{}, failed
	}
	if ctx.Err() != nil {
		return openShell{}, interrupted(ctx)
	}
	return p.open(ctx)
}

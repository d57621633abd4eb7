package survey

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// Directors that are read again and again.
//
// status and drain look at the same directors every second. Each director has a goroutine
// and a connection of its own, so that one that answers late, or not at all, keeps no other
// one waiting. A connection that ends is replaced at once; what stood there as an error for
// a moment would only be the end of an sshd that was restarted. If that fails too, the error
// is told, and the director is dialled again every now and then.
//
// What is read is the caller's matter: see [Opener].

// Watch reads directors again and again. T is what a reading brings.
type Watch[T any] struct {
	open Opener[T]
	// every is the time from one reading to the next, redial from one attempt to connect
	// to the next.
	every, redial time.Duration
	done          sync.WaitGroup

	mu       sync.Mutex
	readings map[string]Reading[T]
	// newer is closed, and made anew, with each reading.
	newer chan struct{}
}

// Opener makes what reads a director over a connection, and what ends that. After an error
// of read it is of no more use.
type Opener[T any] func(ctx context.Context, r remote.Runner) (read func(context.Context) (T, error), end func(), err error)

// Reading is the latest that is known of a director.
type Reading[T any] struct {
	// Before and Now are the last two; nil where there was no answer yet.
	Before, Now *T
	// At is when Now came.
	At time.Time
	// Err is why there is nothing newer than Now.
	Err error
	// count is how many readings and errors there were.
	count int
}

// Activity is a reading of a director's activity, Load one of what the entries of its table
// carry.
type (
	Activity = Reading[live.Activity]
	Load     = Reading[map[state.ServerKey]state.Load]
)

// redialAfter is how long a status waits before it dials a director again.
const redialAfter = 5 * time.Second

// Activities watches the activity of the survey's directors, until ctx ends.
func (s *Survey) Activities(ctx context.Context, every time.Duration) *Watch[live.Activity] {
	var directors []Node
	for _, n := range s.Nodes {
		if n.Role == string(topology.Director) {
			directors = append(directors, n)
		}
	}
	return watch(ctx, directors, openActivity, every, redialAfter)
}

func openActivity(ctx context.Context, r remote.Runner) (func(context.Context) (live.Activity, error), func(), error) {
	a, err := live.OpenActivity(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	return a.Read, a.Close, nil
}

// Loads watches what the entries of the survey's directors carry, until ctx ends. Those
// that could not be read are left out. Only the watch may use their connections meanwhile.
func (s *Survey) Loads(ctx context.Context, every time.Duration) *Watch[map[state.ServerKey]state.Load] {
	var directors []Node
	for _, n := range s.Nodes {
		if n.Live != nil {
			directors = append(directors, n)
		}
	}
	return watch(ctx, directors, openLoad, every, every)
}

func openLoad(_ context.Context, r remote.Runner) (func(context.Context) (map[state.ServerKey]state.Load, error), func(), error) {
	return func(ctx context.Context) (map[state.ServerKey]state.Load, error) { return live.Load(ctx, r) }, func() {}, nil
}

func watch[T any](ctx context.Context, directors []Node, open Opener[T], every, redial time.Duration) *Watch[T] {
	w := &Watch[T]{open: open, every: every, redial: redial, readings: map[string]Reading[T]{}, newer: make(chan struct{})}
	for _, n := range directors {
		w.readings[n.Name] = Reading[T]{Err: n.Err}
		w.done.Go(func() { w.follow(ctx, n) })
	}
	return w
}

// Wait waits until nothing is read any more.
func (w *Watch[T]) Wait() { w.done.Wait() }

// Readings are the latest of each director, by name, and a channel that is closed when
// there is a newer one.
func (w *Watch[T]) Readings() (map[string]Reading[T], <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.readings), w.newer
}

// Next waits until there is a reading, or an error, of every director that is newer than
// in last. It returns what there is when ctx ends.
func (w *Watch[T]) Next(ctx context.Context, last map[string]Reading[T]) map[string]Reading[T] {
	for {
		readings, newer := w.Readings()
		all := true
		for name, r := range readings {
			all = all && r.count > last[name].count
		}
		if all {
			return readings
		}
		select {
		case <-newer:
		case <-ctx.Done():
			return readings
		}
	}
}

// tell records a reading, or why there is none, and wakes those who wait for it.
func (w *Watch[T]) tell(director string, now *T, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.readings[director]
	r.count++
	if r.Err = err; err == nil {
		r.Before, r.Now, r.At = r.Now, now, time.Now()
	}
	w.readings[director] = r
	close(w.newer)
	w.newer = make(chan struct{})
}

// follow reads one director until ctx ends. It begins with the connection that there is.
func (w *Watch[T]) follow(ctx context.Context, n Node) {
	runner := n.Runner
	for ctx.Err() == nil {
		served, err := w.readOver(ctx, n, runner)
		lost := served || runner != nil
		runner = nil
		if lost || ctx.Err() != nil {
			continue
		}
		w.tell(n.Name, nil, err)
		pause(ctx, w.redial)
	}
}

// readOver reads a director until that fails: over the connection that is given, or over a
// new one. served is set if there was a reading.
func (w *Watch[T]) readOver(ctx context.Context, n Node, runner remote.Runner) (served bool, err error) {
	if runner == nil {
		if runner, err = n.Dial(ctx); err != nil {
			return false, err
		}
		defer runner.Close()
	}
	read, end, err := w.open(ctx, runner)
	if err != nil {
		return false, err
	}
	defer end()
	for ctx.Err() == nil {
		begin := time.Now()
		var now T
		if err := live.Shield(func() error { now, err = read(ctx); return err }); err != nil {
			return served, err
		}
		served = true
		w.tell(n.Name, &now, nil)
		pause(ctx, w.every-time.Since(begin))
	}
	return served, ctx.Err()
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

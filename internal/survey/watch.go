package survey

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/topology"
)

// Watch reads the pulse of directors again and again, each over a connection that it
// holds. A director that answers late, or not at all, keeps no other one waiting.
type Watch struct {
	every, redial time.Duration
	done          sync.WaitGroup

	mu       sync.Mutex
	readings map[string]Reading
	// told is closed, and made anew, with each reading.
	told chan struct{}
}

// Reading is what is known of a director's pulse. It is nil where there was no answer yet.
type Reading struct {
	// Before and Now are the last two.
	Before, Now *live.Pulse
	// At is when Now came.
	At time.Time
	// Err is why there is nothing newer.
	Err error
}

// redialAfter is how long a Watch waits before it looks for a director again.
const redialAfter = 5 * time.Second

// NewWatch begins to read the directors of a survey that could be read. It ends with ctx.
func (s *Survey) NewWatch(ctx context.Context, every time.Duration) *Watch {
	return s.watch(ctx, every, redialAfter)
}

func (s *Survey) watch(ctx context.Context, every, redial time.Duration) *Watch {
	w := &Watch{every: every, redial: redial, readings: map[string]Reading{}, told: make(chan struct{})}
	for _, n := range s.Nodes {
		if n.Role == string(topology.Director) {
			w.readings[n.Name] = Reading{Err: n.Err}
			w.done.Go(func() { w.follow(ctx, n) })
		}
	}
	return w
}

// Wait waits until nothing is read any more.
func (w *Watch) Wait() { w.done.Wait() }

// Readings are the latest of each director, and a channel that is closed when there is a
// newer one.
func (w *Watch) Readings() (map[string]Reading, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.readings), w.told
}

func (w *Watch) tell(director string, p *live.Pulse, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.readings[director]
	if r.Err = err; err == nil {
		r.Before, r.Now, r.At = r.Now, p, time.Now()
	}
	w.readings[director] = r
	close(w.told)
	w.told = make(chan struct{})
}

// follow reads one director until ctx ends. It begins with the connection that there is.
func (w *Watch) follow(ctx context.Context, n Node) {
	runner := n.Runner
	for ctx.Err() == nil {
		if err := w.beat(ctx, n, runner); ctx.Err() == nil {
			w.tell(n.Name, nil, err)
		}
		runner = nil
		pause(ctx, w.redial)
	}
}

// beat reads a director until that fails.
func (w *Watch) beat(ctx context.Context, n Node, runner remote.Runner) error {
	if runner == nil {
		var err error
		if runner, err = n.Dial(ctx); err != nil {
			return err
		}
		defer runner.Close()
	}
	heart, err := live.OpenHeart(ctx, runner)
	if err != nil {
		return err
	}
	defer heart.Close()
	for {
		begin := time.Now()
		var p live.Pulse
		if err := live.Shield(func() error { p, err = heart.Beat(ctx); return err }); err != nil {
			return err
		}
		w.tell(n.Name, &p, nil)
		pause(ctx, w.every-time.Since(begin))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
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

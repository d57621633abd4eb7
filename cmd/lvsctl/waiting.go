package main

import (
	"fmt"
	"sync"
	"time"
)

// waitingEvery is how often a line repeats what is awaited, where standard error is no
// terminal.
const waitingEvery = 30 * time.Second

// waiting shows on standard error what a command waits for. On a terminal that is the last
// line, with the seconds since the step began. Elsewhere it is a line for each step, and
// again every 30 s, so that a command that takes minutes is never silent.
type waiting struct {
	app  *app
	live bool
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	text  string
	began time.Time // of the step
	shown time.Time // when its last line was printed
}

// waiting begins to show steps. The caller calls end.
func (a *app) waiting() *waiting {
	_, live := a.stderr.terminal()
	w := &waiting{app: a, live: live, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-tick.C:
				w.tick()
			}
		}
	}()
	return w
}

// step shows what is awaited from now on.
func (w *waiting) step(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text, w.began = text, time.Now()
	w.shown = w.began
	if w.live {
		w.app.stderr.inPlace(text)
	} else {
		w.app.stderr.linef("%s", text)
	}
}

func (w *waiting) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	text := fmt.Sprintf("%s (%.0fs)", w.text, now.Sub(w.began).Seconds())
	switch {
	case w.text == "":
	case w.live:
		w.app.stderr.inPlace(text)
	case now.Sub(w.shown) >= waitingEvery:
		w.shown = now
		w.app.stderr.linef("%s", text)
	}
}

func (w *waiting) end() {
	close(w.stop)
	<-w.done
	if w.live {
		w.app.stderr.inPlace("")
	}
}

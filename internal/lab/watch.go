package lab

import (
	"context"
	"fmt"
	"time"
)

// An emulated kernel can stand still: QEMU before 8.1 may run, for ever, code that
// another processor has just rewritten. Nothing in the guest can tell of it.

// silence is how long a lab's hosts may leave a greeting unanswered, and lookEvery
// how often one of them is asked: that costs the machine a process.
const (
	silence   = 30 * time.Second
	lookEvery = 10 * time.Second
)

// Watch looks every few seconds whether the lab's machine still answers, and says
// so, once, when it has not for half a minute, with what to do. It returns when ctx
// ends.
func (l *Lab) Watch(ctx context.Context, say func(string)) {
	l.watch(ctx, lookEvery, silence, say)
}

func (l *Lab) watch(ctx context.Context, every, limit time.Duration, say func(string)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	answered := time.Now()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// The hosts in turn: one may be down by somebody's will, not all of them.
		ask, cancel := context.WithTimeout(ctx, every)
		up := greeted(ask, l.Hosts[n%len(l.Hosts)].Port)
		cancel()
		switch {
		case up:
			answered = time.Now()
		case ctx.Err() == nil && time.Since(answered) >= limit:
			say(l.still(limit))
			return
		}
	}
}

// still is what is said of a machine that stands still, and how to go on.
func (l *Lab) still(limit time.Duration) string {
	if !l.Running() {
		return fmt.Sprintf("the machine of lab %s has ended; bring it up again: lvsctl lab down, then lvsctl lab up", l.Name)
	}
	return fmt.Sprintf("the machine of lab %s has not answered for %s: its emulated kernel may stand still; if it goes on like this, end it and bring it up again: lvsctl lab down, then lvsctl lab up", l.Name, limit)
}

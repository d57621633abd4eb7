package lab

import (
	"context"
	"fmt"
	"time"
)

// An emulated kernel can hang: under QEMU before 8.1 a processor may loop for ever in
// code that another processor has just rewritten. The guest cannot report that itself.

// silence is how long no host may answer before the machine counts as hung. lookEvery
// is how often one host is asked; the guest starts a process for each answer.
const (
	silence   = 30 * time.Second
	lookEvery = 10 * time.Second
)

// Watch asks every 10 s whether the lab's machine still answers. If it has not for 30 s,
// Watch calls say once with that and what to do, and returns. It also returns when ctx
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
		// Each time another host is asked: a user may have stopped one host's sshd.
		ask, cancel := context.WithTimeout(ctx, every)
		up := greeted(ask, l.Hosts[n%len(l.Hosts)].Port)
		cancel()
		switch {
		case up:
			answered = time.Now()
		case ctx.Err() == nil && time.Since(answered) >= limit:
			say(l.hung(limit))
			return
		}
	}
}

// hung says that the machine has ended or does not answer, and what to do.
func (l *Lab) hung(limit time.Duration) string {
	if !l.Running() {
		return fmt.Sprintf("the machine of lab %s has ended; bring it up again: lvsctl lab down, then lvsctl lab up", l.Name)
	}
	return fmt.Sprintf("the machine of lab %s has not answered for %s: its emulated kernel may stand still; if it goes on like this, end it and bring it up again: lvsctl lab down, then lvsctl lab up", l.Name, limit)
}

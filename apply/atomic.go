package apply

import (
	"context"
	"errors"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// An apply of all nodes or none (--atomic).
//
// Every node is changed and read again, and stays armed. When all are as wanted, each is
// confirmed: its record is written and its timer stopped, but the folder with its
// rollback stays. A confirmation may come too late, because a node whose timer ran out
// has put itself back. When all are confirmed, the folders are removed. Otherwise every
// confirmation is taken back and every node is put back, directors before the real
// servers that they send to.
//
// If lvsctl itself is killed, the timers decide. Before the first confirmation all nodes
// put themselves back. Between the first and the last confirmation, the confirmed nodes
// stay changed. No order of steps can prevent that; the next plan shows it.

// heartbeat extends the deadlines of open transactions again and again, until stop is
// called. It does nothing unless the apply is of all nodes or none.
func (r *run) heartbeat(ctx context.Context) (stop func()) {
	if !r.opts.Atomic || r.opts.Rollback == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(r.opts.Rollback / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				r.each(func(w *work) { r.putOff(ctx, w) })
			}
		}
	}()
	return func() { cancel(); <-done }
}

// putOff lets the deadlines of a node's open transactions begin anew.
func (r *run) putOff(ctx context.Context, w *work) {
	if !w.idle.TryLock() {
		return // a script is running there, which extends the deadline itself
	}
	defer w.idle.Unlock()
	for _, t := range w.open {
		var s shell.Script
		t.resume(&s, r.rollbackSeconds(w))
		s.Line(shell.Call(shell.PutOff))
		if _, err := w.Runner.Run(ctx, remote.Script{Body: s.String()}); err != nil {
			return // the node will put itself back, and its confirmation will fail
		}
	}
}

// concludeAtomic confirms all nodes or puts all back, as the top of this file says.
func (r *run) concludeAtomic(ctx context.Context) {
	if !r.opts.Atomic {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if r.result.Whole() {
		r.each(func(w *work) { r.commitOpen(ctx, w) })
		if r.result.Whole() {
			r.each(func(w *work) {
				for _, t := range w.open {
					r.clearFolder(ctx, w, t, w.Runner)
				}
				r.persist(ctx, w)
			})
			return
		}
	}
	why := errors.New("not every node could be changed, and it is all or none")
	r.each(func(w *work) {
		for _, a := range w.forBoot {
			r.end(a, Outcome{Skipped, why})
		}
	})
	for _, stage := range []plan.Stage{plan.Clear, plan.Stop, plan.Send, plan.Ready} {
		r.each(func(w *work) {
			for i := len(w.open) - 1; i >= 0; i-- {
				// If a later transaction of the node stays (lost), so do earlier ones.
				if t := w.open[i]; !t.undone && !w.lost && t.actions[0].Stage == stage {
					_ = r.rollBack(ctx, w, t, w.Runner, why) // it returns why
				}
			}
		})
	}
}

// commitOpen confirms a node's open transactions.
func (r *run) commitOpen(ctx context.Context, w *work) {
	if len(w.open) == 0 {
		return
	}
	after, err := live.Read(ctx, w.Runner, w.Question)
	if err != nil {
		r.unconfirmed(w, err)
		return
	}
	w.remember(after)
	for _, t := range w.open {
		if err := r.commit(ctx, w, t, w.Runner, state.Confirm(w.settled, w.live)); err != nil {
			return // commit has put the node back and set the outcomes
		}
	}
}

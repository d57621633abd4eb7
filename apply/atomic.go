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

// An apply of all nodes or none.
//
// Every node is changed and looked at, and stays armed. Once all are as wanted,
// each is confirmed: its record is written and its timer disarmed, but the folder
// with its rollback stays. Any of them may come too late, because a node whose
// timer ran out puts itself back. Only when all are confirmed do the folders go;
// otherwise every confirmation is taken back and every node undone, directors
// before the real servers that they send to.
//
// If lvsctl itself dies, the timers decide: before the first confirmation all nodes
// put themselves back. Between the first and the last one some stay changed, which
// no order of steps can help; the next plan shows it.

// heartbeat puts off the deadlines of open transactions while an apply of all
// nodes or none is under way.
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

// putOff gives a node's open transactions another full wait.
func (r *run) putOff(ctx context.Context, w *work) {
	if !w.idle.TryLock() {
		return // its own script puts the deadline off
	}
	defer w.idle.Unlock()
	for _, t := range w.open {
		var s shell.Script
		t.resume(&s, r.patience(w))
		s.Line(shell.Call(shell.PutOff))
		if _, err := w.Runner.Run(ctx, remote.Script{Body: s.String()}); err != nil {
			return // the node will put itself back, and its confirmation will notice
		}
	}
}

// concludeAtomic ends an apply of all nodes or none, see the top of this file.
func (r *run) concludeAtomic(ctx context.Context) {
	if !r.opts.Atomic {
		return
	}
	ctx = context.WithoutCancel(ctx)
	if r.result.Complete() {
		r.each(func(w *work) { r.commitOpen(ctx, w) })
		if r.result.Complete() {
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
				// What came first is not undone below what stays.
				if t := w.open[i]; !t.undone && !w.lost && t.actions[0].Stage == stage {
					_ = r.rollBack(ctx, w, t, w.Runner, why) // why itself
				}
			}
		})
	}
}

// commitOpen confirms a node's transactions.
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
			return // its actions are rolled back, and say so
		}
	}
}

package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// rollBack puts a node back at once, over a connection that may be broken, and checks that
// the node is as before. why is the reason. rollBack returns it, unless the node turns out
// to be confirmed.
func (r *run) rollBack(ctx context.Context, w *work, t *transaction, conn remote.Runner, why error) error {
	r.note(w, "putting it back: %s", remote.FirstLine(why))
	result, err := r.runRollback(ctx, t, conn)
	if err != nil || !finished(result) { // the connection or the shell was killed: again
		return r.awaitRollback(ctx, w, t, why)
	}
	return r.checkRollback(ctx, w, t, conn, result, why)
}

// runRollback runs the rollback, or waits for one that is running already. The result is
// the rollback's status in the first line, and then its log. The status is "confirmed" if
// the transaction was confirmed, and "gone" if the node has no trace of it. In that case
// it also cannot begin any more, if its script was delayed before arming.
func (r *run) runRollback(ctx context.Context, t *transaction, conn remote.Runner) (string, error) {
	var s shell.Script
	t.resume(&s, 0)
	if t.confirmed {
		s.Line(shell.Call(shell.Reopen))
	}
	s.Line(shell.Call(shell.Fire))
	out, err := conn.Run(ctx, remote.Script{Body: s.String()})
	return strings.TrimSpace(out.Stdout), err
}

// finished reports whether a rollback came to its end.
func finished(result string) bool {
	return result == "confirmed" || result == "gone" || strings.HasPrefix(result, "rolled back")
}

// awaitRollback waits for a node that cannot be reached to come back. Meanwhile its timer
// puts it back, unless it was confirmed. Then awaitRollback checks the node. It gives up
// 30 s after the longest time that the timer can take.
func (r *run) awaitRollback(ctx context.Context, w *work, t *transaction, why error) error {
	wait := time.Duration(r.rollbackSeconds(w))*time.Second + 30*time.Second
	r.note(w, "lost; waiting for it to put itself back (within %s)", r.opts.Rollback)
	deadline := time.Now().Add(wait)
	for {
		conn, err := w.Dial(ctx)
		if err == nil {
			result, fired := r.runRollback(ctx, t, conn)
			if fired == nil {
				defer conn.Close()
				return r.checkRollback(ctx, w, t, conn, result, why)
			}
			err = fired
			_ = conn.Close() // it is broken
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			t.undone = true
			if t.confirmed {
				w.lost = true
				r.unconfirmed(w, fmt.Errorf("stays changed, because it was confirmed before the others and could not be reached for %s to be put back: %w", wait, err))
				return why
			}
			r.setOutcomes(t, Unknown, why)
			r.unconfirmed(w, fmt.Errorf("could not be reached for %s after its connection was lost (%w); its timer puts it back by itself", wait, err))
			return why
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
}

// checkRollback reads a node after a rollback and compares it with what it was before. It
// sets the outcomes and the result. conn must work.
func (r *run) checkRollback(ctx context.Context, w *work, t *transaction, conn remote.Runner, result string, why error) error {
	status, log, _ := strings.Cut(result, "\n")
	after, err := live.Read(ctx, conn, w.Question)
	if err != nil {
		t.undone = true
		r.setOutcomes(t, Unknown, why)
		whole := "was put back"
		if strings.HasPrefix(status, "rolled back ") {
			whole = "was put back in part only"
		}
		r.unconfirmed(w, fmt.Errorf("%s, and cannot be looked at: %w", whole, err))
		return why
	}
	if (status == "confirmed" || status == "gone") && r.allInForce(t) {
		s := w.plan.Settle(after.State, after.Record)
		if r.difference(w, state.Diff(s.Have, s.Want)) == nil {
			r.note(w, "it is confirmed already")
			w.settled, w.live = s, after.State
			err := r.commit(ctx, w, &transaction{}, conn, state.Confirm(s, after.State))
			if r.opts.Atomic && status == "confirmed" {
				t.confirmed = true
				return err
			}
			r.clearFolder(ctx, w, t, conn)
			return err
		}
	}
	t.undone = true
	now := w.plan.Settle(after.State, t.before.Intent)
	if left := notRestored(t, now.Have); len(left) > 0 {
		r.setOutcomes(t, Unknown, why)
		detail := ""
		if log = strings.TrimSpace(log); log != "" {
			detail = " (" + live.Said(strings.ReplaceAll(log, "\n", "; ")) + ")"
		}
		r.unconfirmed(w, fmt.Errorf("the rollback did not take: %s%s", strings.Join(left, "; "), detail))
		return why
	}
	r.setOutcomes(t, RolledBack, why)
	r.mu.Lock()
	r.result.Reverted[w.plan.Name] = why
	r.mu.Unlock()
	if status == "gone" {
		// The node was rebooted, or somebody cleared /run. Or its script was delayed:
		// then the file that keeps it from going on must stay, so nothing is cleared.
		r.note(w, "it has no trace of the change any more, and is as it was before")
	} else {
		r.note(w, "it is as it was before")
		r.clearFolder(ctx, w, t, conn)
	}
	w.rec, w.record = t.rec, t.record
	w.unsure, w.written = after.RecordText != t.record && !r.restoreRecord(ctx, w, t, conn), false
	w.settled = t.before
	return why
}

// clearFolder removes the folder of a finished transaction. If that fails, the next apply
// does it.
func (r *run) clearFolder(ctx context.Context, w *work, t *transaction, conn remote.Runner) {
	var s shell.Script
	t.resume(&s, 0)
	s.Line(shell.Call(shell.Clear))
	if _, err := conn.Run(ctx, remote.Script{Body: s.String()}); err != nil {
		r.note(w, "cannot clear /run/lvsctl: %s", remote.FirstLine(err))
	}
}

// restoreRecord writes the record's old text, when the node is known to be as before. If
// that fails, the record names entries that are not there, which does no harm.
func (r *run) restoreRecord(ctx context.Context, w *work, t *transaction, conn remote.Runner) (ok bool) {
	topology := t.before.Intent.Topology
	nonce := shell.NewMark()
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	if t.record == "" {
		removeRecord(&s, topology)
	} else {
		writeRecord(&s, topology, t.record)
	}
	out, err := conn.Run(ctx, remote.Script{Body: s.String()})
	if err == nil {
		err = stopped(nonce, out.Stdout)
	}
	if err != nil {
		r.note(w, "the record still names what was put back: %s", remote.FirstLine(err))
		return false
	}
	return true
}

// notRestored lists the entries of a transaction that are not as they were before it.
func notRestored(t *transaction, have *state.State) []string {
	touched := map[state.Ref]bool{}
	for _, a := range t.actions {
		touched[a.Ref] = true
	}
	var list []string
	for _, c := range state.Diff(have, t.before.Have) {
		if touched[c.Ref] {
			list = append(list, fmt.Sprintf("%s is %s instead of %s", c.Ref, plan.OrAbsent(c.Op == state.Add, c.Before), plan.OrAbsent(c.Op == state.Remove, c.After)))
		}
	}
	return list
}

// allInForce reports whether the node has all changes of a transaction.
func (r *run) allInForce(t *transaction) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !slices.ContainsFunc(t.actions, func(a *plan.Action) bool { return !r.result.Outcomes[a.ID].Status.inForce() })
}

// setOutcomes sets the outcome of those actions of a transaction that were done or may
// have been.
func (r *run) setOutcomes(t *transaction, to Status, why error) {
	for _, a := range t.actions {
		r.mu.Lock()
		had := r.result.Outcomes[a.ID].Status
		r.mu.Unlock()
		if had == Done || had == Unknown || had == "" {
			r.end(a, Outcome{to, why})
		}
	}
}

// recover handles the loss of the connection in the middle of a batch.
func (r *run) recover(ctx context.Context, w *work, t *transaction, p *progress, err error) error {
	err = p.finish(Unknown, err)
	var lost *remote.Error
	if errors.As(err, &lost) && lost.Kind == remote.KindScript {
		return err // sh could not parse the script, so nothing of it ran
	}
	return r.awaitRollback(ctx, w, t, err)
}

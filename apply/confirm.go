package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// confirm reads a node over a new connection. The old one proves nothing: a firewall may
// let established connections through and no new one. If the node is as planned, and the
// gateways that answered before still answer, confirm writes the record and stops the
// timer. Otherwise it puts the node back at once, and returns why.
func (r *run) confirm(ctx context.Context, w *work, t *transaction) error {
	conn, err := w.Dial(ctx)
	if err != nil {
		return r.undoOrReport(ctx, w, t, w.Runner, fmt.Errorf("cannot be reached anew after the change: %w", err))
	}
	defer conn.Close()
	err = live.Shield(func() error {
		after, err := r.lookAgain(ctx, w, conn)
		if err != nil {
			return err
		}
		w.remember(after)
		if err := r.difference(w, state.Diff(w.settled.Have, w.settled.Want)); err != nil {
			return err
		}
		return r.checkHolders(ctx, w, t, conn)
	})
	err = w.awaitOthers(ctx, t, conn, err)
	if err != nil {
		return r.undoOrReport(ctx, w, t, conn, err)
	}
	if r.opts.Atomic && t.id != "" {
		w.open = append(w.open, t)
		return nil
	}
	return r.commit(ctx, w, t, conn, state.Confirm(w.settled, w.live))
}

// undoOrReport puts an armed node back. A node that is not armed stays as it is, and the
// result says that it is unconfirmed.
func (r *run) undoOrReport(ctx context.Context, w *work, t *transaction, conn remote.Runner, why error) error {
	w.endJoint(ctx)
	if t.id == "" {
		r.unconfirmed(w, why)
		return why
	}
	return r.rollBack(ctx, w, t, conn, why)
}

// lookAgain reads a node again, and probes the gateways that answered before. It is an
// error if one of them does not answer now.
func (r *run) lookAgain(ctx context.Context, w *work, conn remote.Runner) (live.Node, error) {
	read := live.NewScript(w.Question)
	nonce := shell.NewMark()
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	s.Add(&read.Lines)
	probeAgain(&s, w.probes)
	out, err := conn.Run(ctx, remote.Script{Body: s.String()})
	if err != nil {
		return live.Node{}, fmt.Errorf("cannot look at it again: %w", err)
	}
	text, silent, _ := strings.Cut(out.Stdout, nonce+" probes\n")
	out.Stdout = text
	after, err := read.Parse(out)
	if err != nil {
		return after, fmt.Errorf("cannot look at it again: %w", err)
	}
	if gateways := strings.Fields(silent); len(gateways) > 0 {
		return after, fmt.Errorf("%s answered before the change and does not any more", live.Said(strings.Join(gateways, ", ")))
	}
	return after, nil
}

// difference returns an error that lists what is not as wanted after the change. It leaves
// out the entries of actions that are known not to be done, and what is no part of the
// plan.
func (r *run) difference(w *work, left []state.Change) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	undone := map[state.Ref]bool{}
	for a := range w.actions() {
		if !r.result.Outcomes[a.ID].Status.inForce() {
			undone[a.Ref] = true
		}
	}
	var list []string
	for _, c := range left {
		if !undone[c.Ref] && !w.unrelated[c.Ref] {
			list = append(list, fmt.Sprintf("%s is %s instead of %s", c.Ref, plan.OrAbsent(c.Op == state.Add, c.Before), plan.OrAbsent(c.Op == state.Remove, c.After)))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return fmt.Errorf("not as wanted after the change: %s", strings.Join(list, "; "))
}

var errTooLate = errors.New("the confirmation came too late")

// commit makes a transaction final: it writes the record and stops the timer. If that
// fails it puts an armed node back, and returns why.
func (r *run) commit(ctx context.Context, w *work, t *transaction, conn remote.Runner, rec state.Record) error {
	text, err := r.finalScript(ctx, w, t, conn, rec)
	switch {
	case errors.Is(err, errTooLate):
		return r.rollBack(ctx, w, t, conn, fmt.Errorf("nobody could confirm the change within %s", r.opts.Rollback))
	case err != nil:
		return r.undoOrReport(ctx, w, t, conn, err)
	}
	w.wrote(rec, text)
	t.confirmed = r.opts.Atomic && t.id != ""
	return nil
}

// finalScript writes what is to stay, the record among it, and stops the timer, in this
// order: if the disk is full, the timer still puts the node back. In an apply of all nodes
// or none the rollback stays in its folder. It returns the record's text.
func (r *run) finalScript(ctx context.Context, w *work, t *transaction, conn remote.Runner, rec state.Record) (string, error) {
	nonce := shell.NewMark()
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	text, err := r.recordText(rec)
	if err != nil {
		return "", err
	}
	if text != "" {
		stageRecord(&s, rec.Topology, text)
	}
	if t.id != "" {
		t.resume(&s, r.rollbackSeconds(w))
		t.settle(&s)
		s.Must(shell.Disarm)
	}
	if text == "" {
		removeRecord(&s, rec.Topology)
	} else {
		placeRecord(&s, rec.Topology)
	}
	if t.id != "" && !r.opts.Atomic {
		s.Line(shell.Call(shell.Clear))
	}
	s.Line(shell.Call(shell.Say, "done", "all"))
	out, err := conn.Run(ctx, remote.Script{Body: s.String()})
	if err != nil {
		return "", err
	}
	err = stopped(nonce, out.Stdout)
	switch {
	case strings.Contains(out.Stdout, nonce+" done all"):
		return text, nil
	case err == nil:
		return "", errors.New("the script that confirms the change ended before its last step")
	}
	return "", err
}

// stopped is why a script ended before its last step, if it said so.
func stopped(nonce, out string) error {
	said, why, stopped := strings.Cut(out, nonce+" stopped ")
	switch {
	case !stopped:
		return nil
	case strings.HasPrefix(why, "too late"):
		return errTooLate
	}
	return fmt.Errorf("%s: %s", live.Said(strings.TrimSpace(why)), lastLine(strings.Split(said, "\n"), "no message"))
}

// removeAdopted removes the records that this topology has taken over, when its own
// record holds all their entries. Until then both records are there, and a plan says so.
func (r *run) removeAdopted(ctx context.Context, w *work) {
	r.mu.Lock()
	good := w.failure == nil && r.result.Reverted[w.plan.Name] == nil && r.result.Unconfirmed[w.plan.Name] == nil
	r.mu.Unlock()
	if !good || !w.plan.Usable() || len(w.plan.Adopts) == 0 {
		return
	}
	nonce := shell.NewMark()
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	for _, old := range w.plan.Adopts {
		removeRecord(&s, old)
	}
	out, err := w.Runner.Run(ctx, remote.Script{Body: s.String()})
	if err == nil {
		err = stopped(nonce, out.Stdout)
	}
	if err != nil {
		r.unconfirmed(w, fmt.Errorf("cannot take away the record that was taken over: %w", err))
	}
}

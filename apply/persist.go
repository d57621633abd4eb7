package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

var errPartial = errors.New("the rest of the node is not as wanted, and this would bring it back after a reboot")

// persist writes a node's files for the next boot, when everything else of the node is
// confirmed. No rollback undoes it, because it changes nothing that is live. If it fails,
// the node is as wanted until its next reboot.
func (r *run) persist(ctx context.Context, w *work) {
	if len(w.forBoot) == 0 {
		return
	}
	todo := r.toPersist(ctx, w)
	if len(todo) == 0 {
		return
	}
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	if err := r.begin(w); err != nil {
		_ = r.abandon(todo, err)
		return
	}
	defer r.nodeEnded(w)
	ctx = context.WithoutCancel(ctx)
	nonce := shell.NewMark()
	final := w.settled.RecordAfterFiles(w.live)
	text, err := r.recordText(final)
	if err != nil {
		w.failure = r.abandon(todo, err)
		return
	}
	script, err := r.persistScript(w, todo, nonce, final.Topology, text)
	if err != nil {
		w.failure = r.abandon(todo, err)
		return
	}
	w.unsure = true
	p := &progress{nonce: nonce, actions: todo, run: r, work: w}
	_, err = w.Runner.Run(ctx, remote.Script{Body: script, Line: p.line, Limit: batchLimit})
	switch {
	case err != nil:
		w.failure = p.finish(Unknown, err)
	case p.next == len(todo) && p.failure != nil:
		w.failure = p.failure
		r.unconfirmed(w, p.failure) // only the record could not be written
	default:
		if w.failure = p.finish(Skipped, p.failure); w.failure == nil {
			w.wrote(final, text)
		}
	}
}

// toPersist ends the actions that cannot be done or are done already, and returns the
// others.
func (r *run) toPersist(ctx context.Context, w *work) []*plan.Action {
	var todo []*plan.Action
	partial := error(nil)
	for _, b := range w.batches {
		for _, a := range b.actions {
			r.mu.Lock()
			if !r.result.Outcomes[a.ID].Status.inForce() {
				partial = errPartial
			}
			r.mu.Unlock()
		}
	}
	for _, a := range w.forBoot {
		err := r.obstacle(ctx, w, a)
		if err == nil {
			err = partial
		}
		switch {
		case err != nil:
			r.end(a, Outcome{Skipped, err})
		case w.already[a.ID]:
			r.end(a, Outcome{Status: Already})
		default:
			todo = append(todo, a)
		}
	}
	return todo
}

// persistScript makes the script that writes the files. It first writes a record with
// what was there before, so that a cut connection loses nothing, and last the record of
// what is there: its text, or "" for none.
func (r *run) persistScript(w *work, actions []*plan.Action, nonce, topology, record string) (string, error) {
	intended, err := r.encodeRecord(w.settled.RecordBeforeFiles(w.live))
	if err != nil {
		return "", err
	}
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	writeRecord(&s, topology, intended)
	for _, a := range actions {
		step(&s, a)
	}
	if slices.ContainsFunc(actions, func(a *plan.Action) bool { return a.Kind == state.KindUnit }) {
		s.Line(shell.Call(shell.SyncUnits)) // the node's own tools do not
	}
	if record == "" {
		removeRecord(&s, topology)
	} else {
		writeRecord(&s, topology, record)
	}
	return s.String(), nil
}

package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/plan"
)

var errPartial = errors.New("the rest of the node is not as wanted, and this would bring it back after a reboot")

// persist writes what brings a node back after a reboot as it is now. It comes
// when all else of the node is confirmed, and no rollback undoes it: nothing that
// runs changes by it. What fails here leaves the node as wanted until it is
// rebooted.
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
	ctx = context.WithoutCancel(ctx)
	nonce := shell.NewMark()
	script, err := persistScript(w, todo, nonce)
	if err != nil {
		w.failure = r.abandon(todo, err)
		return
	}
	p := &progress{nonce: nonce, actions: todo, run: r, work: w}
	_, err = w.Runner.Run(ctx, remote.Script{Body: script, Line: p.line, Limit: batchLimit})
	switch {
	case err != nil:
		w.failure = p.finish(Unknown, err)
	case p.next == len(todo) && p.failure != nil:
		w.failure = p.failure
		r.unconfirmed(w, p.failure) // all is written but the record
	default:
		w.failure = p.finish(Skipped, p.failure)
	}
}

// toPersist gives an outcome to what cannot be written, or is there already, and
// returns the rest.
func (r *run) toPersist(ctx context.Context, w *work) []*plan.Action {
	var todo []*plan.Action
	partial := error(nil)
	for _, b := range w.batches {
		for _, a := range b.actions {
			r.mu.Lock()
			if !r.result.Outcomes[a.ID].Status.holds() {
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

// persistScript writes a record that knows what was there before, then each file,
// then the record of what is there.
func persistScript(w *work, actions []*plan.Action, nonce string) (string, error) {
	intended, err := encodeRecord(w.settled.RecordBeforeFiles(w.live))
	if err != nil {
		return "", err
	}
	final := w.settled.RecordAfterFiles(w.live)
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	writeRecord(&s, final.Topology, intended)
	for _, a := range actions {
		step(&s, a)
	}
	if final.Empty() {
		removeRecord(&s, final.Topology)
		return s.String(), nil
	}
	text, err := encodeRecord(final)
	if err != nil {
		return "", fmt.Errorf("cannot make the record: %w", err)
	}
	writeRecord(&s, final.Topology, text)
	w.record = text
	return s.String(), nil
}

package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// What records say of other nodes, see internal/state/member.go.
//
// When a node's block is deleted, only the directors' records still know the node. So its
// name is written before the first change anywhere, and removed after the last one. An
// apply may end at any moment: each node that holds something is named. A name too many
// costs one more visit to that node.
//
//	first   the records that name all get the names that are new, before anything is changed
//	        anywhere
//	then    whatever else is written to a record has all names
//	last    the names of nodes that hold nothing any more go: of orphans that were
//	        cleaned, and in a destroy of all

// membersSince is what a record is to say according to the plan, and whom it has come
// to name since.
func membersSince(planned plan.Members, now state.Membership) plan.Members {
	read := map[state.Place]bool{}
	for _, m := range slices.Concat(planned.Read.Others, planned.Others) {
		read[m.Place] = true
	}
	m := planned
	m.Others, m.Of = slices.Clone(m.Others), slices.Clone(m.Of)
	for _, o := range now.Others {
		if !read[o.Place] {
			m.Others, m.Of = append(m.Others, o), append(m.Of, "")
		}
	}
	return m
}

// nameFirst writes the names that are new into a record that names all.
func (r *run) nameFirst(ctx context.Context, w *work) {
	if w.failure != nil || ctx.Err() != nil || !w.members.Keeps {
		return
	}
	known := map[state.Place]bool{}
	for _, m := range w.rec.Members.Others {
		known[m.Place] = true
	}
	if !slices.ContainsFunc(w.members.Others, func(m state.Member) bool { return !known[m.Place] }) {
		return
	}
	rec := w.rec
	rec.Members = w.members.Membership
	if err := r.writeNames(ctx, w, rec); err != nil {
		w.failure = err
	}
}

// nameLast brings every record up to date: those of nodes that the topology no longer
// has come last, because they may be the only ones that know of others.
func (r *run) nameLast(ctx context.Context) {
	if ctx.Err() != nil {
		return // a name too many does no harm
	}
	clean := map[string]bool{}
	for name, w := range r.works {
		clean[name] = !w.unsure && !w.lastRecord().Holds()
	}
	told := false // one that stays knows of all
	for _, orphans := range []bool{false, true} {
		r.each(func(w *work) {
			if w.plan.Orphan == orphans && !w.unsure {
				r.updateNames(ctx, w, clean, told)
			}
		})
		for _, w := range r.works {
			told = told || !w.plan.Orphan && w.members.Keeps && !w.unsure
		}
	}
}

// lastRecord is the record to leave behind, but for what it says of other nodes.
func (w *work) lastRecord() state.Record {
	if w.rewrites() {
		return state.Confirm(w.settled, w.live)
	}
	return w.rec
}

// rewrites reports whether the record was to be written with nothing else to do, and
// was not yet.
func (w *work) rewrites() bool {
	return !w.written && w.failure == nil && w.plan.Usable() && (w.plan.Rewrite || len(w.plan.Adopts) > 0)
}

// updateNames writes a node's record if it is to say something else. told reports that
// others say what an orphan's does.
func (r *run) updateNames(ctx context.Context, w *work, clean map[string]bool, told bool) {
	rec := w.lastRecord()
	if w.members.Self.Host != "" {
		rec.Members = w.members.Membership
		rec.Members.Others = nil
		for i, m := range w.members.Others {
			gone := clean[w.members.Of[i]] || w.plan.Orphan && told && !rec.Holds()
			if !gone {
				rec.Members.Others = append(rec.Members.Others, m)
			}
		}
	}
	if !w.rewrites() && rec.Members.Equal(w.rec.Members) {
		return
	}
	if err := r.writeNames(ctx, w, rec); err != nil && w.failure == nil {
		w.failure = err
	}
}

// writeNames writes a node's record, unless that is what is there. The connection may be
// lost by now, or get lost: then it uses a new one.
func (r *run) writeNames(ctx context.Context, w *work, rec state.Record) error {
	text, err := r.recordText(rec)
	if err == nil && text != w.record {
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
		ctx = context.WithoutCancel(ctx)
		_, err = r.finalScript(ctx, w, &transaction{}, w.Runner, rec)
		var lost *remote.Error
		if errors.As(err, &lost) {
			var conn remote.Runner
			if conn, err = w.Dial(ctx); err == nil {
				defer conn.Close()
				_, err = r.finalScript(ctx, w, &transaction{}, conn, rec)
			}
		}
	}
	if err != nil {
		w.unsure = true
		r.unconfirmed(w, err)
		return err
	}
	w.rec, w.record = rec, text
	return nil
}

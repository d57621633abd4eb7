package apply

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// Transactions.
//
// Premise. A change may cut off the session that makes it, and lvsctl may be killed at any
// moment. So the node itself must be able to undo the change, and must do so unless it is
// told in time that the change stays. And it must be told over a connection that did not
// exist before the change.
//
// Terms. A transaction is one batch on one node. It has a folder below /run/lvsctl, which
// is empty after a reboot; the changes are gone then too, as their files are not written
// yet. keepalived.conf has to be there before: until the confirmation it is only lent to
// the node (internal/shell/keepalived_conf.sh). To arm a node is to write the rollback
// program into that folder and to start its timer. A step is an action on the node. It
// first leaves a mark in the folder, because an action that ended half-way must be undone
// too.
//
// The file armed decides between confirmation and rollback. The one that renames it first
// wins, and rename is atomic:
//
//	armed -> confirmed     lvsctl came back over a new connection and found the node
//	                       as planned
//	armed -> firing.PID    the timer ran out, or lvsctl asked for it: the rollback
//	-> fired               undoes each step that has a mark, the last one first
//
//	event                                 the node
//	a step fails                          is put back at once
//	the connection is lost                is put back by its timer; lvsctl waits and
//	                                      reads it
//	it is not as planned, or a gateway    is put back at once
//	that answered does not any more
//	the confirmation comes too late       was put back; the result says so
//	lvsctl is killed                      is put back by its timer
//	the node loses its power              boots as it was
//
// Each step and each long wait extends the deadline, so the time counts from the last sign
// of life. Example: --rollback-timeout 60s and ten steps, of which the third removes the
// route that this session needs. The session hangs, and the script runs to its end. 60 s
// after the tenth step the node undoes all ten. Meanwhile lvsctl dials every two seconds.
// When it gets through, it reads the node and compares: exit code 4.

// transaction is a batch that is under way on its node.
type transaction struct {
	// id is the name of its folder below /run/lvsctl, or "" if the node is not armed
	// (--no-rollback).
	id      string
	actions []*plan.Action
	// before is the node as it was, and as it must be after a rollback. rec is its record
	// then, and record the text of that.
	before state.Settled
	rec    state.Record
	record string
	// confirmed is set if the node was told that the change stays, while this can still
	// be taken back because other nodes were not told yet. It is set only with
	// Options.Atomic.
	confirmed bool
	// undone is set after a rollback, whether it succeeded or not.
	undone bool
}

// batchLimit is how long the script of one batch may take. It is long because servers may
// drain. A node that is silent is given up long before.
const batchLimit = 30 * time.Minute

// transact runs a batch, and then confirms it or puts the node back. Every action has an
// outcome when it returns. The error is why no further action of the node may be begun.
func (r *run) transact(ctx context.Context, w *work, actions []*plan.Action) error {
	rest, err := r.install(ctx, w, actions)
	switch {
	case err != nil:
		return r.abandon(rest, err)
	case len(rest) == 0:
		return r.confirm(ctx, w, &transaction{actions: actions, before: w.settled, rec: w.rec, record: w.record})
	}
	actions = rest
	nonce := shell.NewMark()
	t := &transaction{actions: actions, before: w.settled, rec: w.rec, record: w.record}
	if r.opts.Rollback > 0 {
		t.id = strings.TrimPrefix(nonce, "lvsctl-")
	}
	script, err := r.batchScript(w, t, nonce)
	if err != nil {
		return r.abandon(actions, err)
	}
	p := &progress{nonce: nonce, actions: actions, run: r, work: w, ready: func() { w.joint.waiting(ctx, w) }}
	w.unsure = true
	_, err = w.Runner.Run(ctx, remote.Script{Body: script, Line: p.line, Limit: batchLimit})
	switch {
	case err != nil && t.id == "":
		return p.finish(Unknown, err)
	case err != nil:
		w.endJoint(ctx)
		return r.recover(ctx, w, t, p, err)
	}
	failure := p.finish(Skipped, p.failure)
	if failure != nil {
		w.endJoint(ctx)
	}
	switch {
	case failure != nil && (t.id == "" || p.unarmed):
		w.unsure = t.id == ""
		return failure
	case failure != nil:
		return r.rollBack(ctx, w, t, w.Runner, failure)
	}
	return r.confirm(ctx, w, t)
}

// texts brings the texts that commands name by their hash, so that no command has a
// secret in it.
func (t *transaction) texts(s *shell.Script) {
	if !slices.ContainsFunc(t.actions, func(a *plan.Action) bool {
		return a.Kind == state.KindConf || a.Kind == state.KindKeepalived
	}) {
		return
	}
	for _, hash := range slices.Sorted(maps.Keys(t.before.Want.Texts)) {
		s.Line(shell.Call(shell.Text, hash, t.before.Want.Texts[hash].Text))
	}
}

// settle puts the files that the change has only lent to the node where they stay.
func (t *transaction) settle(s *shell.Script) {
	for _, a := range t.actions {
		if a.Kind == state.KindConf && a.Op != state.Remove {
			s.Must(shell.Settle, a.Key.String())
		}
	}
}

// batchScript makes the script of a batch. It arms the node, writes the record with what
// was there before, and then does the actions one by one.
func (r *run) batchScript(w *work, t *transaction, nonce string) (string, error) {
	record, err := r.encodeRecord(w.settled.Intent)
	if err != nil {
		return "", err
	}
	topology := w.settled.Intent.Topology
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	if t.id != "" {
		t.arm(&s, topology, r.rollbackSeconds(w))
	}
	t.texts(&s)
	if w.joint != nil && hasReload(t.actions) {
		s.Line(shell.Call(shell.Together, w.joint.token))
	}
	writeRecord(&s, topology, record)
	quiet := false
	for _, a := range t.actions {
		if len(a.Quiesce) > 0 && !quiet {
			quiet = true
			quiesce(&s, t.actions)
		}
		step(&s, a)
	}
	for _, c := range s.Closers() {
		s.Line(c, " 2>&1")
	}
	return s.String(), nil
}

// quiesce stops new traffic to everything that the batch removes, before it removes the
// first of it. Each of these actions counts as begun, so that a rollback undoes it.
func quiesce(s *shell.Script, actions []*plan.Action) {
	for _, a := range actions {
		for _, c := range a.Quiesce {
			s.Must(shell.Mark, strconv.Itoa(a.ID))
			try(s, a, c)
		}
	}
	s.Line(shell.Call(shell.DrainBegin))
}

// rollbackSeconds is how long a node waits to be confirmed before it puts itself back. If
// an apply of all nodes or none is killed, directors must put themselves back before the
// real servers that they send to. So the other nodes wait 5 s longer.
func (r *run) rollbackSeconds(w *work) int {
	seconds := int(r.opts.Rollback.Seconds())
	if r.opts.Atomic && w.plan.Role != "director" {
		seconds += 5
	}
	return max(seconds, 1)
}

// abandon ends actions that cannot be begun.
func (r *run) abandon(actions []*plan.Action, err error) error {
	for _, a := range actions {
		r.end(a, Outcome{Skipped, err})
	}
	return err
}

// step adds the commands of an action, between reports of its begin and end.
func step(s *shell.Script, a *plan.Action) {
	s.Must(shell.Begin, strconv.Itoa(a.ID))
	for _, c := range a.Do {
		try(s, a, c)
	}
	s.Line(shell.Call(shell.Say, "done", strconv.Itoa(a.ID)))
}

// try adds one command of an action. If it fails, the script reports that and ends.
func try(s *shell.Script, a *plan.Action, c shell.Command) {
	s.Line("{ ", c, "; } 2>&1 || { ", shell.Call(shell.Say, "failed", strconv.Itoa(a.ID)), " $?; return 0; }")
}

package apply

import (
	"context"
	"errors"
	"fmt"
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
// Premise. A change may cut off the session that makes it, and lvsctl may die at
// any moment. So the node itself has to know how to go back, and has to do so unless
// it is told in time that it need not. And whoever tells it must come over a
// connection that did not exist before the change.
//
// Terms. A transaction is one batch on one node. It is a folder below /run/lvsctl,
// which no reboot survives: nor does the change, until its files are written. To arm
// is to write the rollback program there and to start its timer. A step is an action
// that has begun; it leaves a mark in the folder first, because an action that ended
// half-way has to be undone too.
//
// Whoever renames the file armed has the word, and rename is atomic:
//
//	armed -> confirmed     lvsctl came back over a new connection and found the node
//	                       as planned
//	armed -> firing.PID    the timer ran out, or lvsctl said so: the rollback undoes
//	-> fired               each step that has a mark, the last first
//
//	what happens                          what becomes of the node
//	a step fails                          it is put back at once
//	the connection is lost                the timer puts it back; lvsctl waits and
//	                                      looks
//	it is not as planned, or a gateway    it is put back at once
//	that answered is silent
//	the confirmation comes too late       it was put back; the result says so
//	lvsctl is killed                      the timer puts it back
//	the node loses its power              it boots as it was
//
// Each step and each long wait puts the deadline off, so the time counts from the
// last sign of life. Example: --rollback-timeout 60s, ten steps, of which the third
// takes the route that this session needs. The session hangs, the script runs to its
// end, and 60 s after the tenth step the node undoes all ten. lvsctl has dialled
// every two seconds meanwhile, reads the node and compares: exit 4.

// transaction is one batch under way on its node: armed, changed, and then
// confirmed or rolled back.
type transaction struct {
	// id is its folder below /run/lvsctl; "" if nothing is armed (--no-rollback).
	id      string
	actions []*plan.Action
	// before is the node as the rollback has to find it again, and record the text
	// of its record then.
	before state.Settled
	record string
	// confirmed reports that its node was told that the change stays, and that this
	// can be taken back: so it is until every other node was told.
	confirmed bool
	// undone reports that its rollback was run, or waited for, whatever came of it.
	undone bool
}

// batchLimit is how long one batch may take in whole: it may drain servers. A node
// that falls silent is given up long before.
const batchLimit = 30 * time.Minute

// transact runs a batch and sees it confirmed or undone. The error is what
// stopped the node; every action has an outcome when it returns.
func (r *run) transact(ctx context.Context, w *work, actions []*plan.Action) error {
	rest, err := r.install(ctx, w, actions)
	switch {
	case err != nil:
		return r.abandon(rest, err)
	case len(rest) == 0:
		return r.confirm(ctx, w, &transaction{actions: actions, before: w.settled, record: w.record})
	}
	actions = rest
	nonce := shell.NewMark()
	t := &transaction{actions: actions, before: w.settled, record: w.record}
	if r.opts.Rollback > 0 {
		t.id = strings.TrimPrefix(nonce, "lvsctl-")
	}
	script, err := r.batchScript(w, t, nonce)
	if err != nil {
		return r.abandon(actions, err)
	}
	p := &progress{nonce: nonce, actions: actions, run: r, work: w}
	_, err = w.Runner.Run(ctx, remote.Script{Body: script, Line: p.line, Limit: batchLimit})
	switch {
	case err != nil && t.id == "":
		return p.finish(Unknown, err)
	case err != nil:
		return r.recover(ctx, w, t, p, err)
	}
	failure := p.finish(Skipped, p.failure)
	switch {
	case failure != nil && (t.id == "" || p.unarmed):
		return failure
	case failure != nil:
		return r.rollBack(ctx, w, t, w.Runner, failure)
	}
	return r.confirm(ctx, w, t)
}

// batchScript arms the node, writes the record that knows what was there before,
// then changes one thing after the other.
func (r *run) batchScript(w *work, t *transaction, nonce string) (string, error) {
	record, err := encodeRecord(w.settled.Intent)
	if err != nil {
		return "", err
	}
	topology := w.settled.Intent.Topology
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	if t.id != "" {
		t.arm(&s, topology, r.patience(w))
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

// quiesce keeps new traffic from all that leaves in this batch, before the first of
// it does. Each counts as begun, so that a rollback gives it back.
func quiesce(s *shell.Script, actions []*plan.Action) {
	for _, a := range actions {
		for _, c := range a.Quiesce {
			s.Must(shell.Mark, strconv.Itoa(a.ID))
			try(s, a, c)
		}
	}
	s.Line(shell.Call(shell.DrainBegin))
}

// patience is how many seconds a node waits to be confirmed. In an apply of all
// nodes or none that dies, directors put themselves back first: nobody sends
// traffic to a real server that has begun to forget it.
func (r *run) patience(w *work) int {
	seconds := int(r.opts.Rollback.Seconds())
	if r.opts.Atomic && w.plan.Role != "director" {
		seconds += 5
	}
	return max(seconds, 1)
}

func (r *run) abandon(actions []*plan.Action, err error) error {
	for _, a := range actions {
		r.end(a, Outcome{Skipped, err})
	}
	return err
}

// step runs an action's commands one by one.
func step(s *shell.Script, a *plan.Action) {
	s.Must(shell.Begin, strconv.Itoa(a.ID))
	for _, c := range a.Do {
		try(s, a, c)
	}
	s.Line(shell.Call(shell.Say, "done", strconv.Itoa(a.ID)))
}

// try runs one command of an action; the script ends where it fails.
func try(s *shell.Script, a *plan.Action, c shell.Command) {
	s.Line("{ ", c, "; } 2>&1 || { ", shell.Call(shell.Say, "failed", strconv.Itoa(a.ID)), " $?; return 0; }")
}

// progress follows a batch's script line by line.
type progress struct {
	nonce   string
	actions []*plan.Action
	run     *run
	work    *work
	next    int // the first action without an outcome
	armed   bool
	unarmed bool // it said that it cannot arm
	said    []string
	failure error
}

func (p *progress) line(text string) {
	words, marked := strings.CutPrefix(text, p.nonce+" ")
	if !marked {
		p.said = append(p.said, text)
		if note, ok := strings.CutPrefix(text, "note: "); ok {
			p.run.note(p.work, "%s", note)
		}
		return
	}
	verb, rest, _ := strings.Cut(words, " ")
	switch {
	case verb == "armed":
		p.armed = true
		return
	case verb == "stopped":
		p.unarmed = !p.armed
		p.failure = fmt.Errorf("%s: %s", rest, lastLine(p.said, "no message"))
		return
	case p.next >= len(p.actions):
		return
	}
	a := p.actions[p.next]
	switch verb {
	case "begin":
		p.said = nil
	case "done":
		p.run.end(a, Outcome{Status: Done})
		p.next++
	case "failed":
		id, status, _ := strings.Cut(rest, " ")
		if i := slices.IndexFunc(p.actions, func(a *plan.Action) bool { return strconv.Itoa(a.ID) == id }); i >= 0 {
			a = p.actions[i]
		}
		p.failure = fmt.Errorf("cannot %s %s: %s", a.Op, a.Ref, lastLine(p.said, "exit status "+status))
		p.run.end(a, Outcome{Failed, p.failure})
	}
}

func lastLine(said []string, otherwise string) string {
	for i := len(said) - 1; i >= 0; i-- {
		if s := strings.TrimSpace(said[i]); s != "" {
			return s
		}
	}
	return otherwise
}

// finish gives every action that is left an outcome: the rest of a script that
// stopped was not begun, that of one whose connection was lost is unknown.
func (p *progress) finish(rest Status, err error) error {
	if err == nil && p.next < len(p.actions) {
		err = errors.New("the script ended before its last step")
	}
	for ; p.next < len(p.actions); p.next++ {
		if a := p.actions[p.next]; !p.run.ended(a) {
			p.run.end(a, Outcome{rest, err})
		}
	}
	return err
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

package apply

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// work is one node during an apply.
type work struct {
	Node
	plan    *plan.Node
	batches []batch
	// forBoot are the actions of stage Persist. They come when all others are confirmed.
	forBoot []*plan.Action
	release func() // releases the lock
	// settled and live are from the last reading that is certain: under the lock, then
	// after each confirmation. rec is the node's record then, and record its text.
	settled state.Settled
	live    *state.State // settled was made from it
	rec     state.Record
	record  string
	// unsure is set while the record on the node may be another one than rec. written is
	// set when the record was written as the plan wants it.
	unsure, written bool
	// members is what the record says of other nodes while the apply goes on.
	members plan.Members
	// probes are the default gateways under the lock, and whether each answered.
	probes map[string]bool
	// already are the IDs of actions that somebody else has done. unrelated are the
	// entries that differed under the lock and are no part of the plan.
	already   map[int]bool
	unrelated map[state.Ref]bool
	// begun is set once anything is done on the node (pace.go). notBegun is why its next batch
	// is not, though the node could: somebody who goes first was not changed.
	begun    bool
	notBegun error
	// failure is why no further action of the node is begun, or nil.
	failure error
	// idle is locked while a batch runs.
	idle sync.Mutex
	// open are the transactions that are confirmed only when all other nodes are, with
	// Options.Atomic.
	open []*transaction
	// joint is that of the directors that reload keepalived when this one does; nil for
	// none.
	joint *jointReload
	// lost is set if the node stays changed although the others are put back: it was
	// confirmed and cannot be reached any more.
	lost bool
}

// actions returns all actions of the node, in order.
func (w *work) actions() iter.Seq[*plan.Action] {
	return func(yield func(*plan.Action) bool) {
		for _, b := range w.batches {
			for _, a := range b.actions {
				if !yield(a) {
					return
				}
			}
		}
		for _, a := range w.forBoot {
			if !yield(a) {
				return
			}
		}
	}
}

// LockedError is the error of a node that somebody else is applying to.
type LockedError struct {
	Node string // its name
	// Holder is the text in the lock: who, from where and since when.
	Holder string
	// Pending is how long it takes until the node puts itself back, if it has an armed
	// change of an apply that was cut off. Otherwise it is 0.
	Pending time.Duration
}

func (e *LockedError) Error() string {
	if e.Pending > 0 {
		return fmt.Sprintf("%s waits for an apply that was cut off (%s); it puts itself back in %s\nTry again then.", e.Node, e.Holder, e.Pending)
	}
	return fmt.Sprintf("%s is locked by another apply: %s\nThe lock goes when that apply ends, however it ends.", e.Node, e.Holder)
}

// lock locks a node, reads it under the lock, and compares it with what the plan was made
// from.
// lock locks a node and reads it. What keeps it from that is in the result.
func (r *run) lock(ctx context.Context, w *work) {
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	w.release, w.unsure = func() {}, true
	after, err := r.lockAndRead(ctx, w)
	var locked *LockedError
	switch {
	case errors.As(err, &locked):
		r.mu.Lock()
		r.result.Locked[w.plan.Name] = locked
		r.mu.Unlock()
	case err != nil:
		w.failure = err
		r.unconfirmed(w, err)
	default:
		r.compare(w, after)
	}
}

// lockAndRead takes the lock in a shell that lives until release is called, and reads the
// node in the same script, so that nobody comes between.
func (r *run) lockAndRead(ctx context.Context, w *work) (live.Node, error) {
	nonce := shell.NewMark()
	read := live.NewScript(w.Question)
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	s.Must(shell.Lock, r.opts.Owner)
	s.Add(&read.Lines)
	probe(&s)
	out, release, err := w.Runner.Hold(ctx, remote.Script{Body: s.String()})
	w.release = release
	if err != nil {
		return live.Node{}, err
	}
	said, rest, ok := strings.Cut(out.Stdout, nonce+" ")
	verdict, rest, _ := strings.Cut(rest, "\n")
	if !ok {
		return live.Node{}, errors.New("cannot lock it: it gave no answer")
	}
	verb, detail, _ := strings.Cut(verdict, " ")
	switch verb {
	case "held":
		return live.Node{}, &LockedError{Node: w.plan.Name, Holder: orSomebody(detail)}
	case "pending":
		seconds, holder, _ := strings.Cut(detail, " ")
		left, _ := time.ParseDuration(seconds + "s")
		return live.Node{}, &LockedError{Node: w.plan.Name, Holder: orSomebody(holder), Pending: max(left, time.Second)}
	case "unusable":
		return live.Node{}, fmt.Errorf("cannot lock it: %s", lastLine(strings.Split(said, "\n"), "no message"))
	}
	rest, probes, _ := strings.Cut(rest, nonce+" probes\n")
	w.probes = parseProbes(probes, r.leaving)
	out.Stdout = rest
	return read.Parse(out)
}

func orSomebody(holder string) string {
	if holder == "" {
		return "somebody"
	}
	return live.Said(holder)
}

// remember sets settled and live from a new reading.
func (w *work) remember(now live.Node) {
	if w.members.Self.Host != "" {
		now.Record.Members = w.members.Membership
	}
	w.settled, w.live = w.plan.Settle(now.State, now.Record), now.State
}

// compare decides which actions are still to be done. An entry that is as wanted by now
// needs no action. One that is as the plan found it is changed. Any other stops the node
// before its first change.
func (r *run) compare(w *work, now live.Node) {
	w.rec, w.record, w.unsure = now.Record, now.RecordText, false
	w.members = membersSince(w.plan.Members, now.Record.Members)
	w.remember(now)
	w.already, w.unrelated = map[int]bool{}, map[state.Ref]bool{}
	changes := map[state.Ref]state.Change{}
	for _, c := range state.Diff(w.settled.Have, w.settled.Want) {
		changes[c.Ref] = c
		w.unrelated[c.Ref] = true
	}
	stale := &plan.StaleError{Node: w.plan.Name}
	for a := range w.actions() {
		c, ok := changes[a.Ref]
		delete(w.unrelated, a.Ref)
		switch {
		case a.Held != "":
		case !ok:
			w.already[a.ID] = true
		case !a.Agrees(c):
			stale.Conflicts = append(stale.Conflicts, a.Conflict(c))
		}
	}
	if len(stale.Conflicts) > 0 {
		w.failure = stale
		r.mu.Lock()
		r.result.Stale[w.plan.Name] = stale
		r.mu.Unlock()
	}
}

// release releases all locks.
func (r *run) release() {
	for _, w := range r.works {
		w.release()
	}
}

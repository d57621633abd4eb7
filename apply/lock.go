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

// work is one node while it is worked on.
type work struct {
	Node
	plan    *plan.Node
	batches []batch
	// forBoot are the actions that come once all others are confirmed.
	forBoot []*plan.Action
	release func()
	// settled is the node as it was when it was last known for certain: under the
	// lock, then after each confirmation. record is the text of its record then.
	settled state.Settled
	live    *state.State // what settled was made from
	record  string
	probes  map[string]bool
	// already are the actions that need not be done any more, and unrelated what
	// differed under the lock and is no part of the plan.
	already   map[int]bool
	unrelated map[state.Ref]bool
	// failure is what stopped the node.
	failure error
	// idle is held while a batch runs.
	idle sync.Mutex
	// open are the transactions that wait for every other node's.
	open []*transaction
	// lost reports that the node stays changed: it was confirmed, and cannot be
	// reached to be put back.
	lost bool
}

// actions are all of the node's, in order.
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

// LockedError says that someone else is applying to a node.
type LockedError struct {
	Node string
	// Holder is who, from where and since when, as they wrote it there.
	Holder string
	// Pending is how long an apply that was cut off has until the node puts itself
	// back; 0 if it is not that.
	Pending time.Duration
}

func (e *LockedError) Error() string {
	if e.Pending > 0 {
		return fmt.Sprintf("%s waits for an apply that was cut off (%s); it puts itself back in %s\nTry again then.", e.Node, e.Holder, e.Pending)
	}
	return fmt.Sprintf("%s is locked by another apply: %s\nThe lock goes when that apply ends, however it ends.", e.Node, e.Holder)
}

// lock locks a node, reads it again under the lock and compares what the plan
// touches with what it was planned on.
func (r *run) lock(ctx context.Context, w *work) {
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	w.release = func() {}
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
	w.probes = parseProbes(probes)
	out.Stdout = rest
	return read.Parse(out)
}

func orSomebody(holder string) string {
	if holder == "" {
		return "somebody"
	}
	return holder
}

// remember keeps a node as it was just read.
func (w *work) remember(now live.Node) {
	w.settled, w.live = state.Settle(now.State, w.Want, now.Record, w.Exclusive), now.State
}

// compare settles the node anew and holds the plan against it: what is as wanted
// by now is skipped, what is as planned on is done, anything else stops the node
// before its first change.
func (r *run) compare(w *work, now live.Node) {
	w.remember(now)
	w.record = now.RecordText
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

// release lets go of every lock.
func (r *run) release() {
	for _, w := range r.works {
		w.release()
	}
}

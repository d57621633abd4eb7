// Package apply carries a plan out: the same actions, in the same order, and
// then a look at every node to see that it is as wanted.
//
// Each node's actions travel in at most two scripts (what makes, then what
// takes away), because another node's may have to come between. apply decides
// nothing about what to change: that is the plan's.
package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// Node is how an apply reaches one node of a plan.
type Node struct {
	// Runner is the connection that read the node.
	Runner remote.Runner
	// Dial makes a new one: a change is confirmed over a connection that did not
	// exist when it was made.
	Dial func(context.Context) (remote.Runner, error)
	// Question reads the node again, and Want is what it should then have.
	Question  live.Question
	Want      *state.State
	Exclusive bool
}

// Options are how to apply.
type Options struct {
	// Parallelism is how many nodes are worked on at once; 0 means 1.
	Parallelism int
	// Rollback is how long a node waits for a change to be confirmed before it
	// puts itself back; 0 arms nothing.
	Rollback time.Duration
	// Atomic confirms nothing until every node could be: all nodes or none.
	Atomic bool
	// Owner is who holds the nodes' locks: user@host.
	Owner string
	// Event, if set, is told what happens as it happens. It is called by one
	// goroutine at a time.
	Event func(Event)
}

// Event is one thing that happened: an action that came to its end or, with a
// nil Action, something about the whole node.
type Event struct {
	Node   string
	Action *plan.Action
	Note   string // without an Action
	Outcome
}

// Outcome is what became of an action.
type Outcome struct {
	Status Status
	// Err says why it was not done.
	Err error
}

// Status is how an action ended.
type Status string

// The ways an action ends. Already is one that somebody else has done since the
// plan was made, Unknown one whose node fell silent before it could say.
const (
	Done       Status = "done"
	Already    Status = "already done"
	Failed     Status = "failed"
	Skipped    Status = "skipped"
	RolledBack Status = "rolled back"
	Unknown    Status = "unknown"
)

// holds reports whether the change is in force.
func (s Status) holds() bool { return s == Done || s == Already }

// Result is what became of a plan.
type Result struct {
	Plan     *plan.Plan
	Outcomes map[int]Outcome // by action ID; nil if nothing was begun
	// Locked names who else is applying to a node. Nothing was changed anywhere
	// when there is one.
	Locked map[string]*LockedError
	// Stale are the nodes that were no longer as planned on.
	Stale map[string]*plan.StaleError
	// Reverted are the nodes that were put back, and why.
	Reverted map[string]error
	// Unconfirmed are the nodes that are not as wanted afterwards, or could not
	// be looked at, and why.
	Unconfirmed map[string]error
}

// Nothing is the result of a plan that asks for nothing.
func Nothing(p *plan.Plan) Result {
	return Result{Plan: p, Stale: staleNodes(p)}
}

func staleNodes(p *plan.Plan) map[string]*plan.StaleError {
	stale := map[string]*plan.StaleError{}
	for _, n := range p.Nodes {
		if n.Stale != nil {
			stale[n.Name] = n.Stale
		}
	}
	return stale
}

// How an apply runs.
//
//	lock      every node, and read it under the lock. If one is locked by somebody
//	          else, nothing is changed anywhere. What differs from the plan by now
//	          stops its node alone.
//	change    every node by itself, one script a batch. A batch waits until all that
//	          its actions need on other nodes has ended, well or not; an action
//	          whose need did not end well is skipped. So there is no global step,
//	          and a slow node holds up those alone that depend on it.
//	confirm   after each batch, over a new connection.
//	persist   a node's files for its next boot, once all else of it is confirmed.
//
// Each node has a goroutine of its own for each of these. A batch waits for stages
// of other nodes only, and the stages are in one order (plan/stage.go), so no two
// batches can wait for each other. How many scripts run at once is limited by slots;
// waiting takes none.

// run is one apply under way.
type run struct {
	*plan.Plan
	opts Options
	// slots has room for as many as may run a script at once.
	slots chan struct{}
	// works are the nodes that have anything to do, by name.
	works map[string]*work

	// mu guards result, and calls of Options.Event.
	mu     sync.Mutex
	result *Result
	// batches are closed when all actions of a node's stage have an outcome, and
	// stageOf says which of them an action, by its ID, belongs to.
	batches map[batchKey]chan struct{}
	stageOf map[int]batchKey
}

// batchKey is one node's part of a stage.
type batchKey struct {
	node  string
	stage plan.Stage
}

// batch is what one script does: a node's actions of one or two stages that
// nothing on another node has to come between.
type batch struct {
	keys    []batchKey
	actions []*plan.Action
}

// Run carries out a plan. When ctx ends, no further script is begun; those
// under way are finished and confirmed, so that no node is left in between.
func Run(ctx context.Context, p *plan.Plan, nodes map[string]Node, o Options) Result {
	result := Result{
		Plan: p, Outcomes: make(map[int]Outcome, len(p.Actions)),
		Locked: map[string]*LockedError{}, Stale: staleNodes(p),
		Reverted: map[string]error{}, Unconfirmed: map[string]error{},
	}
	r := &run{
		Plan: p, opts: o, result: &result,
		slots:   make(chan struct{}, max(o.Parallelism, 1)),
		works:   map[string]*work{},
		batches: map[batchKey]chan struct{}{},
		stageOf: make(map[int]batchKey, len(p.Actions)),
	}
	byNode, forBoot := r.split()
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if len(byNode[n.Name]) > 0 || len(forBoot[n.Name]) > 0 || n.Chosen && (n.Rewrite || len(n.Adopts) > 0 && n.Usable()) {
			r.works[n.Name] = &work{Node: nodes[n.Name], plan: n, batches: byNode[n.Name], forBoot: forBoot[n.Name]}
		}
	}
	defer r.release()
	r.each(func(w *work) { r.lock(ctx, w) })
	if len(result.Locked) > 0 {
		result.Outcomes = nil
		return result
	}
	stop := r.heartbeat(ctx)
	r.each(func(w *work) { r.node(ctx, w) })
	stop()
	r.concludeAtomic(ctx)
	r.each(func(w *work) { r.removeAdopted(context.WithoutCancel(ctx), w) })
	return result
}

// each runs a step for every node at once. How many scripts run at a time is
// limited where they run: a node that only waits takes no slot. A panic ends the
// work on its node alone.
func (r *run) each(step func(*work)) {
	var group sync.WaitGroup
	for _, w := range r.works {
		group.Go(func() {
			if err := live.Shield(func() error { step(w); return nil }); err != nil {
				r.giveUp(w, err)
			}
		})
	}
	group.Wait()
}

// giveUp leaves a node as it is; what is armed there puts itself back.
func (r *run) giveUp(w *work, err error) {
	w.failure = err
	r.unconfirmed(w, err)
	for a := range w.actions() {
		if !r.ended(a) {
			r.end(a, Outcome{Unknown, err})
		}
	}
}

// split makes each node's batches. A director's making and taking away go in
// one script: real servers wait for it, it waits for nobody in between.
func (r *run) split() (byNode map[string][]batch, forBoot map[string][]*plan.Action) {
	byNode, forBoot = map[string][]batch{}, map[string][]*plan.Action{}
	for i := range r.Actions {
		a := &r.Actions[i]
		if a.Stage == plan.Persist {
			forBoot[a.Node] = append(forBoot[a.Node], a)
			continue
		}
		k := batchKey{a.Node, a.Stage}
		r.stageOf[a.ID] = k
		list := byNode[a.Node]
		if _, ok := r.batches[k]; !ok {
			r.batches[k] = make(chan struct{})
			if len(list) == 0 || a.Stage != plan.Stop {
				list = append(list, batch{})
			}
			list[len(list)-1].keys = append(list[len(list)-1].keys, k)
		}
		list[len(list)-1].actions = append(list[len(list)-1].actions, a)
		byNode[a.Node] = list
	}
	return byNode, forBoot
}

// node carries out one node's batches, one transaction each.
func (r *run) node(ctx context.Context, w *work) {
	waited := w.batches // that others wait for
	end := func() {
		for _, k := range waited[0].keys {
			close(r.batches[k])
		}
		waited = waited[1:]
	}
	defer func() {
		for len(waited) > 0 { // it did not come that far
			end()
		}
	}()
	for _, b := range w.batches {
		r.await(b)
		if todo := r.filter(ctx, w, b); len(todo) > 0 {
			r.change(ctx, w, todo)
		}
		end()
	}
	if !r.opts.Atomic {
		r.persist(ctx, w)
	}
	if w.plan.Rewrite && w.failure == nil {
		if err := r.rewrite(context.WithoutCancel(ctx), w); err != nil {
			r.unconfirmed(w, err)
		}
	}
}

// change runs one batch, in a slot of its own.
func (r *run) change(ctx context.Context, w *work, todo []*plan.Action) {
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	w.idle.Lock()
	defer w.idle.Unlock()
	err := live.Shield(func() error {
		w.failure = r.transact(context.WithoutCancel(ctx), w, todo)
		return nil
	})
	if err != nil {
		for _, a := range todo { // done or not: what is armed puts itself back
			r.end(a, Outcome{Unknown, err})
		}
		r.giveUp(w, err)
	}
}

// await waits until everything that a batch needs of other nodes has ended.
func (r *run) await(b batch) {
	for _, a := range b.actions {
		for _, id := range a.Needs {
			<-r.batches[r.stageOf[id]]
		}
	}
}

// filter decides the outcome of actions that cannot be done, or are done
// already, and returns the others.
func (r *run) filter(ctx context.Context, w *work, b batch) []*plan.Action {
	var todo []*plan.Action
	var stopped error
	for _, a := range b.actions {
		err := r.obstacle(ctx, w, a)
		if err == nil && a.Stage == plan.Clear {
			err = stopped
		}
		switch {
		case err == nil && w.already[a.ID]:
			r.end(a, Outcome{Status: Already})
		case err == nil:
			todo = append(todo, a)
		default:
			if a.Stage == plan.Clear {
				// What follows takes apart what this one still needs.
				stopped = err
			}
			r.end(a, Outcome{Skipped, err})
		}
	}
	return todo
}

var errInterrupted = errors.New("interrupted before it was begun")

// obstacle says why an action cannot be begun now; nil if it can.
func (r *run) obstacle(ctx context.Context, w *work, a *plan.Action) error {
	switch {
	case a.Held != "":
		return errors.New(a.Held)
	case w.failure != nil:
		return w.failure
	case ctx.Err() != nil:
		return errInterrupted
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range a.Needs {
		if !r.result.Outcomes[id].Status.holds() {
			return fmt.Errorf("%s is not ready", r.stageOf[id].node)
		}
	}
	return nil
}

func (r *run) end(a *plan.Action, o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Outcomes[a.ID] = o
	if r.opts.Event != nil {
		r.opts.Event(Event{Node: a.Node, Action: a, Outcome: o})
	}
}

func (r *run) ended(a *plan.Action) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.result.Outcomes[a.ID].Status != ""
}

func (r *run) note(w *work, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opts.Event != nil {
		r.opts.Event(Event{Node: w.plan.Name, Note: fmt.Sprintf(format, args...)})
	}
}

func (r *run) unconfirmed(w *work, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Unconfirmed[w.plan.Name] = err
}

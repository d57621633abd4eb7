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
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

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
	// Event, if set, is told what happens as it happens. It is called by one
	// goroutine at a time.
	Event func(Event)
}

// Event is one thing that happened: an action that came to its end or, with a
// nil Action, something about the whole node.
type Event struct {
	Node   string
	Action *plan.Action
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

// The ways an action ends. Unknown is a change whose node fell silent before
// it could say.
const (
	Done    Status = "done"
	Failed  Status = "failed"
	Skipped Status = "skipped"
	Unknown Status = "unknown"
)

// Result is what became of a plan.
type Result struct {
	Plan     *plan.Plan
	Outcomes map[int]Outcome // by action ID
	// Unconfirmed are the nodes that are not as wanted afterwards, or could not
	// be looked at, and why.
	Unconfirmed map[string]error
}

// run is one apply under way.
type run struct {
	*plan.Plan
	nodes map[string]Node
	opts  Options
	slots chan struct{}

	mu       sync.Mutex
	outcomes map[int]Outcome
	// batches are closed when all actions of a node's stage have an outcome.
	batches map[batchKey]chan struct{}
	stageOf map[int]batchKey
}

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
	r := &run{
		Plan: p, nodes: nodes, opts: o,
		slots:    make(chan struct{}, max(o.Parallelism, 1)),
		outcomes: make(map[int]Outcome, len(p.Actions)),
		batches:  map[batchKey]chan struct{}{},
		stageOf:  make(map[int]batchKey, len(p.Actions)),
	}
	byNode := r.split()
	result := Result{Plan: p, Outcomes: r.outcomes, Unconfirmed: map[string]error{}}
	var group errgroup.Group
	for i := range p.Nodes {
		n := &p.Nodes[i]
		batches := byNode[n.Name]
		if len(batches) == 0 && !(n.Chosen && n.Forget) {
			continue
		}
		group.Go(func() error {
			if err := r.node(ctx, n, batches); err != nil {
				r.mu.Lock()
				result.Unconfirmed[n.Name] = err
				r.mu.Unlock()
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return nil: each node's error is its own
	return result
}

// split makes each node's batches. A director's making and taking away go in
// one script: real servers wait for it, it waits for nobody in between.
func (r *run) split() map[string][]batch {
	byNode := map[string][]batch{}
	for i := range r.Actions {
		a := &r.Actions[i]
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
	return byNode
}

// node carries out one node's batches, then confirms them.
func (r *run) node(ctx context.Context, n *plan.Node, batches []batch) error {
	var failure error
	begun := n.Forget
	for _, b := range batches {
		r.await(b)
		todo := r.filter(ctx, b, failure)
		if len(todo) > 0 {
			r.slots <- struct{}{}
			failure = r.script(context.WithoutCancel(ctx), n, todo, !begun)
			<-r.slots
			begun = true
		}
		for _, k := range b.keys {
			close(r.batches[k])
		}
	}
	if !begun {
		return nil
	}
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	return r.confirm(context.WithoutCancel(ctx), n)
}

// await waits until everything that a batch needs of other nodes has ended.
func (r *run) await(b batch) {
	for _, a := range b.actions {
		for _, id := range a.Needs {
			<-r.batches[r.stageOf[id]]
		}
	}
}

// filter settles the outcome of actions that cannot be done and returns the
// others.
func (r *run) filter(ctx context.Context, b batch, failure error) []*plan.Action {
	var todo []*plan.Action
	var stopped error
	for _, a := range b.actions {
		err := r.obstacle(ctx, a, failure)
		if err == nil && a.Stage == plan.Clear {
			err = stopped
		}
		if err == nil {
			todo = append(todo, a)
			continue
		}
		if a.Stage == plan.Clear && stopped == nil {
			// What follows takes apart what this one still needs.
			stopped = err
		}
		r.end(a, Outcome{Skipped, err})
	}
	return todo
}

var errInterrupted = errors.New("interrupted before it was begun")

func (r *run) obstacle(ctx context.Context, a *plan.Action, failure error) error {
	switch {
	case a.Held != "":
		return errors.New(a.Held)
	case failure != nil:
		return failure
	case ctx.Err() != nil:
		return errInterrupted
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range a.Needs {
		if o := r.outcomes[id]; o.Status != Done {
			return fmt.Errorf("%s is not ready", r.stageOf[id].node)
		}
	}
	return nil
}

func (r *run) end(a *plan.Action, o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcomes[a.ID] = o
	if r.opts.Event != nil {
		r.opts.Event(Event{Node: a.Node, Action: a, Outcome: o})
	}
}

// Complete reports whether everything was done and every node is as wanted.
func (res Result) Complete() bool {
	for _, o := range res.Outcomes {
		if o.Status != Done {
			return false
		}
	}
	return len(res.Unconfirmed) == 0 && len(res.Plan.Unreadable()) == 0 && len(res.Plan.Blocked()) == 0
}

// Count counts what was done, as [plan.Plan.Count] does what is to be.
func (res Result) Count() plan.Counts {
	done := &plan.Plan{}
	for _, a := range res.Plan.Actions {
		if res.Outcomes[a.ID].Status == Done {
			done.Actions = append(done.Actions, a)
		}
	}
	return done.Count()
}

// Summary is the last line of an apply. Its wording is stable: scripts read it.
func (res Result) Summary(verb string) string {
	c := res.Count()
	text := fmt.Sprintf("%d added, %d changed, %d destroyed on %s.", c.Add, c.Change, c.Destroy, plan.Plural(c.Nodes, "node"))
	if res.Complete() {
		return verb + " complete: " + text
	}
	return verb + " incomplete: " + text + " Not done: " + strings.Join(res.shortcomings(), ", ") + "."
}

// shortcomings names the nodes on which something is missing, in order.
func (res Result) shortcomings() []string {
	left := map[string]int{}
	for _, a := range res.Plan.Actions {
		if res.Outcomes[a.ID].Status != Done {
			left[a.Node]++
		}
	}
	var list []string
	for _, n := range res.Plan.Nodes {
		switch {
		case !n.Chosen:
		case n.Unreadable != nil:
			list = append(list, n.Name+" (could not be read)")
		case len(n.Problems) > 0:
			list = append(list, n.Name+" (cannot be changed)")
		case left[n.Name] > 0:
			list = append(list, n.Name+" ("+plan.Plural(left[n.Name], "change")+")")
		case res.Unconfirmed[n.Name] != nil:
			list = append(list, n.Name+" (not confirmed)")
		}
	}
	return list
}

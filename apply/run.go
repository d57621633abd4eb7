package apply

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/plan"
)

// How an apply runs.
//
//	lock      Every node is locked, and read under the lock. If somebody else has
//	          one's lock, nothing is changed anywhere. A node that differs from the
//	          plan by now is not changed; the others are.
//	change    Every node runs its batches, one script each. Before a batch the node
//	          waits until the actions that it needs on other nodes have ended. If one
//	          of them did not succeed, the action that needs it is skipped. So a slow
//	          node delays only the nodes that depend on it.
//	confirm   After each batch the node is read over a new connection.
//	persist   A node gets its files for the next boot when everything else of it is
//	          confirmed.
//	name      Before the first change the directors' records get the names of all nodes
//	          that are to be changed. At the end they name those that hold something
//	          (names.go).
//
// In each step every node has a goroutine. A batch waits only for earlier stages of other
// nodes, and the stages have one order (plan/stage.go), so no two batches wait for each
// other. slots limits how many scripts run at the same time. A node that waits has no
// slot.
//
// Example. director lvs gets a new server on web. web's batch (Ready) runs at once. lvs's
// batch (Send) begins with an action that needs web's, so it waits. If web fails, lvs
// skips that action and does its others.

// run is an apply that is under way.
type run struct {
	*plan.Plan
	opts Options
	// nodes is how each node of the plan is reached.
	nodes map[string]Node
	// slots has one element for each script that runs. Its capacity is the limit.
	slots chan struct{}
	// works are the nodes with actions, or with a record to write, by name.
	works map[string]*work
	// leaving are the addresses that the plan takes away; see [plan.Plan.Leaving].
	leaving map[netip.Addr]bool

	// mu guards result, and calls of Options.Event.
	mu     sync.Mutex
	result *Result
	// batches has a channel for each stage of a node, which is closed when all its
	// actions have an outcome. stageOf is the stage of each action, by its ID.
	batches map[batchKey]chan struct{}
	stageOf map[int]batchKey
	// waits are who goes before a batch, and ofBatch the actions of each; see pace.go.
	waits   map[batchKey][]*awaited
	ofBatch map[batchKey][]*plan.Action
	// failed is how many nodes have failed. mu guards it.
	failed int
}

// Run does a plan. nodes are by name. After ctx ends it begins no further script. It
// finishes and confirms those that are running, so that no node is left half-way. Errors
// are in the result.
func Run(ctx context.Context, p *plan.Plan, nodes map[string]Node, o Options) Result {
	result := Result{
		Plan: p, Outcomes: make(map[int]Outcome, len(p.Actions)),
		Locked: map[string]*LockedError{}, Stale: staleNodes(p),
		Reverted: map[string]error{}, Unconfirmed: map[string]error{},
	}
	r := &run{
		Plan: p, opts: o, nodes: nodes, result: &result,
		slots:   make(chan struct{}, max(o.Parallelism, 1)),
		works:   map[string]*work{},
		leaving: p.Leaving(),
		batches: map[batchKey]chan struct{}{},
		stageOf: make(map[int]batchKey, len(p.Actions)),
	}
	byNode, forBoot := r.split()
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if len(byNode[n.Name]) > 0 || len(forBoot[n.Name]) > 0 || n.Chosen && (n.Rewrite || n.NamesOnly || len(n.Adopts) > 0 && n.Usable()) {
			r.works[n.Name] = &work{Node: nodes[n.Name], plan: n, batches: byNode[n.Name], forBoot: forBoot[n.Name]}
		}
	}
	defer r.release()
	r.each(func(w *work) { r.lock(ctx, w) })
	if len(result.Locked) > 0 {
		result.Outcomes = nil
		return result
	}
	r.each(func(w *work) { r.nameFirst(ctx, w) })
	r.findJointReloads()
	r.pace()
	stop := r.heartbeat(ctx)
	r.each(func(w *work) { r.node(ctx, w) })
	stop()
	r.concludeAtomic(ctx)
	r.nameLast(ctx)
	r.each(func(w *work) { r.removeAdopted(context.WithoutCancel(ctx), w) })
	return result
}

// each runs a step for all nodes at the same time, each in a goroutine. A panic ends only
// the work on its node.
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

// giveUp ends the work on a node and leaves it as it is. If it is armed, it puts itself
// back.
func (r *run) giveUp(w *work, err error) {
	w.failure, w.unsure = err, true
	r.unconfirmed(w, err)
	for a := range w.actions() {
		if !r.ended(a) {
			r.end(a, Outcome{Unknown, err})
		}
	}
}

// node runs the batches of one node, each as a transaction.
func (r *run) node(ctx context.Context, w *work) {
	waited := w.batches // those that other nodes still wait for
	end := func() {
		for _, k := range waited[0].keys {
			close(r.batches[k])
		}
		waited = waited[1:]
	}
	defer func() {
		for len(waited) > 0 { // after a panic
			end()
		}
	}()
	defer w.endJoint(context.WithoutCancel(ctx))
	boot := batchKey{w.plan.Name, plan.Persist}
	defer func() {
		if ch := r.batches[boot]; ch != nil {
			close(ch)
		}
	}()
	for _, b := range w.batches {
		r.await(b)
		w.notBegun = r.awaitTurn(w, b.keys...)
		if todo := r.filter(ctx, w, b); len(todo) > 0 {
			r.change(ctx, w, todo)
		}
		end()
	}
	if !r.opts.Atomic {
		w.notBegun = r.awaitTurn(w, boot)
		r.persist(ctx, w)
	}
}

// change runs one batch. It waits for a free slot, unless others wait for its reload.
func (r *run) change(ctx context.Context, w *work, todo []*plan.Action) {
	if w.joint == nil {
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
	}
	w.idle.Lock()
	defer w.idle.Unlock()
	if err := r.begin(w); err != nil {
		_ = r.abandon(todo, err)
		return
	}
	defer r.nodeEnded(w)
	err := live.Shield(func() error {
		w.failure = r.transact(context.WithoutCancel(ctx), w, todo)
		return nil
	})
	if err != nil {
		for _, a := range todo { // even one that is done: an armed node puts itself back
			r.end(a, Outcome{Unknown, err})
		}
		r.giveUp(w, err)
	}
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

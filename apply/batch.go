package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/lvsctl/lvsctl/plan"
)

// Batches: how the actions of a plan are cut into scripts, and which of a batch are done.

// batchKey is one node's actions of one stage.
type batchKey struct {
	node  string
	stage plan.Stage
}

// batch is the content of one script: a node's actions of one stage, or of two if no
// action of another node comes between them.
type batch struct {
	keys    []batchKey
	actions []*plan.Action
}

// split makes the batches of each node. A director's stages Send and Stop are one batch:
// it waits for no other node between them.
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

// await waits until the actions of other nodes that a batch needs have ended.
func (r *run) await(b batch) {
	for _, a := range b.actions {
		for _, id := range a.Needs {
			<-r.batches[r.stageOf[id]]
		}
	}
}

// filter ends the actions of a batch that cannot be done or are done already, and returns
// the others.
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
				// Later Clear actions remove what this action's entry still needs.
				stopped = err
			}
			r.end(a, Outcome{Skipped, err})
		}
	}
	return todo
}

var errInterrupted = errors.New("interrupted before it was begun")

// obstacle returns why an action cannot be begun now, or nil.
func (r *run) obstacle(ctx context.Context, w *work, a *plan.Action) error {
	switch {
	case a.Held != "":
		return errors.New(a.Held)
	case w.failure != nil:
		return w.failure
	case w.notBegun != nil:
		return w.notBegun
	case ctx.Err() != nil:
		return errInterrupted
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range a.Needs {
		if !r.result.Outcomes[id].Status.inForce() {
			return fmt.Errorf("%s is not ready", r.stageOf[id].node)
		}
	}
	return nil
}

// Package apply does the actions of a plan, in its order, and then reads every node again
// to see that it is as wanted.
//
// A node gets its actions in at most two scripts: one that adds and changes, and one that
// removes. Actions of other nodes may have to come between them. apply does not decide
// what to change: the plan has done that.
//
// [Run] is the entry. The top of run.go describes its steps, that of transaction.go the
// transactions on a node.
package apply

import (
	"context"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/plan"
)

// Node is how an apply reaches one node of a plan.
type Node struct {
	// Runner is the connection by which the node was read.
	Runner remote.Runner
	// Dial makes a new connection. A change is confirmed over a connection that did not
	// exist when the change was made.
	Dial func(context.Context) (remote.Runner, error)
	// Question is how to read the node again.
	Question live.Question
}

// Options are the options of an apply.
type Options struct {
	// Parallelism is how many scripts may run at the same time; 0 means 1.
	Parallelism int
	// Rollback is how long a node waits for a change to be confirmed before it puts
	// itself back. 0 means that it never does.
	Rollback time.Duration
	// Atomic confirms no node until all nodes are as wanted. If one is not, all are put
	// back.
	Atomic bool
	// Canary has one of the nodes with the same changes go first, and directors with a
	// virtual server in common one after another.
	Canary bool
	// Batch is how many nodes are changed at the same time; all if it is zero.
	Batch Share
	// StopAfter is after how many failed nodes no further one is begun; 0 means that all
	// are tried.
	StopAfter int
	// Owner is the text in the nodes' locks that says who has them: user@host.
	Owner string
	// At is when the apply began. It goes into the nodes' records with Owner, unless it is
	// zero.
	At time.Time
	// Event is called with what happens, at once, by one goroutine at a time. It may be
	// nil.
	Event func(Event)
}

// Event is something that happened: an action ended, or with a nil Action, something
// about the whole node.
type Event struct {
	Node   string
	Action *plan.Action
	Note   string // without an Action
	Outcome
}

// Outcome is how an action ended.
type Outcome struct {
	Status Status
	// Err says why it was not done. It is nil for Done and Already.
	Err error
}

// Status is how an action ended.
type Status string

// The ways in which an action ends.
const (
	Done       Status = "done"
	Already    Status = "already done" // by somebody else, since the plan was made
	Failed     Status = "failed"
	Skipped    Status = "skipped" // not begun
	RolledBack Status = "rolled back"
	Unknown    Status = "unknown" // the connection was lost before the node reported it
)

// inForce reports whether the node has the change.
func (s Status) inForce() bool { return s == Done || s == Already }

// Result is how an apply ended. The maps from Locked on are by a node's name.
type Result struct {
	Plan     *plan.Plan
	Outcomes map[int]Outcome // by action ID; nil if nothing was begun
	// Locked are the nodes that somebody else is applying to. If there is one, no node
	// was changed.
	Locked map[string]*LockedError
	// Stale are the nodes that have changed since the plan was made.
	Stale map[string]*plan.StaleError
	// Reverted are the nodes that were put back, with the reason.
	Reverted map[string]error
	// Unconfirmed are the nodes that are not as wanted afterwards, or could not be read
	// again, with the reason.
	Unconfirmed map[string]error
}

// Nothing is the result of a plan without actions.
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

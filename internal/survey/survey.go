// Package survey finds out what every node of a topology has and should have,
// and plans from it. Each command that looks at nodes begins here.
//
// What a node should have comes from package roles ([Input], [Nothing]); how it
// is reached is the caller's ([Node].Dial). Nothing on any node changes.
package survey

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/plan"
)

// Node is one node's case and the way to it.
type Node struct {
	plan.Input
	// Dial opens a new connection.
	Dial func(context.Context) (remote.Runner, error)
	// Runner is the connection that read the node, nil before and where the node
	// could not be reached. It is used by one goroutine at a time.
	Runner remote.Runner
}

// Options are how to look.
type Options struct {
	// Parallelism is how many nodes are read at once; less than 1 means 1.
	Parallelism int
	// Adopt names topologies whose records are taken for this one's.
	Adopt []string
	// Through, if set, is told of each node that was read, or could not be, and how
	// long that took. It is called by several goroutines at a time.
	Through func(node string, took time.Duration, err error)
}

// Survey is a topology with every node read.
type Survey struct {
	Plan *plan.Plan
	// Nodes are in the order they were given in.
	Nodes []Node

	options Options
}

// Case is a topology with its nodes, before any of them is read.
type Case struct {
	Topology string
	Nodes    []Node
}

// Take reads all nodes at once and plans. A node that cannot be read is part of
// the plan; the only error is that ctx ended, and then no connection is open.
func Take(ctx context.Context, topology string, nodes []Node, o Options) (*Survey, error) {
	all, err := TakeAll(ctx, []Case{{topology, nodes}}, o)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// TakeAll is [Take] of several topologies, whose nodes are read all at once.
func TakeAll(ctx context.Context, cases []Case, o Options) ([]*Survey, error) {
	all := make([]*Survey, len(cases))
	var group errgroup.Group
	group.SetLimit(max(o.Parallelism, 1))
	for i, c := range cases {
		all[i] = &Survey{Nodes: c.Nodes, options: o}
		for j := range c.Nodes {
			n := &all[i].Nodes[j]
			group.Go(func() error { n.take(ctx, c.Topology, o); return nil })
		}
	}
	_ = group.Wait() // the functions return nil: each node's error is its own
	if ctx.Err() != nil {
		for _, s := range all {
			s.Close()
		}
		return nil, ctx.Err()
	}
	for i, s := range all {
		s.Plan = plan.Build(cases[i].Topology, s.Inputs())
	}
	return all, nil
}

// take reads a node and says so.
func (n *Node) take(ctx context.Context, topology string, o Options) {
	start := time.Now()
	if err := live.Shield(func() error { n.read(ctx, n.question(topology, o)); return nil }); err != nil {
		n.Live, n.Err = nil, err
	}
	if o.Through != nil {
		o.Through(n.Name, time.Since(start), n.Err)
	}
}

func (n *Node) question(topology string, o Options) live.Question {
	q := Question(topology, n.Input)
	q.Adopt = o.Adopt
	return q
}

func (n *Node) read(ctx context.Context, q live.Question) {
	if n.Runner, n.Err = n.Dial(ctx); n.Err != nil {
		return
	}
	node, err := live.Read(ctx, n.Runner, q)
	if n.Err = err; err == nil {
		n.Live = &node
	}
}

// Drift compares the nodes with what was last applied to them.
func (s *Survey) Drift() []plan.NodeDrift { return plan.FindDrift(s.Plan, s.Inputs()) }

// Inputs are the cases that the plan was made from.
func (s *Survey) Inputs() []plan.Input {
	list := make([]plan.Input, len(s.Nodes))
	for i, n := range s.Nodes {
		list[i] = n.Input
	}
	return list
}

// Reach is what an apply of the plan needs of each node, by name.
func (s *Survey) Reach() map[string]apply.Node {
	all := make(map[string]apply.Node, len(s.Nodes))
	for _, n := range s.Nodes {
		all[n.Name] = apply.Node{
			Runner: n.Runner, Dial: n.Dial,
			Question:  n.question(s.Plan.Topology, s.options),
			Exclusive: n.Exclusive,
		}
	}
	for _, planned := range s.Plan.Nodes {
		n := all[planned.Name]
		n.Want = planned.Want // with what the next boot needs
		all[planned.Name] = n
	}
	return all
}

// Close drops the connections.
func (s *Survey) Close() {
	for _, n := range s.Nodes {
		if n.Runner != nil {
			// The work is done or has failed for a better reason.
			_ = n.Runner.Close()
		}
	}
}

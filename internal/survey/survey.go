// Package survey reads every node of a topology and makes a plan. Every command that reads
// nodes begins here.
//
// Package roles decides what a node should have ([Input], [Nothing]). The caller decides
// how to reach it ([Node].Dial). A survey changes nothing on any node.
package survey

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// Node is the plan's input for a node, and the connection to it.
type Node struct {
	plan.Input
	// Dial opens a new connection.
	Dial func(context.Context) (remote.Runner, error)
	// Runner is the connection by which the node was read. It is nil before that, and if
	// the node cannot be reached. Only one goroutine may use it at a time.
	Runner remote.Runner
}

// Options are the options of a survey.
type Options struct {
	// Parallelism is how many nodes are read at the same time; less than 1 means 1.
	Parallelism int
	// Adopt are names of topologies whose records count as this one's.
	Adopt []string
	// Visit returns a function that connects to a host that the topology no longer has, see
	// orphans.go. name is the plan's name of it. If Visit is nil, no such host is visited.
	Visit func(name string, m state.Member) func(context.Context) (remote.Runner, error)
	// Chosen tells which of these hosts may be changed; nil means all. Forget are the names
	// of those that are not visited, and not named by records afterwards.
	Chosen func(name string) bool
	Forget []string
	// Beside is [plan.Input].Beside of these hosts.
	Beside []string
	// Found is called with the number of nodes that are read in addition. It may be nil.
	Found func(more int)
	// Through is called for each node when it was read or could not be, with the time that
	// took. Several goroutines may call it at the same time. It may be nil.
	Through func(node string, took time.Duration, err error)
}

// Survey is a topology whose nodes were read, and the plan for it.
type Survey struct {
	Plan *plan.Plan
	// Nodes are in the order in which they were given. Those that the topology no longer
	// has follow.
	Nodes []Node

	topology string
	options  Options
	drift    func() []plan.NodeDrift
}

// Case is a topology with its nodes, before they are read.
type Case struct {
	Topology string
	Nodes    []Node
	// Visit and Chosen are those of [Options] for this topology alone.
	Visit  func(name string, m state.Member) func(context.Context) (remote.Runner, error)
	Chosen func(name string) bool
	// Plan makes the plan; nil for [plan.Build].
	Plan func(topology string, inputs []plan.Input) *plan.Plan
}

// Take reads all nodes at the same time and makes a plan. If there is [Options].Visit,
// nodes that only records name are read after that. A node that cannot be read is part of
// the plan. The only error is that of ctx, after which no connection is open.
func Take(ctx context.Context, topology string, nodes []Node, o Options) (*Survey, error) {
	all, err := TakeAll(ctx, []Case{{Topology: topology, Nodes: nodes, Visit: o.Visit, Chosen: o.Chosen}}, o)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// TakeAll is [Take] of several topologies. It reads the nodes of all at the same time.
func TakeAll(ctx context.Context, cases []Case, o Options) ([]*Survey, error) {
	all := make([]*Survey, len(cases))
	var nodes []job
	for i, c := range cases {
		all[i] = &Survey{Nodes: c.Nodes, topology: c.Topology, options: o}
		all[i].options.Visit, all[i].options.Chosen = c.Visit, c.Chosen
		nodes = append(nodes, all[i].jobs(0)...)
	}
	read(ctx, nodes, o)
	for _, s := range all {
		if s.options.Visit != nil {
			s.visit(ctx)
		}
	}
	if ctx.Err() != nil {
		for _, s := range all {
			s.Close()
		}
		return nil, ctx.Err()
	}
	for i, s := range all {
		build := plan.Build
		if cases[i].Plan != nil {
			build = cases[i].Plan
		}
		s.mark()
		s.Plan = build(s.topology, s.Inputs())
		s.drift = sync.OnceValue(func() []plan.NodeDrift { return plan.FindDrift(s.Plan, s.Inputs()) })
	}
	return all, nil
}

// visit reads the nodes that only records name, round by round.
func (s *Survey) visit(ctx context.Context) {
	o := newOrphans(s)
	for begin := 0; begin < len(s.Nodes) && ctx.Err() == nil; {
		end := len(s.Nodes)
		o.follow(begin)
		if found := len(s.Nodes) - end; found > 0 && s.options.Found != nil {
			s.options.Found(found)
		}
		read(ctx, s.jobs(end), s.options)
		for i := end; i < len(s.Nodes); i++ {
			o.judge(i)
		}
		begin = end
	}
	o.end()
}

// job is a node that is to be read, and its topology.
type job struct {
	*Node
	topology string
}

// jobs are the nodes from begin on.
func (s *Survey) jobs(begin int) []job {
	var list []job
	for i := range s.Nodes[begin:] {
		list = append(list, job{&s.Nodes[begin+i], s.topology})
	}
	return list
}

// read reads nodes at the same time.
func read(ctx context.Context, nodes []job, o Options) {
	var group errgroup.Group
	group.SetLimit(max(o.Parallelism, 1))
	for _, n := range nodes {
		group.Go(func() error { n.take(ctx, n.topology, o); return nil })
	}
	_ = group.Wait() // the functions return nil, because an error belongs to its node
}

// take reads a node and reports that to o.Through. One that is not to be visited has no
// Dial.
func (n *Node) take(ctx context.Context, topology string, o Options) {
	start := time.Now()
	if n.Dial != nil {
		if err := live.Shield(func() error { n.read(ctx, n.question(topology, o)); return nil }); err != nil {
			n.refuse(err)
		}
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

// read reads a node over the connection that it has, or a new one.
func (n *Node) read(ctx context.Context, q live.Question) {
	if n.Runner == nil {
		if n.Runner, n.Err = n.Dial(ctx); n.Err != nil {
			return
		}
	}
	node, err := live.Read(ctx, n.Runner, q)
	if n.Err = err; err == nil {
		n.Live = &node
	}
}

// Again takes a survey of the same nodes over the same connections, or over new ones
// where the last reading failed. s is of no more use, and need not be closed.
func (s *Survey) Again(ctx context.Context) (*Survey, error) {
	nodes := slices.Clone(s.Nodes)
	for i := range nodes {
		n := &nodes[i]
		if n.Err != nil && n.Runner != nil {
			_ = n.Runner.Close()
			n.Runner = nil
		}
		n.Live, n.Err = nil, nil
	}
	o := s.options
	o.Through, o.Visit = nil, nil
	return Take(ctx, s.topology, nodes, o)
}

// Drift compares the nodes with what was last applied to them, once.
func (s *Survey) Drift() []plan.NodeDrift { return s.drift() }

// Inputs are the inputs that the plan was made from.
func (s *Survey) Inputs() []plan.Input {
	list := make([]plan.Input, len(s.Nodes))
	for i, n := range s.Nodes {
		list[i] = n.Input
	}
	return list
}

// Reach returns what apply.Run needs for each node, by name.
func (s *Survey) Reach() map[string]apply.Node {
	all := make(map[string]apply.Node, len(s.Nodes))
	for _, n := range s.Nodes {
		all[n.Name] = apply.Node{Runner: n.Runner, Dial: n.Dial, Question: n.question(s.Plan.Topology, s.options)}
	}
	return all
}

// Close closes the connections.
func (s *Survey) Close() {
	for _, n := range s.Nodes {
		if n.Runner != nil {
			// An error does not matter here: the work is done, or has failed already.
			_ = n.Runner.Close()
		}
	}
}

// Package plan turns what nodes have and should have into one list of actions
// in a safe order.
//
// A plan is data: the commands in it are the ones that run, and not applying it
// is all there is to a dry run. Order is decided in order.go, what stops a node
// in problems.go; text.go and json.go only print.
package plan

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Input is one node's case: what it should have, and what was read of it.
type Input struct {
	Name, Role, Address string
	// Base are the addresses the node is expected to have by itself.
	Base []state.AddressKey
	// Exclusive removes virtual services that the topology does not know.
	Exclusive bool
	// Persist is what brings the node's state back after a reboot, as the topology
	// names it.
	Persist netsystem.Name
	// RequireTools makes a missing tool a problem instead of installing it.
	RequireTools bool

	// Destroy reports that nothing is wanted because everything is given back.
	Destroy bool

	Want       *state.State
	Ranges     map[state.Ref]hcl.Range
	Schedulers []string
	// Servers names the real servers a director sends to, by address.
	Servers map[netip.Addr]string
	// Replies are what the node answers clients with as a real server. ByRole marks
	// the routes that are wanted for them alone, by a role and not by name.
	Replies []state.Reply
	ByRole  map[state.Ref]bool

	// Chosen nodes may be changed; the others are looked at only because a
	// chosen one depends on them.
	Chosen bool
	// Access is how the node is reached and whose key it has to show, as far as the
	// topology says so: text that is the same wherever the topology is. It binds
	// saved plans.
	Access string
	// Beside names topologies of which it is known that they are others, and not this
	// one under an old name.
	Beside []string
	// Live is the node as read; Err says why it was not. Exactly one is set,
	// unless the node was not looked at.
	Live *live.Node
	Err  error
}

// Plan is what would be done, in the order it would be done.
type Plan struct {
	Topology string
	// Nodes are in the order they are shown: directors, routers, real servers.
	Nodes   []Node
	Actions []Action
}

// Node is what a plan says of one node beside its actions.
type Node struct {
	Name, Role, Address string
	Chosen              bool
	// Unreadable is why the node could not be read; Problems are why it cannot be
	// changed. A node with either has no actions.
	Unreadable error
	Problems   []string
	// Warnings are what a person should know before the node is changed.
	Warnings []string
	// Notes are what a person may want to know of it.
	Notes []string
	// Want is all that the node should have, what its next boot needs included.
	Want *state.State
	// Foreign are the virtual services that belong to someone else.
	Foreign []Foreign
	// Settled is what the actions were made from, with the record to write before
	// the first of them.
	Settled state.Settled
	// Stale says that the node is not as it was when a saved plan was made.
	Stale *StaleError
	// Adopts names the topologies whose records this one takes over.
	Adopts []string
	// base are the node's own addresses.
	base []state.AddressKey
	// Rewrite reports that the record has to be written anew although there is
	// nothing to do: whatever it named is as it was without any action, or it takes
	// over another record, or holds what only another one held.
	Rewrite bool
}

// Foreign is a virtual service that is left alone.
type Foreign struct {
	Service string `json:"service"`
	Servers int    `json:"servers"`
}

// Action is one change on one node.
type Action struct {
	ID   int
	Node string
	state.Change
	// Stage is when, among all nodes: see order.go.
	Stage Stage
	// Needs are the IDs of earlier actions that must have succeeded.
	Needs []int
	// Held says why the action is not to be done now; "" if it is.
	Held   string
	Reason Reason
	Risk   Risk
	// Range is where in the topology the change comes from, if anywhere.
	Range hcl.Range
}

// TakesAway reports whether something goes that is one topology's by nature.
func (a *Action) TakesAway() bool {
	return a.Held == "" && a.Op == state.Remove && a.Kind.Sole()
}

// Reason is why there is a change.
type Reason string

// Config: the topology wants something new. Drift: the node was as wanted when
// the topology was last applied, and was changed since.
const (
	Config Reason = "config"
	Drift  Reason = "drift"
)

// Risk is what a change endangers, in a sentence; "" for nothing.
type Risk string

// Usable reports whether the node can be changed.
func (n Node) Usable() bool { return n.Unreadable == nil && len(n.Problems) == 0 }

// Build makes a plan for all nodes of a topology.
func Build(topology string, inputs []Input) *Plan {
	inputs = slices.Clone(inputs)
	slices.SortStableFunc(inputs, compareInputs)
	p := &Plan{Topology: topology}
	held := vips(inputs)
	for i := range inputs {
		var n Node
		var actions []Action
		plan := func() error { n, actions = p.planNode(&inputs[i], held); return nil }
		if err := live.Shield(plan); err != nil {
			inputs[i].Live, inputs[i].Err = nil, err
			_ = plan() // of a node that was not read
		}
		p.Nodes = append(p.Nodes, n)
		p.Actions = append(p.Actions, actions...)
	}
	p.order(inputs)
	return p
}

// planNode plans a node as if it were alone. held are the topology's VIPs, with the
// directors that hold each.
func (p *Plan) planNode(in *Input, held map[netip.Addr][]string) (Node, []Action) {
	n := Node{Name: in.Name, Role: in.Role, Address: in.Address, Chosen: in.Chosen, Unreadable: in.Err, Want: in.Want, base: in.Base}
	if in.Live == nil {
		return n, nil
	}
	spared := spareReplies(in)
	var boot boot
	s := state.SettleWithFiles(in.Live.State, in.Want, in.Live.Record, in.Exclusive, func(s state.Settled) *state.State {
		boot = withBootFiles(p.Topology, in, s)
		return boot.want
	})
	n.Settled, n.Want, n.Notes = s, boot.want, append(spared, boot.Notes...)
	n.Foreign = foreign(in.Live.State, s)
	o := newOthers(in, s)
	n.Warnings = slices.Concat(warnings(in, s), o.warnings, boot.Warnings)
	n.Notes = append(n.Notes, o.notes...)
	changes := state.Diff(s.Have, s.Want)
	n.Problems = slices.Concat(problems(in, s, changes), misplacedVIPs(in, s, held), boot.Problems)
	if len(n.Problems) > 0 && in.Role != director {
		return n, nil // nobody waits for it
	}
	n.Adopts = in.Live.Adopted
	n.Rewrite = len(changes) == 0 && n.Usable() &&
		(len(n.Adopts) > 0 || o.claims || !in.Live.Record.Empty() && state.Confirm(s, in.Live.State).Empty())
	actions := make([]Action, 0, len(changes))
	danger := dangers(in, s)
	for _, c := range changes {
		a := Action{Node: in.Name, Change: c, Reason: Config, Range: in.Ranges[c.Ref]}
		if s.Drifted[c.Ref] {
			a.Reason = Drift
		}
		a.Risk = danger.of(c)
		a.Stage = stageOf(in.Role, c.Kind, s.Restored[c.Ref] || c.Op == state.Remove)
		actions = append(actions, a)
	}
	orderWithin(in.Role, actions)
	return n, actions
}

// foreign lists the services that the plan does not touch.
func foreign(have *state.State, s state.Settled) []Foreign {
	servers := map[state.ServiceKey]int{}
	for k := range have.Servers {
		servers[k.Service]++
	}
	var list []Foreign
	for k := range have.Services {
		_, touched := s.Have.Services[k]
		if _, wanted := s.Want.Services[k]; !touched && !wanted {
			list = append(list, Foreign{k.String(), servers[k]})
		}
	}
	slices.SortFunc(list, func(a, b Foreign) int { return strings.Compare(a.Service, b.Service) })
	return list
}

// Rewrites reports whether a record has to be written, or to go, although there is
// nothing to do.
func (p *Plan) Rewrites() bool {
	return len(p.filter(func(n Node) bool { return n.Chosen && n.Rewrite })) > 0
}

// Adopts reports whether a record of another name is taken over.
func (p *Plan) Adopts() bool {
	return len(p.filter(func(n Node) bool { return n.Chosen && n.Usable() && len(n.Adopts) > 0 })) > 0
}

// Unreadable returns the chosen nodes that could not be read.
func (p *Plan) Unreadable() []Node {
	return p.filter(func(n Node) bool { return n.Chosen && n.Unreadable != nil })
}

// Blocked returns the chosen nodes that were read but cannot be changed.
func (p *Plan) Blocked() []Node {
	return p.filter(func(n Node) bool { return n.Chosen && len(n.Problems) > 0 })
}

func (p *Plan) filter(keep func(Node) bool) []Node {
	var list []Node
	for _, n := range p.Nodes {
		if keep(n) {
			list = append(list, n)
		}
	}
	return list
}

// Summary is the plan's last line. Its wording is stable: scripts read it.
func (p *Plan) Summary() string {
	var c census
	for _, n := range p.Nodes {
		if n.Chosen {
			c.count(n.Unreadable != nil, len(n.Problems) > 0)
		}
	}
	return c.summary(p.Count())
}

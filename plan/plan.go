// Package plan compares what nodes have with what they should have, and makes one list of
// actions in a safe order.
//
// A plan is data. The commands in it are the ones that apply runs, so a dry run is a plan
// that is not applied. [Build] makes one. order.go decides the order, problems.go what
// keeps a node from being changed; text.go and json.go only print.
//
// A new problem or warning is a function in problems.go or warnings.go, and a line in the
// list at the top of that file.
package plan

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Plan is a list of actions, in the order in which apply does them.
type Plan struct {
	Topology string
	// Alarms are what is wrong between nodes now. They are shown before all else.
	Alarms []string
	// Instances are the vrrp_instances, sorted by name.
	Instances []Instance
	// Failover is what a plan made by [Failover] does; else nil.
	Failover *Switchover
	// Nodes are in the order in which they are shown: directors, routers, real servers,
	// each by name.
	Nodes   []Node
	Actions []Action
}

// Build makes a plan for all nodes of a topology. It never fails: what is wrong with a
// node is in its Unreadable or Problems.
func Build(topology string, inputs []Input) *Plan {
	inputs = slices.Clone(inputs)
	slices.SortStableFunc(inputs, compareInputs)
	p := &Plan{Topology: topology}
	directors := vips(inputs)
	p.Instances = completePairs(inputs)
	p.Alarms = p.splits(inputs)
	for i := range inputs {
		var n Node
		var actions []Action
		plan := func() error { n, actions = p.planNode(&inputs[i], directors); return nil }
		if err := live.Shield(plan); err != nil {
			// What was read made lvsctl panic. The node counts as one that was not read.
			inputs[i].Live, inputs[i].Err = nil, err
			_ = plan()
		}
		p.Nodes = append(p.Nodes, n)
		p.Actions = append(p.Actions, actions...)
	}
	p.order(inputs)
	p.nameMembers(inputs)
	p.forgotten(inputs)
	p.sameName(inputs)
	return p
}

// planNode plans a node as if it were the only one. directors are the names of the
// directors of each VIP of the topology.
func (p *Plan) planNode(in *Input, directors map[netip.Addr][]string) (Node, []Action) {
	n := newNode(in)
	if in.Live == nil {
		return n, nil
	}
	in.wantForwarding()
	in.Want = state.Quiesced(in.Live.State, in.Want, in.Live.Record)
	n.Want = in.Want
	notes := dropNeedlessRoutes(in)
	var boot boot
	s := state.SettleWithFiles(in.Live.State, in.Want, in.Live.Record, in.Exclusive, func(s state.Settled) *state.State {
		boot = withBootFiles(p.Topology, in, s)
		return boot.want
	})
	n.Settled, n.Want, n.Notes = s, boot.want, append(notes, boot.Notes...)
	n.settle = func(now *state.State, r state.Record) state.Settled {
		return state.Settle(now, boot.want, r, in.Exclusive)
	}
	n.Foreign = foreign(in.Live.State, s)
	o := newOthers(in, s)
	n.Warnings = slices.Concat(warnings(in, s), o.warnings, boot.Warnings)
	n.Notes = append(n.Notes, o.notes...)
	changes := state.Diff(s.Have, s.Want)
	n.Warnings = append(n.Warnings, in.keepalivedWarnings()...)
	n.Notes = append(n.Notes, in.vrrpNotes()...)
	n.Down, n.Election = down(in), in.election()
	n.Together, n.Holds, n.Steady = in.pair.together(), in.pair.holds, !in.pair.elects()
	n.Problems = slices.Concat(problems(in, s, changes), in.pair.refused, misplacedVIPs(in, s, directors), boot.Problems)
	if len(n.Problems) > 0 && in.Role != director {
		return n, nil // no other node's action needs one of these
	}
	n.showKept(in, s)
	n.Adopts = in.Live.Adopted
	if len(changes) == 0 && n.Usable() {
		held := in.Live.Record.Holds()
		n.holds = held && state.Confirm(s, in.Live.State).Holds()
		n.Rewrite = len(n.Adopts) > 0 || o.wantsTheirs || held && (in.Live.Record.Exclusive != in.Exclusive || !n.holds || !maps.Equal(in.Live.Record.FailedOver, s.FailedOver))
	}
	return n, n.actions(in, changes)
}

// Rewrites reports whether the record of a chosen node must be written or removed
// although there is no action.
func (p *Plan) Rewrites() bool {
	return len(p.filter(func(n Node) bool { return n.Chosen && n.Rewrite })) > 0
}

// Adopts reports whether a record of another name is taken over.
func (p *Plan) Adopts() bool {
	return len(p.filter(func(n Node) bool { return n.Chosen && n.Usable() && len(n.Adopts) > 0 })) > 0
}

// Forgets reports whether a node is to be known no more that was not looked at.
func (p *Plan) Forgets() bool {
	return len(p.filter(func(n Node) bool { return n.Chosen && n.Forgotten })) > 0
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

// Summary is the plan's last line. Its wording is stable, because scripts read it.
func (p *Plan) Summary() string {
	var c nodeCounts
	for _, n := range p.Nodes {
		if n.Chosen {
			c.count(n.Unreadable != nil, len(n.Problems) > 0, n.Orphan)
		}
	}
	return c.summary(p.Count())
}

package plan

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Drift: what differs on the nodes from what was last applied there.
//
// Terms. What was last applied to a node is the Set of its record. The topology may
// have changed since; what it wants of the node now is the plan's matter, and here
// it is pending.
//
// Premise. Who watches a cluster asks whether somebody or something changed it. A
// change of the topology that was not applied yet is no answer to that, and must
// not hide one. So the node is settled against its own record as if that were
// wanted, by the rules of a plan: what serves as well as what was set is no
// difference, and what is foreign is left alone.
//
// Cases of one entry, by the value that was set, the live one and the wanted one:
//
//	set 1  live 1  wanted 5    no drift, pending
//	set 1  live 9  wanted 1    drift
//	set 1  live 9  wanted 5    drift, and pending
//	set 1  gone    not wanted  drift, and nothing is pending
//	-      live 9  wanted 5    no drift, pending
//
// The topology was never applied to a node without a record: nothing of it has
// drifted. A node whose block was deleted is compared as the others are: what is
// still to be given back there is pending.

// Since is what became of an entry since it was applied.
type Since string

// Gone was there; Changed had another value; Added was not there, and is in the way
// of what was applied, as a foreign real server in a virtual service is.
const (
	Gone    Since = "gone"
	Changed Since = "changed"
	Added   Since = "added"
)

// since is what a change would undo.
func since(op state.Op) Since {
	switch op {
	case state.Add:
		return Gone
	case state.Remove:
		return Added
	}
	return Changed
}

// NodeDrift is what differs on one node.
type NodeDrift struct {
	Name, Role, Address string
	// Orphan is set if the topology no longer has the node.
	Orphan bool
	// Range is the node's block in the topology.
	Range hcl.Range
	// base are the node's own addresses.
	base []state.AddressKey
	// Unreadable is why nothing is known of the node.
	Unreadable error
	// Applied is the last apply that changed the node.
	Applied state.Applied
	// Never reports that the topology was never applied to the node. One that the
	// topology no longer has was cleaned if there is no record.
	Never bool
	// Down are the real servers that keepalived took out of the table. That is no drift.
	Down []string
	// Drained and Maintenance are the real servers that a director sends no new
	// connections, by a person's wish and by the topology's. That is no drift either.
	Drained     []DrainedServer
	Maintenance []string
	// FailedOver are its instances that people keep on another director.
	FailedOver []FailedOverInstance
	// Trouble is what keeps the node from being as it was applied and is no entry of
	// its own: a VIP where it draws the clients away, an address of the node's own that
	// is gone.
	Trouble []string
	// Differences are the changes that would put the node back; see [Since].
	Differences []Action
	// Pending is how many changes the topology wants that would put nothing back.
	Pending int
	// Blocked is why the node cannot be changed as the topology wants. It is no drift.
	Blocked []string
}

// FindDrift compares what was read of the chosen nodes with what their records say
// was applied, in the order of a plan. p is the plan made from the same inputs.
func FindDrift(p *Plan, inputs []Input) []NodeDrift {
	inputs = slices.Clone(inputs)
	slices.SortStableFunc(inputs, compareInputs)
	inMaintenance := map[string][]string{}
	for i := range inputs {
		inMaintenance[inputs[i].Name] = maintenance(&inputs[i])
		inputs[i] = inputs[i].asApplied()
	}
	directors := vips(inputs)
	blocked := map[string][]string{}
	for _, n := range p.Nodes {
		blocked[n.Name] = n.Problems
	}
	planned := map[string][]*Action{}
	for i := range p.Actions {
		a := &p.Actions[i]
		planned[a.Node] = append(planned[a.Node], a)
	}
	var list []NodeDrift
	for i := range inputs {
		in := &inputs[i]
		if !in.Chosen {
			continue
		}
		n := NodeDrift{Name: in.Name, Role: in.Role, Address: in.Address, Orphan: in.Orphan, Range: in.Range, base: in.Base, Unreadable: in.Err}
		if in.Live != nil {
			found := n
			if n.Unreadable = live.Shield(func() error { found.find(in, directors, planned[in.Name]); return nil }); n.Unreadable == nil {
				n = found
				n.Maintenance = inMaintenance[n.Name]
				for _, problem := range blocked[n.Name] {
					if !slices.Contains(n.Trouble, problem) {
						n.Blocked = append(n.Blocked, problem)
					}
				}
			}
		}
		list = append(list, n)
	}
	return list
}

// asApplied is a node's case with what was last applied in place of what is wanted.
func (in Input) asApplied() Input {
	applied := state.New()
	if in.Live != nil {
		applied = in.Live.Record.Set.Clone()
		in.Exclusive = in.Live.Record.Exclusive
		applied.Governed = in.Live.State.Governed
	}
	applied.Drain = in.Want.Drain // no record holds it
	in.Want = applied
	return in
}

// find compares a node with its record. directors are those of each VIP
// that was applied to any node, planned is what the topology wants of this one.
func (n *NodeDrift) find(in *Input, directors map[netip.Addr][]string, planned []*Action) {
	empty := in.Live.Record.Empty()
	n.Never, n.Applied = empty && !in.Orphan, in.Live.Record.Applied
	if !empty {
		s := state.Settle(in.Live.State, in.Want, in.Live.Record, in.Exclusive)
		for _, c := range state.Diff(s.Have, s.Want) {
			if !s.Restored[c.Ref] { // what an apply would put back for somebody else
				n.Differences = append(n.Differences, Action{Node: in.Name, Change: c, Reason: Drift, Range: in.rangeOf(c.Ref)})
			}
		}
		n.Down, n.Drained, n.FailedOver = down(in), drained(s.Drained), failedOverInstances(in.Live.Record.FailedOver)
		n.Trouble = slices.Concat(missingBase(in), missingDevices(in), misledReplies(in, s), unreadable(in, s), misplacedVIPs(in, s, directors))
	}
	restores := map[state.Ref]string{}
	for i := range n.Differences {
		restores[n.Differences[i].Ref] = n.Differences[i].outcome()
	}
	for _, a := range planned {
		if text, ok := restores[a.Ref]; !ok || text != a.outcome() {
			n.Pending++
		}
	}
	for i := range n.Differences {
		n.Differences[i].ID = i + 1
	}
}

// outcome is what an entry is after a change, to be compared.
func (a *Action) outcome() string { return string(a.Op) + " " + a.After + "\n" + a.AfterText }

// rangeOf is where in the topology an entry comes from: the entry's own place, that of
// the virtual service that a real server is in, or else the node's block.
func (in *Input) rangeOf(ref state.Ref) hcl.Range {
	if at, ok := in.Ranges[ref]; ok {
		return at
	}
	if k, ok := ref.Key.(state.ServerKey); ok {
		if at, ok := in.Ranges[state.Ref{Kind: state.KindService, Key: k.Service}]; ok {
			return at
		}
	}
	return in.Range
}

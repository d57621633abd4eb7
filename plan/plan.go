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
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Input is what a plan needs to know of one node: what it should have, and what was read
// from it.
type Input struct {
	Name, Role, Address string
	// Base are the node's own addresses, which lvsctl expects and never sets.
	Base []state.AddressKey
	// Exclusive removes virtual services that the topology does not name.
	Exclusive bool
	// Persist is what sets up the node's network at boot, or "" if lvsctl has to find
	// out.
	Persist netsystem.Name
	// RequireTools makes a missing tool a problem. Otherwise it is installed.
	RequireTools bool

	// Destroy is set if Want is empty because the topology gives everything back.
	Destroy bool

	// The fields from Want to ByRole are those of roles.Want; Range is the node's block.
	Want       *state.State
	Ranges     map[state.Ref]hcl.Range
	Range      hcl.Range
	Schedulers []string
	Servers    map[netip.Addr]string
	Replies    []state.Reply
	ByRole     map[state.Ref]bool

	// Keepalived is what keepalived is to do on a director; nil for nothing.
	Keepalived *keepalived.Config

	// Member is the node as records name it; without Host records do not name it. Mark is
	// the mark of the topology's records.
	Member state.Member
	Mark   string
	// Orphan is set if the topology no longer has the node, but records name it, perhaps by
	// Aliases too. If Forgotten is set in addition, it is not read, and not named any more.
	Orphan, Forgotten bool
	Aliases           []state.Member

	// Chosen is set if the node may be changed. Other nodes are read because chosen
	// ones depend on them.
	Chosen bool
	// Access is what the topology says of the way to the node and of its host key, as a
	// text that does not depend on where the topology's folder is. A saved plan is valid
	// only for the same text.
	Access string
	// Beside are names of topologies that are known to be others, and not this one
	// under an old name.
	Beside []string
	// Live is the node as it was read, and Err says why it could not be. Both are nil if
	// nobody tried.
	Live *live.Node
	Err  error

	// pair is what the other directors of its instances mean for a director.
	pair pair
}

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

// Node is what a plan holds of one node beside its actions.
type Node struct {
	Name, Role, Address string
	Chosen              bool
	// Orphan and Forgotten are the input's.
	Orphan, Forgotten bool
	// Unreadable says why the node could not be read, and Problems why it cannot be
	// changed. A node with either has no actions.
	Unreadable error
	Problems   []string
	// Warnings are for a person to read before the node is changed.
	Warnings []string
	// Notes explain what the plan does not change.
	Notes []string
	// Want is everything that the node should have, including what its next boot needs.
	Want *state.State
	// Down are the real servers that keepalived took out of the table because they
	// failed their check.
	Down []string
	// Election is how long it may take until it is clear which director holds the
	// addresses that keepalived moves, once the node is changed; 0 if nobody asks.
	Election time.Duration
	// Together is set if keepalived must be reloaded at the same time as on the other
	// directors of its instances that have it set; Holds if the node has one of the
	// addresses now, and Steady if it is not decided anew who has them.
	Together, Holds, Steady bool
	// Foreign are the virtual services that are not this topology's.
	Foreign []Foreign
	// Settled is what the actions were made from. It has the record that apply writes
	// before the first of them.
	Settled state.Settled
	// Stale is set if the node has changed since a saved plan was made.
	Stale *StaleError
	// Adopts are the names of the topologies whose records this one takes over.
	Adopts []string
	// Drained and Maintenance are the real servers that a director sends no new
	// connections to: because a person said so, or the topology. That is no difference.
	Drained     []DrainedServer
	Maintenance []string
	// FailedOver are the instances whose addresses are kept on another director.
	FailedOver []FailedOverInstance
	// Refused are the clients that a drain would have refused, in sentences.
	Refused []string
	// settle settles the node anew, as it is now and with the record that it has now.
	settle func(now *state.State, r state.Record) state.Settled
	// base are the node's own addresses.
	base []state.AddressKey
	// Rewrite is set if the record must be written although there is no action: because
	// nothing that it names is left to give back, because it takes over another record,
	// because it gets an entry that was only in another topology's record, because the
	// node's table became the topology's alone, or is that no more, or because it names
	// other nodes than it should.
	Rewrite bool
	// Members is what its record is to say of the topology's nodes. NamesOnly is set if the
	// record is written for that although the node cannot be changed: other nodes are.
	Members   Members
	NamesOnly bool

	holds bool // its record goes on holding something; only where there are no actions
}

// Foreign is a virtual service that the plan leaves alone, with the number of its
// servers.
type Foreign struct {
	Service string `json:"service"`
	Servers int    `json:"servers"`
}

// Action is one change on one node.
type Action struct {
	ID   int    // from 1, in the order of the plan
	Node string // its name
	state.Change
	// Stage decides when the action runs, in relation to those of other nodes.
	Stage Stage
	// Needs are the IDs of earlier actions that must have succeeded.
	Needs []int
	// Held says why the action is held back, or is "".
	Held   string
	Reason Reason
	Risk   Risk
	// Range is the place in the topology that asks for the change. It is zero if there
	// is none, as for what is removed.
	Range hcl.Range
}

// TakesAway reports whether the action removes an entry of a kind that only one topology
// can own, such as a VIP.
func (a *Action) TakesAway() bool {
	return a.Held == "" && a.Op == state.Remove && a.Kind.SingleOwner()
}

// Reason is why there is a change.
type Reason string

// Config means that the topology has changed, or is new to the node. Drift means that
// the node had the entry as wanted after the last apply, and was changed since.
const (
	Config Reason = "config"
	Drift  Reason = "drift"
)

// Risk is a sentence that says what a change endangers, or "".
type Risk string

// Settle settles the node anew, as it is now and with the record that it has now.
func (n *Node) Settle(now *state.State, r state.Record) state.Settled { return n.settle(now, r) }

// Usable reports whether the node can be changed.
func (n Node) Usable() bool { return n.Unreadable == nil && len(n.Problems) == 0 }

// Build makes a plan for all nodes of a topology. It never fails: what is wrong with a
// node is in its Unreadable or Problems.
func Build(topology string, inputs []Input) *Plan {
	inputs = slices.Clone(inputs)
	slices.SortStableFunc(inputs, compareInputs)
	p := &Plan{Topology: topology}
	directors := vips(inputs)
	p.Instances = pairUp(inputs)
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
	return p
}

// planNode plans a node as if it were the only one. directors are the names of the
// directors of each VIP of the topology.
func (p *Plan) planNode(in *Input, directors map[netip.Addr][]string) (Node, []Action) {
	n := Node{
		Name: in.Name, Role: in.Role, Address: in.Address, Chosen: in.Chosen, Unreadable: in.Err, Want: in.Want, base: in.Base,
		Orphan: in.Orphan, Forgotten: in.Forgotten,
	}
	if in.Live == nil {
		return n, nil
	}
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
	n.Drained, n.Maintenance, n.FailedOver = drained(s.Drained), maintenance(in), failedOver(s.FailedOver)
	n.Adopts = in.Live.Adopted
	if len(changes) == 0 && n.Usable() {
		held := in.Live.Record.Holds()
		n.holds = held && state.Confirm(s, in.Live.State).Holds()
		n.Rewrite = len(n.Adopts) > 0 || o.wantsTheirs || held && (in.Live.Record.Exclusive != in.Exclusive || !n.holds || !maps.Equal(in.Live.Record.FailedOver, s.FailedOver))
	}
	return n, n.actions(in, changes)
}

// actions makes a node's changes actions, in order.
func (n *Node) actions(in *Input, changes []state.Change) []Action {
	s := n.Settled
	actions := make([]Action, 0, len(changes))
	danger := dangers(in, s)
	for _, c := range changes {
		a := Action{Node: in.Name, Change: c, Reason: Config, Range: in.Ranges[c.Ref]}
		if s.Drifted[c.Ref] {
			a.Reason = Drift
		}
		a.Risk = danger.of(c)
		a.Stage = stageOf(in.Role, c.Kind, s.Restored[c.Ref] || c.Op == state.Remove || losesFallback(s, c.Ref))
		actions = append(actions, a)
	}
	orderWithin(in.Role, actions)
	return actions
}

// losesFallback reports whether a service's scheduler refuses the clients of a real
// server without weight only after a change. So the weights come first.
func losesFallback(s state.Settled, ref state.Ref) bool {
	k, ok := ref.Key.(state.ServiceKey)
	if !ok {
		return false
	}
	have, there := s.Have.Services[k]
	want, wanted := s.Want.Services[k]
	return there && wanted && have.Scheduler == want.Scheduler && !have.RefusesQuiesced() && want.RefusesQuiesced()
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

package plan

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Planned switchovers.
//
// The addresses of an instance go to whoever has the highest priority. So a failover gives
// the director that it names the first of the priorities, and the others follow in the
// topology's order. That director is reloaded first: it then has the same priority as the
// master, which changes nothing. The master is reloaded last, and its reload is the moment
// in which the addresses leave; see internal/shell/yield.sh.
//
// What holds afterwards depends on preempt:
//
//	preempt = true     the priorities stay exchanged, and every director's record says so
//	                   ([state.FailedOver]). Plans keep that and show it until a failover
//	                   to the topology's first director: otherwise the next reload would
//	                   give the addresses back. A director that is away and returns takes
//	                   its place in this order.
//	preempt = false    while the addresses move the directors preempt; then everything is
//	                   the topology's again, and the addresses stay where they are.
//
// Where records differ, because a failover was cut off, the latest one counts.

// Switchover is what a failover does.
type Switchover struct {
	Instance string `json:"instance"`
	From     string `json:"from"` // who holds the addresses now
	To       string `json:"to"`
	// First is the topology's first director.
	First string `json:"first"`
	// Kept is set if records keep the addresses on To afterwards; Settles if the
	// topology's priorities have to be put back in a second step.
	Kept    bool `json:"kept"`
	Settles bool `json:"-"`
}

// Failover plans a switchover, on the instance's directors among inputs. Whatever else
// differs from the topology there is left as it is. Where it must not be, a node has
// Problems or the plan has Alarms. Nothing is known of an instance that no input has.
func Failover(topology string, inputs []Input, o FailoverOrder) *Plan {
	inputs = slices.Clone(inputs)
	inputs = slices.DeleteFunc(inputs, func(in Input) bool {
		return in.Role != director || in.Keepalived == nil || in.instance(o.Instance).Name == ""
	})
	slices.SortStableFunc(inputs, compareInputs)
	now := slices.Clone(inputs)
	first := instancesOf(inputs)
	c := failoverCase{order: &o, inst: instanceNamed(completePairs(now), o.Instance), now: now}
	c.Switchover = Switchover{Instance: o.Instance, From: c.holder(), First: instanceNamed(first, o.Instance).Directors[0]}
	if o.To == "" {
		for _, d := range instanceNamed(first, o.Instance).Directors {
			if d != c.From && o.To == "" {
				o.To = d
			}
		}
	}
	c.To = o.To
	p := &Plan{Topology: topology, Failover: &c.Switchover}
	p.Alarms = (&Plan{Instances: []Instance{c.inst}}).splits(now)
	for i := range inputs {
		inputs[i].pair.order = &o
	}
	p.Instances = completePairs(inputs)
	for i := range p.Instances {
		if p.Instances[i].Name == o.Instance {
			p.Instances[i].Master = o.To
		}
	}
	position := map[string]int{}
	for i := range inputs {
		in := &inputs[i]
		in.pair.holds = in.Name == c.From
		n, actions := c.node(in, &now[i])
		p.Nodes = append(p.Nodes, n)
		p.Actions = append(p.Actions, actions...)
		position[n.Name] = i
	}
	c.Kept = slices.ContainsFunc(inputs, func(in Input) bool { _, kept := in.pair.failedOver[o.Instance]; return kept })
	c.Settles = !o.Settles && !slices.ContainsFunc(now, func(in Input) bool { return in.instance(o.Instance).Preempt })
	p.orderOneByOne(inputs, position)
	return p
}

// failoverCase is the case of a switchover. inst and now are as they are without it.
type failoverCase struct {
	Switchover
	order *FailoverOrder
	inst  Instance
	now   []Input
}

// holder is the one director that holds addresses of the instance; "" if there is none, or
// not only one.
func (c *failoverCase) holder() string {
	var list []string
	for i := range c.now {
		in := &c.now[i]
		if in.Live != nil && slices.ContainsFunc(c.inst.Addresses, func(a netip.Addr) bool { return in.pair.answers[a] }) {
			list = append(list, in.Name)
		}
	}
	if len(list) != 1 {
		return ""
	}
	return list[0]
}

// node plans a director's part. now is the director as it is without the failover.
func (c *failoverCase) node(in, now *Input) (Node, []Action) {
	n := newNode(in)
	n.Chosen = true
	if in.Live == nil {
		return n, nil
	}
	leaves := in.Name == c.From && c.From != c.To && !c.order.Settles
	n.settle = func(now *state.State, r state.Record) state.Settled { return state.SettleKeepalived(now, in.Want, r) }
	s := n.settle(in.Live.State, in.Live.Record)
	n.Settled, n.Want = s, s.Want
	n.showKept(in, s)
	n.Holds, n.Steady = in.pair.holds, !in.pair.elects()
	// A reload that does something else than is meant shows after an advert.
	n.Election = in.instance(c.Instance).AdvertInt + time.Second
	if leaves {
		n.Election += keepalived.Takeover(in.instance(c.Instance), in.pair.version)
	}
	if n.Problems = c.problems(in, now); len(n.Problems) > 0 {
		return n, nil
	}
	if leaves {
		n.Warnings = c.warnings(in)
	}
	var changes []state.Change
	for _, change := range state.Diff(s.Have, s.Want) {
		if s.Only[change.Ref] {
			changes = append(changes, change)
		}
	}
	n.Rewrite = len(changes) == 0 && !maps.Equal(in.Live.Record.FailedOver, s.FailedOver)
	return n, n.actions(in, changes)
}

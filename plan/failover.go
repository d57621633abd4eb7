package plan

import (
	"cmp"
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

// FailoverOrder is what a person asks of an instance's directors.
type FailoverOrder struct {
	Instance string
	// To is the director that is to hold the addresses; "" for the first one in the
	// topology's order that does not.
	To string
	// By and Since are for the records.
	By    string
	Since time.Time
	// Settles is set for the second half where preempt = false: the configuration becomes
	// the topology's again, and To keeps the addresses.
	Settles bool
}

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

// FailedOverInstance is an instance that a person keeps on another director.
type FailedOverInstance struct {
	Instance string `json:"instance"`
	state.FailedOver
}

func failedOver(of map[string]state.FailedOver) []FailedOverInstance {
	var list []FailedOverInstance
	for _, name := range slices.Sorted(maps.Keys(of)) {
		list = append(list, FailedOverInstance{name, of[name]})
	}
	return list
}

// failOver gives every director the configuration by which the addresses of its instances
// are where a person wants them.
func failOver(inputs []Input) {
	for i := range inputs {
		inputs[i].pair.failedOver = nil
	}
	for _, inst := range instances(inputs) {
		var members []*Input
		for i := range inputs {
			if inputs[i].Keepalived != nil && slices.Contains(inst.Directors, inputs[i].Name) {
				members = append(members, &inputs[i])
			}
		}
		f, kept := inst.wanted(members)
		place := slices.Index(inst.Directors, f.To)
		if place < 0 {
			continue
		}
		order := slices.Insert(slices.Delete(slices.Clone(inst.Directors), place, place+1), 0, f.To)
		priorities := map[string]int{}
		for _, m := range members {
			priorities[m.Name] = m.part(inst.Name).Priority
		}
		for _, m := range members {
			m.give(inst.Name, priorities[inst.Directors[slices.Index(order, m.Name)]])
			if kept {
				if m.pair.failedOver == nil {
					m.pair.failedOver = map[string]state.FailedOver{}
				}
				m.pair.failedOver[inst.Name] = f
			}
		}
	}
}

// wanted is where the addresses are to be, by what is asked now or else by what records say,
// and whether records are to keep it.
func (inst Instance) wanted(members []*Input) (f state.FailedOver, kept bool) {
	preempts := slices.ContainsFunc(members, func(m *Input) bool { return m.part(inst.Name).Preempt })
	for _, m := range members {
		if o := m.pair.order; o != nil && o.Instance == inst.Name {
			if o.Settles {
				return f, false
			}
			return state.FailedOver{To: o.To, By: o.By, Since: o.Since}, preempts && o.To != inst.Directors[0]
		}
	}
	if !preempts {
		return f, false
	}
	for _, m := range members {
		if m.Live == nil {
			continue
		}
		said, ok := m.Live.Record.FailedOver[inst.Name]
		if ok && said.Since.After(f.Since) && slices.Contains(inst.Directors[1:], said.To) {
			f, kept = said, true
		}
	}
	return f, kept
}

// part is a director's part in an instance that it has.
func (in *Input) part(instance string) keepalived.Instance {
	for _, i := range in.Keepalived.Instances {
		if i.Name == instance {
			return i
		}
	}
	return keepalived.Instance{}
}

// give gives a director another priority in an instance, by which it preempts.
func (in *Input) give(instance string, priority int) {
	c := *in.Keepalived
	c.Instances = slices.Clone(c.Instances)
	for i := range c.Instances {
		if c.Instances[i].Name == instance {
			c.Instances[i].Priority, c.Instances[i].Preempt = priority, true
		}
	}
	in.Keepalived = &c
}

// Failover plans a switchover, on the instance's directors among inputs. Whatever else
// differs from the topology there is left as it is. Where it must not be, a node has
// Problems or the plan has Alarms. Nothing is known of an instance that no input has.
func Failover(topology string, inputs []Input, o FailoverOrder) *Plan {
	inputs = slices.Clone(inputs)
	inputs = slices.DeleteFunc(inputs, func(in Input) bool {
		return in.Role != director || in.Keepalived == nil || in.part(o.Instance).Name == ""
	})
	slices.SortStableFunc(inputs, compareInputs)
	now := slices.Clone(inputs)
	first := instances(inputs)
	c := failoverCase{order: &o, inst: instanceNamed(pairUp(now), o.Instance), now: now}
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
	p.Instances = pairUp(inputs)
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
	c.Settles = !o.Settles && !slices.ContainsFunc(now, func(in Input) bool { return in.part(o.Instance).Preempt })
	p.inTurn(inputs, position)
	return p
}

// instanceNamed is an instance by its name.
func instanceNamed(list []Instance, name string) Instance {
	for _, inst := range list {
		if inst.Name == name {
			return inst
		}
	}
	return Instance{Name: name, Directors: []string{""}}
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
	n := Node{Name: in.Name, Role: in.Role, Address: in.Address, Chosen: true, Unreadable: in.Err, Want: in.Want, base: in.Base}
	if in.Live == nil {
		return n, nil
	}
	leaves := in.Name == c.From && c.From != c.To && !c.order.Settles
	n.settle = func(now *state.State, r state.Record) state.Settled { return state.SettleKeepalived(now, in.Want, r) }
	s := n.settle(in.Live.State, in.Live.Record)
	n.Settled, n.Want = s, s.Want
	n.Drained, n.Maintenance, n.FailedOver = drained(s.Drained), maintenance(in), failedOver(s.FailedOver)
	n.Holds, n.Steady = in.pair.holds, !in.pair.elects()
	// A reload that does something else than is meant shows after an advert.
	n.Election = in.part(c.Instance).AdvertInt + time.Second
	if leaves {
		n.Election += keepalived.Takeover(in.part(c.Instance), in.pair.version)
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

// inTurn orders the actions of directors, so that each begins with what is before its files
// when the one before it has done that.
func (p *Plan) inTurn(inputs []Input, position map[string]int) {
	after := p.oneByOne(inputs, position)
	slices.SortStableFunc(p.Actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(position[a.Node], position[b.Node]))
	})
	done := map[string]int{} // each director's last action before its files
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.ID = i + 1; a.Stage == Send || a.Stage == Stop {
			done[a.Node] = a.ID
		}
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		if id := done[after[a.Node]]; id != 0 && (a.Stage == Send || a.Stage == Stop) {
			a.Needs = []int{id}
		}
	}
}

package plan

import (
	"maps"
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// The configuration by which the addresses are where a person wants them; see failover.go.
//
// The priorities of the topology are dealt out anew: the director that is asked for gets the
// highest one, and the others keep their order.
//
//	topology   lvs-1 150   lvs-2 100   lvs-3 50
//	to lvs-2   lvs-2 150   lvs-1 100   lvs-3 50
//
// So no priority comes up that the topology does not have.

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

// FailedOverInstance is an instance that a person keeps on another director.
type FailedOverInstance struct {
	Instance string `json:"instance"`
	state.FailedOver
}

func failedOverInstances(of map[string]state.FailedOver) []FailedOverInstance {
	var list []FailedOverInstance
	for _, name := range slices.Sorted(maps.Keys(of)) {
		list = append(list, FailedOverInstance{name, of[name]})
	}
	return list
}

// setPriorities gives every director the configuration by which the addresses of its instances
// are where a person wants them.
func setPriorities(inputs []Input) {
	for i := range inputs {
		inputs[i].pair.failedOver = nil
	}
	for _, inst := range instancesOf(inputs) {
		var members []*Input
		for i := range inputs {
			if inputs[i].Keepalived != nil && slices.Contains(inst.Directors, inputs[i].Name) {
				members = append(members, &inputs[i])
			}
		}
		f, kept := inst.wantedMaster(members)
		place := slices.Index(inst.Directors, f.To)
		if place < 0 {
			continue
		}
		order := slices.Insert(slices.Delete(slices.Clone(inst.Directors), place, place+1), 0, f.To)
		priorities := map[string]int{}
		for _, m := range members {
			priorities[m.Name] = m.instance(inst.Name).Priority
		}
		for _, m := range members {
			m.setPriority(inst.Name, priorities[inst.Directors[slices.Index(order, m.Name)]])
			if kept {
				if m.pair.failedOver == nil {
					m.pair.failedOver = map[string]state.FailedOver{}
				}
				m.pair.failedOver[inst.Name] = f
			}
		}
	}
}

// wantedMaster is where the addresses are to be, by what is asked now or else by what records say,
// and whether records are to keep it.
func (inst Instance) wantedMaster(members []*Input) (f state.FailedOver, kept bool) {
	preempts := slices.ContainsFunc(members, func(m *Input) bool { return m.instance(inst.Name).Preempt })
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

// instance is an instance as this director is to have it; the zero one if it has none of
// that name.
func (in *Input) instance(name string) keepalived.Instance {
	for _, i := range in.Keepalived.Instances {
		if i.Name == name {
			return i
		}
	}
	return keepalived.Instance{}
}

// setPriority gives a director another priority in an instance, by which it preempts.
func (in *Input) setPriority(instance string, priority int) {
	c := *in.Keepalived
	c.Instances = slices.Clone(c.Instances)
	for i := range c.Instances {
		if c.Instances[i].Name == instance {
			c.Instances[i].Priority, c.Instances[i].Preempt = priority, true
		}
	}
	in.Keepalived = &c
}

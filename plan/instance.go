package plan

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// What a plan knows of a vrrp_instance, and who holds its addresses.
//
// A director holds an address if it has it on a device where it answers the neighbours for
// it. On lo or tunl0 it may have it too, as a real server does; that is not holding it.

// Instance is a vrrp_instance, with what it moves.
type Instance struct {
	Name string
	// Directors are in order of priority.
	Directors []string
	Addresses []netip.Addr
	// New are those of the addresses that no keepalived has loaded yet which runs.
	New []netip.Addr
	// Takeover is how long its addresses may be nowhere when the master is gone.
	Takeover time.Duration
	// Master is the director that is to hold the addresses once all directors are changed;
	// "" for whoever is elected.
	Master string
}

// instancesOf collects the instances from what the directors want.
func instancesOf(inputs []Input) []Instance {
	type part struct {
		name     string
		priority int
	}
	parts := map[string][]part{}
	byName := map[string]*Instance{}
	for i := range inputs {
		c := inputs[i].Keepalived
		if c == nil {
			continue
		}
		for _, v := range c.Instances {
			inst := byName[v.Name]
			if inst == nil {
				inst = &Instance{Name: v.Name}
				byName[v.Name] = inst
			}
			for _, a := range v.Addresses() {
				inst.Addresses = append(inst.Addresses, a.Prefix.Addr())
			}
			inst.Takeover = max(inst.Takeover, keepalived.Takeover(v, keepalived.Version{}))
			parts[v.Name] = append(parts[v.Name], part{inputs[i].Name, v.Priority})
		}
	}
	list := make([]Instance, 0, len(byName))
	for name, inst := range byName {
		slices.SortStableFunc(parts[name], func(a, b part) int { return cmp.Compare(b.priority, a.priority) })
		for _, p := range parts[name] {
			inst.Directors = append(inst.Directors, p.name)
		}
		slices.SortFunc(inst.Addresses, netip.Addr.Compare)
		inst.Addresses = slices.Compact(inst.Addresses) // each director has them
		list = append(list, *inst)
	}
	slices.SortFunc(list, func(a, b Instance) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// findNew finds the new addresses of an instance: no keepalived that runs has them at
// all, so they are nowhere until the reload.
func (inst *Instance) findNew(inputs []Input) {
	members, _ := membersOf(*inst, inputs)
	moved := map[netip.Addr]bool{}
	for _, in := range members {
		maps.Copy(moved, floating(in.Live.State.Governed))
	}
	for _, a := range inst.Addresses {
		if !moved[a] {
			inst.New = append(inst.New, a)
		}
	}
}

// membersOf are the directors of an instance that were read, and whether they are
// all. There are none if keepalived runs on none of them.
func membersOf(inst Instance, inputs []Input) (members []*Input, whole bool) {
	runs := false
	for i := range inputs {
		in := &inputs[i]
		if in.Live == nil || !slices.Contains(inst.Directors, in.Name) {
			continue
		}
		members = append(members, in)
		here := in.runsKeepalived()
		runs = runs || here
	}
	if !runs {
		return nil, false
	}
	return members, len(members) == len(inst.Directors)
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

// answered are the addresses that a node has where it answers for them.
func answered(n *live.Node) map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	for k := range n.State.Addresses {
		if !n.State.Quiet(k.Dev) {
			all[k.Prefix.Addr()] = true
		}
	}
	return all
}

// holdsAny reports whether a director holds an address of one of its instances in the
// topology.
func holdsAny(in *Input, list []Instance) bool {
	for _, inst := range list {
		if slices.Contains(inst.Directors, in.Name) && slices.ContainsFunc(inst.Addresses, func(a netip.Addr) bool { return in.pair.answers[a] }) {
			return true
		}
	}
	return false
}

// holdsLoaded reports whether it holds one that its keepalived has loaded. That may be one
// which the topology has no more.
func holdsLoaded(in *Input) bool {
	for addr := range floating(in.Live.State.Governed) {
		if in.pair.answers[addr] {
			return true
		}
	}
	return false
}

// floating are the addresses that a keepalived moves between directors.
func floating(g state.Governed) map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	for k := range g.Addresses {
		all[k.Prefix.Addr()] = true
	}
	return all
}

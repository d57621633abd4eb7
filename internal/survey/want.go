package survey

import (
	"maps"
	"slices"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// Nothing is what a destroy wants of a node: nothing of what its roles want.
func Nothing(w roles.Want) roles.Want {
	none := roles.Want{Node: w.Node, State: state.New(), Ranges: w.Ranges, Servers: w.Servers, Destroy: true}
	none.State.Drain = w.State.Drain // servers drain before they are removed
	return none
}

// Orphan makes the plan's input for a node that the topology no longer has: everything
// that its own record holds is to go. name is the plan's name of it.
func Orphan(name string, m state.Member) plan.Input {
	return plan.Input{
		Name: name, Role: m.Role, Address: m.Place.String(), Base: m.Addresses, Member: m,
		Orphan: true, Destroy: true, Want: state.New(),
	}
}

// Input makes the plan's input for a node that was not read yet.
func Input(w roles.Want) plan.Input {
	_, table := w.State.Modules["ip_vs"] // a destroy does not want the module
	in := plan.Input{
		Name: w.Node.Name, Role: string(w.Node.Role), Address: w.Node.Address,
		Exclusive:    w.Node.Exclusive && table,
		Persist:      w.Node.Persist,
		RequireTools: w.Node.Packages == topology.PackagesRequire,
		Want:         w.State, Ranges: w.Ranges, Range: w.Node.Range, Schedulers: w.Schedulers, Servers: w.Servers,
		Replies: w.Replies, ByRole: w.ByRole, Forwards: w.Forwards, Destroy: w.Destroy, Keepalived: w.Keepalived,
	}
	for dev, p := range w.Node.Addresses() {
		in.Base = append(in.Base, state.AddressKey{Prefix: p, Dev: dev})
	}
	in.Member = member(w.Node, in.Base)
	return in
}

// member is the node as records name it.
func member(n *topology.Node, base []state.AddressKey) state.Member {
	return state.Member{
		Name: n.Name, Role: string(n.Role), Place: state.Place{Host: n.Address, Port: n.SSH.Port, Jump: n.SSH.ProxyJump},
		User: n.SSH.User, Sudo: n.SSH.Sudo, HostKey: n.SSH.HostKey, Addresses: base,
	}
}

// Question is what to read of a node for in.
func Question(topology string, in plan.Input) live.Question {
	q := live.Question{Topology: topology, Schedulers: in.Schedulers, Can: plan.TunnelNeeds(in.Want)}
	q.Director, q.Keepalived = in.Role == "director", in.Keepalived != nil
	if in.Keepalived != nil {
		for _, i := range in.Keepalived.Instances {
			q.Adverts = append(q.Adverts, i.Interface)
			for _, dev := range i.Tracked {
				q.Adverts = append(q.Adverts, "+"+dev)
			}
		}
		slices.Sort(q.Adverts)
		q.Adverts = slices.Compact(q.Adverts)
	}
	q.Sysctls = slices.Sorted(maps.Keys(in.Want.Sysctls))
	q.Packages = slices.Sorted(maps.Keys(in.Want.Packages))
	q.Modules = slices.Sorted(maps.Keys(in.Want.Modules))
	return q
}

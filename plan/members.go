package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Members is what a node's record is to say of the topology's nodes, see
// internal/state/member.go. It has the nodes that this plan changes too, because their
// names are written before the first change. At the end of the apply those are removed
// whose own record holds nothing.
type Members struct {
	state.Membership
	// Of are the plan's names of the nodes that Others are, one by one.
	Of []string
	// Keeps reports that they are all others, so that this record has to know of a node
	// before anything is changed there.
	Keeps bool
	// Read is what the record said when the plan was made.
	Read state.Membership
}

// memberEntry is a member and the plan's name of its node.
type memberEntry struct {
	state.Member
	node string
}

// nameMembers says what each record is to say of the other nodes, and which records
// have to be written for that although there is nothing else to do on their node.
func (p *Plan) nameMembers(inputs []Input) {
	acts, changes := map[string]bool{}, map[string]bool{}
	for i := range p.Actions {
		a := &p.Actions[i]
		acts[a.Node] = true
		changes[a.Node] = changes[a.Node] || a.Held == ""
	}
	keeps := keepers(inputs)
	var all, keeping []memberEntry
	// Whether somebody, or one who keeps names, may be no member any more when the apply
	// ends.
	leaving, keeperLeaving := false, false
	known := newNamedNodes(inputs)
	for i := range inputs {
		in, n := &inputs[i], &p.Nodes[i]
		member := in.Live != nil && in.Live.Record.Holds() || changes[in.Name] || in.Live == nil && known.has(in.Member)
		if in.Member.Host == "" || in.Forgotten || !member {
			continue
		}
		leaves := n.Chosen && in.Live != nil && n.Usable() && !n.Settled.Wants()
		leaving, keeperLeaving = leaving || leaves, keeperLeaving || leaves && keeps[in.Name]
		for _, m := range append([]state.Member{in.Member}, in.Aliases...) {
			all = append(all, memberEntry{m, in.Name})
		}
	}
	slices.SortFunc(all, func(a, b memberEntry) int { return a.Compare(b.Member) })
	for _, e := range all {
		if e.Role == director || keeps[e.node] {
			keeping = append(keeping, e)
		}
	}
	for i := range inputs {
		in, n := &inputs[i], &p.Nodes[i]
		if in.Member.Host == "" || in.Live == nil {
			continue
		}
		names, going := keeping, keeperLeaving
		if keeps[in.Name] {
			names, going = all, leaving
		}
		n.Members = Members{Keeps: keeps[in.Name], Membership: state.Membership{Mark: in.Mark, Self: in.Member}, Read: in.Live.Record.Members}
		for _, e := range names {
			if e.node != in.Name {
				n.Members.Others, n.Members.Of = append(n.Members.Others, e.Member), append(n.Members.Of, e.node)
			}
		}
		switch {
		case n.Usable() && !acts[in.Name]:
			n.Rewrite = n.Rewrite || n.misnames(in, going)
		case !n.Usable():
			n.NamesOnly = keeps[in.Name] && in.Live.Facts.Root && n.misnames(in, going)
		}
	}
}

// keepers are the nodes whose records name every other member: the directors. If the
// topology has none, the first of its nodes are it, too.
func keepers(inputs []Input) map[string]bool {
	keeps := map[string]bool{}
	var first []string
	has := false
	for i := range inputs {
		in := &inputs[i]
		switch {
		case in.Role == director:
			keeps[in.Name], has = true, has || !in.Orphan
		case !in.Orphan && in.Member.Host != "" && len(first) < state.Keepers:
			first = append(first, in.Name)
		}
	}
	if !has {
		for _, name := range first {
			keeps[name] = true
		}
	}
	return keeps
}

// forgotten warns of what is lost with the records of directors that the topology no
// longer has: whom only they name.
func (p *Plan) forgotten(inputs []Input) {
	for i := range inputs {
		if in := &inputs[i]; !in.Orphan && in.Role == director && in.Live != nil && in.Live.Record.Members.Mark != "" {
			return // its record names all
		}
	}
	for i := range inputs {
		if in := &inputs[i]; in.Orphan && in.Role == director && in.Live == nil {
			p.Nodes[i].Warnings = append(p.Nodes[i].Warnings, "other nodes whose blocks are deleted may be named by its record alone, which was not read; what they have of this topology stays there")
		}
	}
}

// sameName warns of a director whose record may be that of another topology with this
// one's name: nothing of it is in this one, neither a virtual service nor another node.
func (p *Plan) sameName(inputs []Input) {
	own := map[state.Place]bool{}
	addrs := map[netip.Addr]bool{}
	for i := range inputs {
		if in := &inputs[i]; !in.Orphan {
			own[in.Member.Plain()] = true
			for _, k := range in.Base {
				addrs[k.Prefix.Addr()] = true
			}
		}
	}
	ours := func(m state.Member) bool {
		return own[m.Plain()] || slices.ContainsFunc(m.Addresses, func(k state.AddressKey) bool { return addrs[k.Prefix.Addr()] })
	}
	for i := range inputs {
		in := &inputs[i]
		if in.Live == nil || in.Orphan || in.Role != director || len(in.Want.Services) == 0 || len(in.Live.Record.Set.Services) == 0 {
			continue
		}
		if others := in.Live.Record.Members.Others; len(others) == 0 || slices.ContainsFunc(others, ours) {
			continue
		}
		stays := false
		for k := range in.Live.Record.Set.Services {
			_, wanted := in.Want.Services[k]
			stays = stays || wanted
		}
		if !stays {
			p.Nodes[i].Warnings = append(p.Nodes[i].Warnings, fmt.Sprintf("the topology %s that was applied here has no virtual service and no other node in common with this one: if it is another one, give one of them another name: lvsctl { name = \"...\" }", p.Topology))
		}
	}
}

// misnames reports whether the record of a node with nothing to do has to be written
// for what it says of other nodes. leaving says that one of these may go from it.
func (n *Node) misnames(in *Input, leaving bool) bool {
	had := in.Live.Record
	stays := n.holds || n.Members.Keeps && len(n.Members.Others) > 0
	switch {
	case !stays:
		return had.Holds() || len(had.Members.Others) > 0
	case leaving && len(n.Members.Others) > 0:
		return true
	}
	return !had.Members.Equal(n.Members.Membership)
}

// namedNodes are the nodes that records name.
type namedNodes struct {
	places map[state.Place]bool
	addrs  map[netip.Addr]bool
}

func newNamedNodes(inputs []Input) namedNodes {
	all := namedNodes{map[state.Place]bool{}, map[netip.Addr]bool{}}
	for i := range inputs {
		if inputs[i].Live == nil {
			continue
		}
		for _, m := range inputs[i].Live.Record.Members.Others {
			all.places[m.Plain()] = true
			for _, k := range m.Addresses {
				all.addrs[k.Prefix.Addr()] = true
			}
		}
	}
	return all
}

// has reports whether a record names the node, under whatever name.
func (n namedNodes) has(m state.Member) bool {
	return n.places[m.Plain()] || slices.ContainsFunc(m.Addresses, func(k state.AddressKey) bool { return n.addrs[k.Prefix.Addr()] })
}

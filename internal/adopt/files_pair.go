package adopt

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/topology"
)

// A pair is what becomes a vrrp_instance: the same instance in the files of its directors,
// and the instances that move together with it. A topology tells instances by the order of
// their directors, so those with one order are one.
type pair struct {
	members []*instance // of a director each, in order of priority
	more    []*instance // further ones, of the same directors
	made    *topology.VRRPInstance
}

// pairs finds the instances that belong together.
func (b *builder) pairs(configs []*config) []*pair {
	var all []*pair
	for _, c := range configs {
		for _, i := range c.instances {
			p := partner(all, i)
			if p == nil {
				all = append(all, &pair{members: []*instance{i}})
				continue
			}
			b.compare(p.members[0], i)
			p.members = append(p.members, i)
		}
	}
	for _, p := range all {
		b.peers(p)
	}
	var list []*pair
	for _, p := range all {
		b.byPriority(p)
		k := slices.IndexFunc(list, func(o *pair) bool { return slices.Equal(o.configs(), p.configs()) })
		if k < 0 {
			list = append(list, p)
			continue
		}
		b.together(list[k].members[0], p.members[0])
		list[k].more = append(list[k].more, p.members...)
	}
	for _, c := range configs {
		b.lintIDs(c)
		b.lintGroups(c, list)
	}
	return list
}

func (p *pair) configs() []*config {
	var list []*config
	for _, i := range p.members {
		list = append(list, i.of)
	}
	return list
}

// all are the instances of a pair, first those by which it is called.
func (p *pair) all() []*instance { return slices.Concat(p.members, p.more) }

// addresses are those that a pair moves, each once.
func (p *pair) addresses() []floating {
	var list []floating
	seen := map[netip.Addr]bool{}
	for _, i := range p.all() {
		for _, a := range i.addresses {
			if !seen[a.prefix.Addr()] {
				seen[a.prefix.Addr()] = true
				a.dev = cmp.Or(a.dev, p.members[0].dev)
				list = append(list, a)
			}
		}
	}
	return list
}

// partner is the pair of another director that an instance is of: it has the number, and
// the name or an address; or else the name, and an address.
func partner(all []*pair, i *instance) *pair {
	var best *pair
	for _, p := range all {
		o := p.members[0]
		if slices.Contains(p.configs(), i.of) {
			continue
		}
		number, name, shared := o.id == i.id, o.name == i.name, o.shares(i)
		if number && (name || shared) {
			return p
		}
		if shared && best == nil {
			best = p
		}
	}
	return best
}

// shares reports whether two instances move an address in common.
func (i *instance) shares(o *instance) bool {
	return slices.ContainsFunc(i.addresses, func(a floating) bool {
		return slices.ContainsFunc(o.addresses, func(b floating) bool { return a.prefix.Addr() == b.prefix.Addr() })
	})
}

// peers completes a pair by the addresses that its directors send adverts to: they are
// those of the other files' directors, or of directors that no file was given of.
func (b *builder) peers(p *pair) {
	var unicast []*instance
	for _, i := range p.members {
		if i.unicast {
			unicast = append(unicast, i)
		}
	}
	for _, i := range unicast {
		for _, peer := range i.peers {
			if o := slices.IndexFunc(p.members, func(o *instance) bool { return o.source == peer }); o >= 0 {
				continue
			}
			// A director without unicast_src_ip sends from an address that its peers know.
			free := slices.IndexFunc(p.members, func(o *instance) bool { return o != i && !o.source.IsValid() })
			if free >= 0 && len(p.members) == 2 && len(i.peers) == 1 {
				p.members[free].source = peer
				continue
			}
			b.unseen(p, i, peer)
		}
	}
	for _, i := range unicast {
		for _, o := range p.members {
			if o == i || !i.source.IsValid() || !o.unicast || slices.Contains(o.peers, i.source) {
				continue
			}
			b.notes.lost(p.members[0], o.place, "unicast_peer of %s has not %s, from which %s sends.", o.of.name, i.source, i.of.name)
		}
	}
}

// unseen adds a director that is known by its address only.
func (b *builder) unseen(p *pair, by *instance, peer netip.Addr) {
	c := b.sender(peer)
	if c != nil && slices.Contains(p.configs(), c) {
		return
	}
	if c == nil {
		c = b.byAddress[peer]
	}
	if c == nil {
		c = &config{file: by.of.file, name: "peer-" + dashed(peer), form: "keepalived"}
		b.byAddress[peer] = c
		b.notes.add(Guess, c, by.place, "No file of this director was given: it is a peer in %s. Its priority is made up.", by.of.file)
	}
	o := *by
	o.of, o.source, o.master, o.unicast, o.peers = c, peer, false, false, nil
	o.priority = by.priority - 10*len(p.members)
	if !by.master && by.priority < 100 {
		o.priority = by.priority + 10*len(p.members)
	}
	o.priority = min(max(o.priority, 1), 254)
	p.members = append(p.members, &o)
}

// sender is the director of a file that has an address, or nil.
func (b *builder) sender(a netip.Addr) *config {
	for _, c := range b.configs {
		if slices.ContainsFunc(c.own, func(o own) bool { return o.addr.Addr() == a }) ||
			slices.ContainsFunc(c.instances, func(i *instance) bool { return i.source == a }) {
			return c
		}
	}
	return nil
}

// byPriority brings a pair's directors into order. Two of one priority get two.
func (b *builder) byPriority(p *pair) {
	first := p.members[0]
	slices.SortStableFunc(p.members, func(a, b *instance) int {
		if a.priority == b.priority && a.master != b.master {
			return map[bool]int{true: -1, false: 1}[a.master]
		}
		return cmp.Compare(b.priority, a.priority)
	})
	for k := 1; k < len(p.members); k++ {
		i, before := p.members[k], p.members[k-1]
		if i.priority < before.priority {
			continue
		}
		b.notes.lost(first, i.place, "%s has the priority %d, which is not lower than that of %s: it is %d in the topology.", i.of.name, i.priority, before.of.name, max(before.priority-1, 1))
		i.priority = max(before.priority-1, 1)
	}
	// Priorities that end at 1 for two are pushed up from the end.
	for k := len(p.members) - 2; k >= 0; k-- {
		p.members[k].priority = max(p.members[k].priority, p.members[k+1].priority+1)
	}
	// The note stays with the instance by which the pair is called.
	if k := slices.Index(p.members, first); k > 0 {
		b.replacedBy[first] = p.members[0]
	}
}

// dashed is an address as a part of a name.
func dashed(a netip.Addr) string {
	return strings.Trim(strings.NewReplacer(".", "-", "::", "-", ":", "-").Replace(a.String()), "-")
}

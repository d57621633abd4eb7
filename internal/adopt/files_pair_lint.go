package adopt

import (
	"slices"
	"strings"
)

// Faults of keepalived's files that go unseen until a failover: what differs between two
// directors of one instance, and what keepalived does otherwise than its file reads. Each is
// a remark beside the instance. The topology has what the first director has.

// compare notes in what two directors' files of one instance differ. The first is taken.
func (b *builder) compare(first, i *instance) {
	differ := func(what string, have, other any) {
		b.notes.lost(first, i.place, "%s is %v on %s and %v on %s: the topology has the first.", what, have, first.of.name, other, i.of.name)
	}
	if first.id != i.id {
		differ("virtual_router_id", first.id, i.id)
	}
	if first.name != i.name {
		b.notes.add(Note, first, i.place, "%s calls the instance %s.", i.of.name, i.name)
	}
	if first.dev != i.dev {
		differ("interface", first.dev, i.dev)
	}
	if first.advert != i.advert {
		differ("advert_int", first.advert, i.advert)
	}
	if first.version != i.version {
		differ("version", first.version, i.version)
	}
	if first.pass != i.pass {
		b.notes.lost(first, i.place, "auth_pass is another one on %s than on %s: the topology has the first.", i.of.name, first.of.name)
	}
	if first.preempt != i.preempt {
		b.notes.lost(first, i.place, "nopreempt is in the file of one director only: in the topology it holds for all.")
	}
	if first.unicast != i.unicast {
		b.notes.lost(first, i.place, "unicast_peer is in the file of one director only: in the topology adverts are unicast for all.")
	}
	if have, other := first.list(), i.list(); have != other {
		b.notes.lost(first, i.place, "the addresses are %s in %s and %s in %s: the topology has all of them.", have, first.of.name, other, i.of.name)
	}
	if first.master && i.master {
		b.notes.add(Note, first, i.place, "state is MASTER on two directors.")
	}
}

func (i *instance) list() string {
	var words []string
	for _, a := range i.addresses {
		words = append(words, a.prefix.Addr().String())
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// together notes that an instance is in one with another.
func (b *builder) together(first, i *instance) {
	b.notes.lost(first, i.place, "%s has the same directors in the same order as %s, which a topology cannot tell apart: its addresses move with %s, and virtual_router_id %d is no longer used.", i.name, first.name, first.name, i.id)
	b.replacedBy[i] = first
}

// lintIDs names numbers that two instances of one file use on one LAN.
func (b *builder) lintIDs(c *config) {
	type key struct {
		dev string
		id  int
		six bool
	}
	first := map[key]*instance{}
	for _, i := range c.instances {
		k := key{i.dev, i.id, len(i.addresses) > 0 && i.addresses[0].prefix.Addr().Is6()}
		if o := first[k]; o != nil {
			b.notes.add(Note, i, i.place, "%s and %s have the same virtual_router_id %d on %s.", o.name, i.name, i.id, i.dev)
		}
		first[k] = i
		if i.master && !i.preempt {
			b.notes.add(Note, i, i.place, "state MASTER with nopreempt takes over at each start. In the topology nopreempt holds.")
		}
		if fraction := i.fraction(); fraction && i.version == 2 || i.pass != "" && (fraction || i.version == 3) {
			b.notes.add(Note, i, i.place, "VRRP 2 has whole seconds only, and VRRP 3 no passwords.")
		}
	}
}

// lintGroups notes sync groups whose members do not move together in the topology.
func (b *builder) lintGroups(c *config, list []*pair) {
	for _, names := range c.groups {
		var of []*pair
		for _, n := range names {
			for _, p := range list {
				for _, i := range p.all() {
					if i.of == c && i.name == n && !slices.Contains(of, p) {
						of = append(of, p)
					}
				}
			}
		}
		if len(of) > 1 {
			b.notes.lost(c, place{}, "vrrp_sync_group of %s is left out: they have different directors in the topology, and move by themselves.", strings.Join(names, ", "))
		}
	}
}

package adopt

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/topology"
)

// The nodes of a topology that is made of files: a director of each config, and a real server
// of each address that a director sends to.

// ownAddresses takes from directors those addresses that move, which nobody has for itself.
func (b *builder) ownAddresses(configs []*config, pairs []*pair, work []*balanced) {
	moves := map[netip.Addr]bool{}
	for _, w := range work {
		moves[w.vip] = true
	}
	for a := range b.mover {
		moves[a] = true
	}
	for _, c := range configs {
		c.own = slices.DeleteFunc(c.own, func(o own) bool {
			if moves[o.addr.Addr()] {
				b.lost(c, place{}, "%s is left out of the director's own addresses: it is a VIP.", o.addr)
			}
			return moves[o.addr.Addr()]
		})
	}
	for _, p := range pairs {
		for _, i := range p.all() {
			if i.source.IsValid() && moves[i.source] {
				b.lost(i, i.place, "%s is left out as the address to send adverts from: it moves.", i.source)
				i.source = netip.Addr{}
			}
		}
	}
}

// director makes the node of a config.
func (b *builder) director(c *config, work []*balanced, pairs []*pair) {
	n := Node(c.name, topology.Director)
	n.Timeouts = c.timeouts
	b.nodes[c] = n
	b.elements[c] = Of(n)
	b.Topology.Nodes = append(b.Topology.Nodes, n)
	n.Address = c.name
	for _, o := range c.own {
		if b.byAddress[o.addr.Addr()] == c {
			n.Address = o.addr.Addr().String()
		}
		addInterface(n, o.dev, o.addr)
	}
	if n.Address == c.name {
		b.add(Guess, c, place{}, "How SSH reaches it is not in the file: it is taken for a host of the name %s, as DNS or ~/.ssh/config has it.", c.name)
	}
	for _, d := range b.lan.made[c] {
		addInterface(n, d.dev, d.addr)
		b.add(Guess, c, place{}, "%s of %s is made up: no file says which address it has towards the real servers. Correct it before lvsctl plan.", d.addr, d.dev)
	}
	n.DIP = b.lan.dip[c]
	for _, p := range pairs {
		if !slices.Contains(p.configs(), c) {
			continue
		}
		addInterface(n, p.members[0].dev, netip.Prefix{})
		for _, a := range p.addresses() {
			addInterface(n, a.dev, netip.Prefix{})
		}
	}
	b.daemon(c, n, pairs)
}

// addInterface adds a device to a node, with an address if that is valid.
func addInterface(n *topology.Node, dev string, addr netip.Prefix) {
	dev = cmp.Or(dev, "eth0")
	at := slices.IndexFunc(n.Interfaces, func(i topology.Interface) bool { return i.Name == dev })
	if at < 0 {
		at = len(n.Interfaces)
		n.Interfaces = append(n.Interfaces, topology.Interface{Name: dev})
	}
	if addr.IsValid() && !n.Owns(addr.Addr()) {
		n.Interfaces[at].Addresses = append(n.Interfaces[at].Addresses, addr)
	}
}

// daemon gives the sync daemon to the director, or to its instance.
func (b *builder) daemon(c *config, n *topology.Node, pairs []*pair) {
	d := c.sync
	if d == nil {
		return
	}
	paired := slices.ContainsFunc(pairs, func(p *pair) bool { return slices.Contains(p.configs(), c) })
	if !paired {
		if d.role == "" {
			b.lost(c, d.place, "lvs_sync_daemon is left out: no vrrp_instance says when this director is master. Write sync { role = ..., interface = %q }.", d.dev)
			return
		}
		if !deviceNames.MatchString(d.dev) || d.id < 0 || d.id > 255 {
			b.lost(c, d.place, "The sync daemon on %q with the id %d is left out: a topology has none such.", d.dev, d.id)
			return
		}
		addInterface(n, d.dev, netip.Prefix{})
		n.Sync = &topology.Sync{Role: d.role, Interface: d.dev, ID: d.id}
		return
	}
	of := d.instance
	for _, p := range pairs {
		at := slices.IndexFunc(p.all(), func(i *instance) bool { return i.of == c && (i.name == of || of == "") })
		if at < 0 {
			continue
		}
		i := p.all()[at]
		if of == "" {
			b.add(Note, i, d.place, "lvs_sync_daemon names no instance, and runs as master and as backup on each director. In the topology the master's connections go to the others.")
		}
		first := p.members[0]
		preempt := !slices.ContainsFunc(p.members, func(i *instance) bool { return !i.preempt })
		if preempt {
			b.lost(i, d.place, "lvs_sync_daemon is left out: with preempt, a director that comes back takes the addresses before it has the connections. Write preempt = false and sync = true.")
			return
		}
		if d.dev != first.dev {
			b.lost(i, d.place, "lvs_sync_daemon on %s is on %s in the topology, which is the instance's interface.", d.dev, first.dev)
		}
		if d.id != 0 && d.id != first.id {
			b.lost(i, d.place, "The id %d of lvs_sync_daemon is virtual_router_id in the topology, %d.", d.id, first.id)
		}
		p.members[0].sync = true
		return
	}
	b.lost(c, d.place, "lvs_sync_daemon is left out: there is no instance %s.", of)
}

// realServer is the node that has a real server's address: one for each address, or the
// director itself.
func (b *builder) realServer(w *balanced, s *server) *topology.Node {
	if n := b.servers[s.addr]; n != nil {
		return n
	}
	for _, c := range w.directors {
		if n := b.nodes[c]; n.Owns(s.addr) {
			return n
		}
	}
	n := Node("real-server-"+dashed(s.addr), topology.RealServer)
	n.Group = "real-server"
	p := netip.PrefixFrom(s.addr, b.lan.subnet(s.addr).Bits())
	addInterface(n, "eth0", p)
	n.Address, n.RIP = s.addr.String(), s.addr
	b.guessed = append(b.guessed, "interface \"eth0\" { address = \""+p.String()+"\" }")
	b.servers[s.addr] = n
	b.Topology.Nodes = append(b.Topology.Nodes, n)
	return n
}

package adopt

import (
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/topology"
)

// The topology that is made of files: the order of the steps, and what the steps share.

// A builder makes a topology of configs.
type builder struct {
	Draft
	*notes
	elements    map[any]Element         // of what notes are about
	replacedBy  map[*instance]*instance // which instance stands for another one
	byAddress   map[netip.Addr]*config  // directors known by an address only
	configs     []*config
	natDirector map[netip.Addr]*config // the one director of nat real servers
	mover       map[netip.Addr]*pair   // of the addresses that move
	lan         *lan
	nodes       map[*config]*topology.Node
	servers     map[netip.Addr]*topology.Node
	guessed     []string // real servers whose device and prefix length are made up
}

func (b *builder) build(configs []*config) {
	b.replacedBy, b.byAddress = map[*instance]*instance{}, map[netip.Addr]*config{}
	b.nodes, b.servers = map[*config]*topology.Node{}, map[netip.Addr]*topology.Node{}
	b.configs, b.natDirector = configs, map[netip.Addr]*config{}
	pairs := b.pairs(configs)
	for _, p := range pairs {
		for _, i := range p.members {
			if !slices.Contains(configs, i.of) {
				configs = append(configs, i.of)
			}
		}
	}
	work := b.services(configs, pairs)
	b.ownAddresses(configs, pairs, work)
	b.lan = newLAN(configs, pairs, work)
	for _, c := range configs {
		b.director(c, work, pairs)
	}
	for _, p := range pairs {
		b.instance(p, work)
	}
	for _, w := range work {
		b.service(w)
	}
	for i, first := range b.replacedBy {
		for b.replacedBy[first] != nil && first != b.replacedBy[first] {
			first = b.replacedBy[first]
		}
		if _, ok := b.elements[i]; !ok {
			b.elements[i] = b.elements[first]
		}
	}
	b.withoutServices(configs)
	if len(b.servers) == 1 {
		for _, n := range b.servers {
			n.Group = ""
		}
	}
	quiet := slices.ContainsFunc(work, func(w *balanced) bool { return w.mode != topology.NAT && len(w.servers) > 0 })
	if quiet {
		b.add(Note, nil, place{}, "No file says whether the real servers of modes dr and tun have the VIPs and answer no ARP for them. lvsctl plan finds out.")
	}
	if len(b.guessed) > 0 {
		b.add(Guess, nil, place{}, "The files do not say which device a real server has its address on, nor the length of its subnet: %s is made up. Correct it before lvsctl plan.", b.guessed[0])
	}
}

// withoutServices says so where files have nothing that is balanced.
func (b *builder) withoutServices(configs []*config) {
	for _, c := range configs {
		if len(c.services) == 0 && len(c.instances) == 0 && b.byAddress[firstOwn(c)] == nil {
			b.add(Note, c, place{}, "No virtual server is in %s.", c.file)
		}
	}
}

func firstOwn(c *config) netip.Addr {
	if len(c.own) == 0 {
		return netip.Addr{}
	}
	return c.own[0].addr.Addr()
}

// service makes the virtual_server.
func (b *builder) service(w *balanced) {
	v := &topology.VirtualServer{
		Name: w.name, Port: w.port, Protocol: w.protocol, FWMark: w.mark, Mode: w.mode, Scheduler: w.scheduler, SchedulerFlags: w.flags,
		Persistence: w.persistence, OnePacket: w.onePacket, SorryServer: w.sorry, HealthCheck: w.healthCheck,
	}
	for _, c := range w.directors {
		v.Directors = append(v.Directors, b.nodes[c])
	}
	if w.pair != nil {
		v.VRRPInstance = w.pair.made
	}
	if w.vip.IsValid() {
		v.VIP = netip.PrefixFrom(w.vip, w.vip.BitLen())
		dev := ""
		if w.pair != nil {
			dev = w.pair.members[0].dev
			for _, a := range w.pair.addresses() {
				if a.prefix.Addr() == w.vip {
					v.VIP, dev = a.prefix, a.dev
				}
			}
		}
		if dev != "" && slices.ContainsFunc(v.Directors, func(d *topology.Node) bool { return v.Device(d) != dev }) {
			v.Interface = dev
		}
	}
	for _, s := range w.servers {
		if b.lan.far[s] {
			b.lost(w.service, s.place, "The real server %s is left out: in mode %s all are in one subnet with the director, and it is too far from the others.", netip.AddrPortFrom(s.addr, s.port), s.mode)
			continue
		}
		if s.mode == topology.NAT && len(w.directors) == 1 {
			if other := b.natDirector[s.addr]; other != nil && other != w.directors[0] {
				b.lost(w.service, s.place, "The real server %s is left out: its answers go back through %s.", netip.AddrPortFrom(s.addr, s.port), other.name)
				continue
			}
			b.natDirector[s.addr] = w.directors[0]
		}
		n := b.realServer(w, s)
		v.RealServers = append(v.RealServers, topology.Server{Node: n, Address: s.addr, Port: s.port, Weight: s.weight, Upper: s.upper, Lower: s.lower, Mode: s.mode, Tunnel: s.tunnel})
	}
	v.Tunnel = usualTunnel(v)
	b.Topology.Services = append(b.Topology.Services, v)
}

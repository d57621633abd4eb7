package adopt

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/topology"
)

// The vrrp_instance of a pair, once it is known which directors are in it (files_pair.go).

// instance makes the vrrp_instance of a pair.
func (b *builder) instance(p *pair, work []*balanced) {
	first := p.members[0]
	v := &topology.VRRPInstance{
		Name: cmp.Or(identifier(first.name), "instance"), Interface: cmp.Or(first.dev, "eth0"), RouterID: first.id, AdvertInt: first.advert,
		Preempt: true, AuthPass: first.pass,
	}
	for slices.ContainsFunc(b.Topology.VRRP, func(o *topology.VRRPInstance) bool { return o.Name == v.Name }) {
		v.Name = another(v.Name)
	}
	if v.RouterID == 0 {
		v.RouterID = 51
		b.add(Guess, first, first.place, "virtual_router_id is made up.")
	}
	for _, i := range p.members {
		v.Directors, v.Priorities = append(v.Directors, b.nodes[i.of]), append(v.Priorities, i.priority)
	}
	b.ownID(v, first)
	p.made = v
	b.Topology.VRRP = append(b.Topology.VRRP, v)
	for _, i := range p.members {
		v.Preempt, v.Unicast, v.Sync = v.Preempt && i.preempt, v.Unicast || i.unicast, v.Sync || i.sync
	}
	v.Sync = v.Sync && !v.Preempt
	for _, i := range p.all() {
		b.elements[i] = OfInstance(v)
	}
	if len(v.Directors) == 1 {
		b.add(Note, first, first.place, "The other directors of the instance are in no file that was given. Give their files too.")
	}
	b.version(v, first)
	b.floating(p, work)
	b.inner(p, work)
	b.passwords(p, work)
}

// ownID gives an instance a number that no other has on its LAN.
func (b *builder) ownID(v *topology.VRRPInstance, first *instance) {
	meets := func(o *topology.VRRPInstance) bool {
		for _, d := range o.Directors {
			for _, mine := range v.Directors {
				if d == mine && o.Interface == v.Interface {
					return true
				}
				for _, p := range d.AddressesOn(o.Interface) {
					if slices.ContainsFunc(mine.AddressesOn(v.Interface), func(q netip.Prefix) bool { return p.Masked() == q.Masked() }) {
						return true
					}
				}
			}
		}
		return false
	}
	was := v.RouterID
	for id := was; ; id = id%255 + 1 {
		v.RouterID = id
		if !slices.ContainsFunc(b.Topology.VRRP, func(o *topology.VRRPInstance) bool { return o.RouterID == id && meets(o) }) {
			break
		}
		if id%255+1 == was {
			break // all of them are taken
		}
	}
	if v.RouterID != was {
		b.lost(first, first.place, "virtual_router_id %d is another instance's on this LAN: it is %d in the topology.", was, v.RouterID)
	}
}

// version notes where the topology speaks another VRRP than the file.
func (b *builder) version(v *topology.VRRPInstance, first *instance) {
	if first.version == 3 && !first.fraction() && len(first.addresses) > 0 && first.addresses[0].prefix.Addr().Is4() {
		b.lost(first, first.place, "VRRP 3 with whole seconds becomes VRRP 2: change all directors at once, or write advert_int = \"0.9s\".")
	}
	if first.fraction() && v.AuthPass != "" {
		v.AuthPass = ""
		b.lost(first, first.place, "auth_pass is left out: VRRP 3, which a fraction of a second takes, has none.")
	}
}

// passwords leaves one out that VRRP 3 has not, because all addresses are IPv6.
func (b *builder) passwords(p *pair, work []*balanced) {
	v4 := slices.ContainsFunc(p.made.Addresses, func(a topology.FloatingAddress) bool { return a.Prefix.Addr().Is4() })
	for _, w := range work {
		v4 = v4 || w.pair == p && w.vip.Is4()
	}
	if p.made.AuthPass != "" && !v4 {
		p.made.AuthPass = ""
		b.lost(p.members[0], p.members[0].place, "auth_pass is left out: all addresses are IPv6, which takes VRRP 3, and that has none.")
	}
}

// floating gives the instance the addresses that are no VIP of a service.
func (b *builder) floating(p *pair, work []*balanced) {
	v := p.made
	vips := map[netip.Addr]bool{}
	for _, w := range work {
		if w.pair == p {
			vips[w.vip] = true
		}
	}
	devices := map[string]bool{v.Interface: true}
	for _, a := range p.addresses() {
		devices[a.dev] = true
		switch other := b.mover[a.prefix.Addr()]; {
		case other != p:
			b.lost(p.members[0], a.place, "%s is left out: %s moves it.", a.prefix.Addr(), other.members[0].name)
		case !vips[a.prefix.Addr()]:
			v.Addresses = append(v.Addresses, topology.FloatingAddress{Prefix: a.prefix, Dev: cmp.Or(a.dev, v.Interface)})
		}
	}
	for _, i := range p.all() {
		devices[i.dev] = true
		for k, dev := range i.trackedDevs {
			if !devices[dev] {
				b.lost(i, i.tracked[k], "track_interface %s is left out: an instance of a topology tracks the devices of its addresses.", dev)
			}
		}
	}
}

// inner sees to it that nat real servers have a gateway that moves with the VIP.
func (b *builder) inner(p *pair, work []*balanced) {
	v, first := p.made, p.members[0]
	for _, w := range work {
		if w.pair != p {
			continue
		}
		for _, s := range w.servers {
			if _, ok := v.Inner(s.addr); ok || s.mode != topology.NAT {
				continue
			}
			subnet := b.lan.subnet(s.addr)
			at := slices.IndexFunc(v.Addresses, func(a topology.FloatingAddress) bool { return subnet.Contains(a.Prefix.Addr()) })
			dev := cmp.Or(b.lan.device[subnet], v.Interface)
			switch {
			case at >= 0:
				v.Addresses[at].Prefix = netip.PrefixFrom(v.Addresses[at].Prefix.Addr(), subnet.Bits())
				b.add(Guess, first, first.place, "%s is the gateway of nat real servers, so it has the length of their subnet.", v.Addresses[at].Prefix)
			case subnet.Contains(w.vip):
				v.Addresses = append(v.Addresses, topology.FloatingAddress{Prefix: netip.PrefixFrom(w.vip, subnet.Bits()), Dev: dev})
				b.add(Guess, first, first.place, "The file names no gateway that moves with the VIP for the nat real servers: it is taken to be %s.", w.vip)
			default:
				addr := b.lan.free(subnet)
				v.Addresses = append(v.Addresses, topology.FloatingAddress{Prefix: netip.PrefixFrom(addr, subnet.Bits()), Dev: dev})
				b.add(Guess, first, first.place, "%s is made up: nat real servers need a gateway that moves with the VIP, and the file has no address in their subnet.", addr)
			}
		}
	}
	for _, a := range v.Addresses {
		for _, d := range v.Directors {
			addInterface(d, a.Dev, netip.Prefix{})
		}
	}
	slices.SortStableFunc(v.Addresses, func(a, c topology.FloatingAddress) int { return a.Prefix.Addr().Compare(c.Prefix.Addr()) })
}

package adopt

import (
	"cmp"
	"net/netip"
	"slices"
)

// The directors' own addresses. keepalived.conf and ldirectord.cf seldom have one, and a
// topology needs one, because real servers of nat answer through it. Where no file has it,
// one is made up, at the end of the real servers' subnet, and marked as such.

// free is an address of a subnet that no file has: the last but one, or one before it.
func (l *lan) free(p netip.Prefix) netip.Addr {
	var a netip.Addr
	if p.Addr().Is4() {
		a = last(p).Prev()
	} else {
		b := p.Masked().Addr().As16()
		b[14], b[15] = 0xff, 0xfe
		a = netip.AddrFrom16(b)
	}
	for l.used[a] {
		a = a.Prev()
	}
	l.used[a] = true
	return a
}

// own settles a director's address in the subnet of its real servers.
func (l *lan) own(c *config, pairs []*pair, work []*balanced) {
	done := map[bool]bool{}
	for _, s := range neighbours(c, work) {
		six := s.addr.Is6()
		if done[six] || l.far[s] {
			continue
		}
		done[six] = true
		p := l.subnet(s.addr)
		at := slices.IndexFunc(c.own, func(o own) bool { return p.Contains(o.addr.Addr()) })
		if at >= 0 {
			c.own[at].addr = netip.PrefixFrom(c.own[at].addr.Addr(), p.Bits())
			l.device[p] = c.own[at].dev
			l.settle(c, c.own[at].addr.Addr())
			continue
		}
		l.make(c, p, deviceOf(c, p, pairs))
	}
	if l.dip[c].IsValid() {
		return
	}
	if len(c.own) > 0 {
		l.dip[c] = c.own[0].addr.Addr()
		return
	}
	// Nothing says where it is: in the subnet of its first VIP.
	for _, w := range work {
		if w.vip.IsValid() && slices.Contains(w.directors, c) {
			p := l.hosts(l.near(w.vip))
			l.make(c, p, deviceOf(c, p, pairs))
			return
		}
	}
	for _, p := range pairs {
		for _, i := range p.all() {
			if i.of == c && len(i.addresses) > 0 {
				q := l.hosts(l.near(i.addresses[0].prefix.Addr()))
				l.make(c, q, deviceOf(c, q, pairs))
				return
			}
		}
	}
	l.make(c, netip.MustParsePrefix("192.0.2.0/24"), deviceOf(c, netip.Prefix{}, pairs))
}

func (l *lan) settle(c *config, a netip.Addr) {
	if have := l.dip[c]; !have.IsValid() || have.Is6() && a.Is4() {
		l.dip[c] = a
	}
}

// make makes an address up.
func (l *lan) make(c *config, p netip.Prefix, dev string) {
	a := l.free(p)
	l.made[c] = append(l.made[c], own{dev, netip.PrefixFrom(a, p.Bits())})
	l.device[p] = dev
	l.settle(c, a)
}

// deviceOf is the device on which a director has a subnet: that of an address in it, or
// one that is tracked and has no other use, or that of its adverts.
func deviceOf(c *config, p netip.Prefix, pairs []*pair) string {
	dev := ""
	for _, pair := range pairs {
		for _, i := range pair.all() {
			if i.of != c && len(pair.configs()) > 0 && !slices.Contains(pair.configs(), c) {
				continue
			}
			for _, a := range i.addresses {
				if p.IsValid() && p.Contains(a.prefix.Addr()) {
					return cmp.Or(a.dev, i.dev)
				}
			}
			dev = cmp.Or(dev, i.dev)
		}
	}
	return cmp.Or(dev, "eth0")
}

// senders gives each director of a unicast instance an address to send from.
func (l *lan) senders(p *pair) {
	first := p.members[0]
	var near netip.Prefix
	for _, i := range p.members {
		if i.source.IsValid() {
			near = l.hosts(l.near(i.source))
		}
		if !near.IsValid() && len(i.peers) > 0 {
			near = l.hosts(l.near(i.peers[0]))
		}
	}
	unicast := slices.ContainsFunc(p.members, func(i *instance) bool { return i.unicast })
	for _, i := range p.members {
		on := func(o own) bool {
			return cmp.Or(o.dev, "eth0") == cmp.Or(first.dev, "eth0") && o.addr.Addr().Is6() == near.Addr().Is6()
		}
		if unicast && !slices.ContainsFunc(i.of.own, on) && !slices.ContainsFunc(l.made[i.of], on) {
			l.make(i.of, near, first.dev)
		}
	}
}

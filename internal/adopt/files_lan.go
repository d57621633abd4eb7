package adopt

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/topology"
)

// The subnets that nodes are on, as far as files tell. A real server's address comes without
// the length of its subnet. The real servers of a director share a subnet with it, unless the
// mode is tun. So a subnet is taken for as large as it takes to hold them all. It is a guess,
// and marked as one.

// A lan is what can be told of the directors' and real servers' subnets. Files have
// addresses without their length, and seldom the director's own one.
type lan struct {
	prefixes []netip.Prefix // of real servers, none in another
	hints    []netip.Prefix // lengths that a file has
	used     map[netip.Addr]bool
	dip      map[*config]netip.Addr
	made     map[*config][]own       // addresses that no file has
	device   map[netip.Prefix]string // of directors, by subnet
	far      map[*server]bool        // in no subnet that the director's others are in
}

// The shortest lengths that a subnet is made of several real servers' addresses with.
const (
	shortest4 = 8
	shortest6 = 32
)

func shortest(six bool) int {
	if six {
		return shortest6
	}
	return shortest4
}

func newLAN(configs []*config, pairs []*pair, work []*balanced) *lan {
	l := &lan{
		used: map[netip.Addr]bool{}, dip: map[*config]netip.Addr{}, made: map[*config][]own{},
		device: map[netip.Prefix]string{}, far: map[*server]bool{},
	}
	l.known(configs, pairs, work)
	for _, w := range work {
		for _, s := range w.servers {
			l.add(l.near(s.addr))
		}
	}
	for _, c := range configs {
		l.widen(c, work)
	}
	for i := range l.prefixes {
		l.prefixes[i] = l.hosts(l.prefixes[i])
	}
	for _, c := range configs {
		l.own(c, pairs, work)
	}
	for _, p := range pairs {
		l.senders(p)
	}
	return l
}

// known collects the addresses and lengths of the files, and gives each director those
// that are its own.
func (l *lan) known(configs []*config, pairs []*pair, work []*balanced) {
	for _, p := range pairs {
		for _, i := range p.all() {
			for _, a := range i.addresses {
				l.used[a.prefix.Addr()] = true
				if !a.prefix.IsSingleIP() {
					l.hints = append(l.hints, a.prefix)
				}
			}
			for _, a := range append(slices.Clone(i.peers), i.source) {
				l.used[a] = true
			}
		}
	}
	for _, c := range configs {
		for _, o := range c.own {
			l.used[o.addr.Addr()] = true
			l.hints = append(l.hints, o.addr)
		}
	}
	for _, w := range work {
		l.used[w.vip], l.used[w.sorry.Addr()] = true, true
		for _, s := range w.servers {
			l.used[s.addr] = true
		}
	}
	for _, p := range pairs {
		for _, i := range p.all() {
			has := slices.ContainsFunc(i.of.own, func(o own) bool { return o.addr.Addr() == i.source })
			if i.source.IsValid() && !has {
				i.of.own = append(i.of.own, own{cmp.Or(i.dev, p.members[0].dev), netip.PrefixFrom(i.source, l.hosts(l.near(i.source)).Bits())})
			}
		}
	}
}

// near is the subnet of an address: one of a length that a file has, or of the usual one.
func (l *lan) near(a netip.Addr) netip.Prefix {
	for _, h := range l.hints {
		if h.Contains(a) && h.Bits() >= shortest(a.Is6()) {
			return h.Masked()
		}
	}
	bits := 24
	if a.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(a, bits).Masked()
}

// add adds a subnet, in place of those that are in it.
func (l *lan) add(p netip.Prefix) {
	for _, q := range l.prefixes {
		if q.Overlaps(p) && q.Bits() <= p.Bits() {
			return
		}
	}
	l.prefixes = append(slices.DeleteFunc(l.prefixes, func(q netip.Prefix) bool { return q.Overlaps(p) }), p)
}

// subnet is the one that an address is in.
func (l *lan) subnet(a netip.Addr) netip.Prefix {
	for _, p := range l.prefixes {
		if p.Contains(a) {
			return p
		}
	}
	return l.near(a)
}

// widen makes one subnet of those of a director's real servers, as nat and dr need.
func (l *lan) widen(c *config, work []*balanced) {
	wide := map[bool]netip.Prefix{}
	for _, s := range neighbours(c, work) {
		p, six := l.subnet(s.addr), s.addr.Is6()
		have, ok := wide[six]
		if !ok {
			wide[six] = p
			continue
		}
		both := common(have, p)
		if both.Bits() < shortest(six) {
			l.far[s] = true
			continue
		}
		wide[six] = both
	}
	for _, six := range []bool{false, true} {
		if p, ok := wide[six]; ok {
			l.add(p)
		}
	}
}

// neighbours are the real servers that share a subnet with a director.
func neighbours(c *config, work []*balanced) []*server {
	var list []*server
	for _, w := range work {
		for _, s := range w.servers {
			if s.mode != topology.TUN && slices.Contains(w.directors, c) {
				list = append(list, s)
			}
		}
	}
	return list
}

// common is the longest prefix that has both.
func common(a, b netip.Prefix) netip.Prefix {
	bits := min(a.Bits(), b.Bits())
	for bits > 0 && netip.PrefixFrom(a.Addr(), bits).Masked() != netip.PrefixFrom(b.Addr(), bits).Masked() {
		bits--
	}
	return netip.PrefixFrom(a.Addr(), bits).Masked()
}

// hosts is the subnet, or one that is longer by as much as it takes for the addresses in it
// to be those of hosts.
func (l *lan) hosts(p netip.Prefix) netip.Prefix {
	for p.Addr().Is4() && p.Bits() > shortest4 && (l.used[p.Masked().Addr()] || l.used[last(p)]) {
		p = netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked()
	}
	return p
}

// last is the last address of an IPv4 prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(b)
}

package adopt

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/lvsctl/lvsctl/topology"
)

// Which services of several files are one. Directors of one pair that balance the same
// address have one virtual_server in the topology, that of the first of them. Other directors
// share one only if they balance alike.

// A balanced service is what becomes a virtual_server: the same service of its directors.
type balanced struct {
	*service
	directors []*config
	pair      *pair // nil without keepalived's VRRP
	name      string
}

// services finds which services of several files are one, and what runs them.
func (b *builder) services(configs []*config, pairs []*pair) []*balanced {
	type key struct {
		serviceKey
		pair *pair
	}
	b.mover = map[netip.Addr]*pair{}
	for _, p := range pairs {
		for _, a := range p.addresses() {
			if b.mover[a.prefix.Addr()] == nil {
				b.mover[a.prefix.Addr()] = p
			}
		}
	}
	known := map[key]*balanced{}
	var list []*balanced
	names := map[string]bool{}
	for _, c := range configs {
		here := map[serviceKey]bool{}
		for _, s := range c.services {
			if here[s.key()] {
				b.lost(c, s.place, "%s is in the file a second time, and left out here.", s.what())
				continue
			}
			here[s.key()] = true
			k := key{s.key(), b.holder(s, pairs)}
			w := known[k]
			if w != nil && b.same(w, s) {
				w.directors = append(w.directors, c)
				continue
			}
			w = &balanced{service: s, directors: []*config{c}, pair: k.pair}
			if known[k] == nil {
				known[k] = w
			}
			w.name = identifier(s.name)
			if w.name == "" {
				w.name = s.called()
			}
			for names[w.name] {
				w.name = another(w.name)
			}
			names[w.name] = true
			b.elements[s] = Element{"virtual_server", w.name}
			list = append(list, w)
		}
	}
	return b.oneHand(slices.DeleteFunc(list, func(w *balanced) bool { return !b.held(w) }))
}

// oneHand leaves out services whose VIP another pair moves: an address moves with one.
func (b *builder) oneHand(list []*balanced) []*balanced {
	for _, w := range list {
		if w.pair != nil && w.vip.IsValid() && b.mover[w.vip] == nil {
			b.mover[w.vip] = w.pair
		}
	}
	return slices.DeleteFunc(list, func(w *balanced) bool {
		p := b.mover[w.vip]
		if !w.vip.IsValid() || p == nil || p == w.pair {
			return false
		}
		delete(b.elements, w.service)
		b.lost(w.service, w.place, "%s of %s is left out: %s of other directors moves %s.", w.what(), w.of.name, p.members[0].name, w.vip)
		return true
	})
}

// same reports whether a service of another director is one with w, and notes in what they
// differ. With a pair they are one in any case.
func (b *builder) same(w *balanced, s *service) bool {
	other := differences(w.service, s)
	if w.pair != nil || len(other) == 0 {
		for _, why := range otherChecks(w.service, s) {
			b.lost(w.service, s.place, "%s checks %s: the topology follows %s.", s.of.name, why, w.of.name)
		}
	}
	if w.pair == nil && w.mode == topology.NAT {
		for _, why := range other {
			b.lost(w.service, s.place, "%s has %s: the topology follows %s.", s.of.name, why, w.of.name)
		}
		b.lost(w.service, s.place, "%s has it too, and %s alone has it in the topology: the answers of nat real servers have one way back, unless a vrrp_instance moves it.", s.of.name, w.of.name)
		b.elements[s] = b.elements[w.service]
		return true
	}
	if w.pair == nil {
		if len(other) == 0 {
			b.elements[s] = b.elements[w.service]
		}
		return len(other) == 0
	}
	for _, why := range other {
		b.lost(w.service, s.place, "%s has %s: the topology follows %s.", s.of.name, why, w.of.name)
	}
	switch {
	case w.sorry.IsValid() != s.sorry.IsValid():
		b.add(Note, w.service, s.place, "sorry_server is on one director only. In the topology it is for all.")
		if !w.sorry.IsValid() {
			w.sorry, w.sorryAt = s.sorry, s.sorryAt
		}
	case w.sorry != s.sorry:
		b.lost(w.service, s.place, "sorry_server is %s on %s and %s on %s: the topology has the first.", w.sorry, w.of.name, s.sorry, s.of.name)
	}
	b.elements[s] = b.elements[w.service]
	return true
}

// otherChecks are what other checks in another way than s, in words.
func otherChecks(s, other *service) []string {
	text := func(h *topology.HealthCheck) string {
		if h == nil {
			return "not at all"
		}
		return "by " + checkText(*h)
	}
	var list []string
	for _, v := range s.servers {
		if o := other.server(v); o != nil && text(o.check) != text(v.check) {
			list = append(list, fmt.Sprintf("%s %s, and not %s", v.addr, text(o.check), text(v.check)))
		}
	}
	return list
}

// holder is the pair that moves a service's VIP; or, where none does, the first of its
// director.
func (b *builder) holder(s *service, pairs []*pair) *pair {
	var first *pair
	for _, p := range pairs {
		if !slices.Contains(p.configs(), s.of) {
			continue
		}
		if first == nil {
			first = p
		}
		if b.mover[s.vip] == p {
			return p
		}
	}
	if first != nil && s.mark == 0 {
		b.add(Note, s, s.place, "no vrrp_instance has %s. In the topology %s moves it.", s.vip, first.members[0].name)
	}
	return first
}

// held settles which directors a service has, and whether the topology can say it.
func (b *builder) held(w *balanced) bool {
	if w.pair != nil {
		for _, i := range w.pair.members {
			if !slices.Contains(w.directors, i.of) && b.byAddress[i.source] == nil {
				b.lost(w.service, w.place, "It is on %s only. In the topology each director of the instance has it.", w.of.name)
			}
		}
		w.directors = w.pair.configs()
	}
	return b.fit(w)
}

// what is a service in words.
func (s *service) what() string {
	if s.mark != 0 {
		return fmt.Sprintf("fwmark %d", s.mark)
	}
	return fmt.Sprintf("%s %s", s.protocol, netip.AddrPortFrom(s.vip, s.port))
}

// called is a name for a service.
func (s *service) called() string {
	if s.mark != 0 {
		name := "fwmark-" + strconv.FormatUint(uint64(s.mark), 10)
		if s.ipv6 {
			name += "-ipv6"
		}
		return name
	}
	return fmt.Sprintf("%s-%s-%d", s.protocol, dashed(s.vip), s.port)
}

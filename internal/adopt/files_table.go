package adopt

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/topology"
)

// A table that ipvsadm printed, beside the file that makes it. The file decides where they
// differ, because it wins at the next reload. Thresholds are taken from the table where the
// file has none.

// joinTables adds each ipvsadm table to the director whose services it has. Services that
// are in the table only are added; where they differ the other file is right, because it is
// what makes the table.
func joinTables(configs []*config, n *notes) []*config {
	var list, taken []*config
	for _, c := range configs {
		if c.form != "ipvsadm" {
			list = append(list, c)
		}
	}
	for _, t := range configs {
		if t.form != "ipvsadm" {
			continue
		}
		at := slices.IndexFunc(list, func(c *config) bool {
			known := c.byKey()
			return c.form != "ipvsadm" && !slices.Contains(taken, c) && slices.ContainsFunc(t.services, func(s *service) bool { return known[s.key()] != nil })
		})
		if at < 0 {
			list = append(list, t)
			continue
		}
		c := list[at]
		taken = append(taken, c)
		known := c.byKey()
		for _, s := range t.services {
			have := known[s.key()]
			if have == nil {
				s.of = c
				c.services = append(c.services, s)
				n.add(Note, s, s.place, "It is in the table, and not in %s.", c.file)
				continue
			}
			for _, why := range differences(have, s) {
				n.lost(have, s.place, "The table has %s: the topology follows %s.", why, c.file)
			}
			for _, v := range have.servers {
				if o := s.server(v); o != nil && v.upper == 0 && v.lower == 0 {
					v.upper, v.lower = o.upper, o.lower
				}
			}
		}
		if c.timeouts == nil {
			c.timeouts = t.timeouts
		}
	}
	return list
}

// byKey are a director's services as its kernel knows them, the first of each.
func (c *config) byKey() map[serviceKey]*service {
	known := map[serviceKey]*service{}
	for _, s := range c.services {
		if known[s.key()] == nil {
			known[s.key()] = s
		}
	}
	return known
}

func (s *service) server(like *server) *server {
	for _, v := range s.servers {
		if v.addr == like.addr && v.port == like.port {
			return v
		}
	}
	return nil
}

// differences are what other has in another way than s, in words.
func differences(s, other *service) []string {
	var list []string
	differ := func(what string, have, other any) {
		if have != other {
			list = append(list, fmt.Sprintf("%s %v in place of %v", what, other, have))
		}
	}
	differ("the scheduler", s.scheduler, other.scheduler)
	slices.Sort(s.flags)
	slices.Sort(other.flags)
	differ("the flags", strings.Join(s.flags, ","), strings.Join(other.flags, ","))
	timeout := func(s *service) topology.Persistence {
		if s.persistence == nil {
			return topology.Persistence{}
		}
		return *s.persistence
	}
	differ("the persistence timeout", timeout(s).Timeout, timeout(other).Timeout)
	differ("the persistence mask", timeout(s).Netmask, timeout(other).Netmask)
	differ("one-packet scheduling", s.onePacket, other.onePacket)
	for _, v := range s.servers {
		o := other.server(v)
		if o == nil {
			list = append(list, fmt.Sprintf("no real server %s", netip.AddrPortFrom(v.addr, v.port)))
			continue
		}
		where := " of " + netip.AddrPortFrom(v.addr, v.port).String()
		differ("the weight"+where, v.weight, o.weight)
		differ("the mode"+where, v.mode, o.mode)
		differ("the tunnel"+where, tunnelText(v.tunnel), tunnelText(o.tunnel))
	}
	for _, o := range other.servers {
		if s.server(o) == nil {
			list = append(list, fmt.Sprintf("a real server %s", netip.AddrPortFrom(o.addr, o.port)))
		}
	}
	return list
}

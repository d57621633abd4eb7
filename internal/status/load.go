package status

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// What a director's services and real servers have to do: their rows of the report.

// services are a director's: those of the topology, then those of others.
func (c *cluster) services(d *director) []Service {
	if d.Now == nil {
		return nil
	}
	servers := d.Now.Traffic.ByService()
	keys := slices.Collect(maps.Keys(d.Want.Services))
	for k := range d.Now.Traffic.Services {
		if _, wanted := d.Want.Services[k]; !wanted {
			keys = append(keys, k)
		}
	}
	foreign := func(k state.ServiceKey) int {
		if _, wanted := d.Want.Services[k]; wanted {
			return 0
		}
		return 1
	}
	slices.SortFunc(keys, func(a, b state.ServiceKey) int {
		return cmp.Or(cmp.Compare(foreign(a), foreign(b)), state.CompareServices(a, b))
	})
	wanted := map[state.ServiceKey][]state.ServerKey{}
	for k := range d.Want.Servers {
		if _, listed := d.Now.Traffic.Servers[k]; !listed {
			wanted[k.Service] = append(wanted[k.Service], k)
		}
	}
	list := make([]Service, 0, len(keys))
	for _, k := range keys {
		list = append(list, c.service(d, k, append(servers[k], wanted[k]...)))
	}
	return list
}

func (c *cluster) service(d *director, k state.ServiceKey, servers []state.ServerKey) Service {
	traffic, listed := d.Now.Traffic.Services[k]
	_, wanted := d.Want.Services[k]
	s := Service{Director: d.Name, Name: c.names[k], Service: k.String(), How: traffic.How, Servers: []Server{}}
	switch {
	case !wanted:
		s.State, s.Name = Foreign, ""
	case !listed:
		s.State = Gone
	}
	if d.Before != nil {
		before, was := d.Before.Traffic.Services[k]
		s.Rates = rates(was && listed, traffic.Counters, before.Counters, d.Now.Traffic.Clock-d.Before.Traffic.Clock)
	}
	slices.SortFunc(servers, state.CompareServers)
	for _, sk := range servers {
		one := c.server(d, sk, wanted)
		s.Active, s.Inactive = s.Active+one.Active, s.Inactive+one.Inactive
		s.Servers = append(s.Servers, one)
	}
	return s
}

func (c *cluster) server(d *director, k state.ServerKey, ours bool) Server {
	traffic, listed := d.Now.Traffic.Servers[k]
	want, wanted := d.Want.Servers[k]
	s := Server{
		Name: d.nameOf(k.Addr.Addr()), Address: k.Addr.String(), Mode: c.mode(k.Service, traffic.Forward), Weight: traffic.Weight,
		Load: Load{Active: traffic.Active, Inactive: traffic.Inactive},
	}
	if d.Before != nil {
		before, was := d.Before.Traffic.Servers[k]
		s.Rates = rates(was && listed, traffic.Counters, before.Counters, d.Now.Traffic.Clock-d.Before.Traffic.Clock)
	}
	governed := d.Live.State.Governed
	switch {
	case !ours:
	case !listed && governed.Servers[k]:
		s.State, s.Mode = Down, c.mode(k.Service, want.Forward)
	case !listed:
		s.State, s.Mode = Gone, c.mode(k.Service, want.Forward)
	case governed.Sorry[k.Service] == k.Addr:
		s.State = Sorry
	case !wanted:
		s.State = Foreign
	case traffic.Weight > 0:
	case d.drained(k.Addr.Addr(), &s):
		s.State = Drained
	case d.Want.Quiesce[k.Addr.Addr()]:
		s.State = Maintenance
	case want.Weight == 0:
		s.State = Idle
	case governed.Servers[k]:
		s.State = Down // a check with inhibit_on_failure leaves it there
	default:
		s.State = Drained
	}
	return s
}

// nameOf is the node of the topology that has an address, "" for none.
func (d *director) nameOf(addr netip.Addr) string {
	if slices.ContainsFunc(d.Base, func(k state.AddressKey) bool { return k.Prefix.Addr() == addr }) {
		return d.Name
	}
	return d.Servers[addr]
}

// drained says of a server who has drained it, and since when.
func (d *director) drained(addr netip.Addr, s *Server) bool {
	for _, one := range d.Live.Record.Drained {
		if slices.Contains(one.Addresses, addr) {
			s.Since, s.By = one.Since, one.By
			return true
		}
	}
	return false
}

// mode is how packets reach a server, as the topology calls it.
func (c *cluster) mode(k state.ServiceKey, f state.Forward) string {
	if c.full[k] && f == state.Masq {
		return string(topology.FULLNAT)
	}
	return string(f)
}

func rates(both bool, now, before state.Counters, seconds float64) *Rates {
	r, ok := now.Since(before, seconds)
	if !both || !ok {
		return nil
	}
	return &Rates{r.Connections, r.PacketsIn, r.PacketsOut, r.BytesIn, r.BytesOut}
}

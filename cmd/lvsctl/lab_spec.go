package main

import (
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/topology"
)

// labSpec makes the lab's Spec of a topology: its hosts, their NICs and their listeners.
func labSpec(t *topology.Topology) lab.Spec {
	s := lab.Spec{Name: t.Name}
	for _, n := range t.Nodes {
		h := lab.Host{Name: n.Name, Role: string(n.Role), Listeners: labListeners(t, n)}
		if n.Address != "local" {
			h.Aliases = []string{n.Address}
		}
		for _, i := range n.Interfaces {
			h.Interfaces = append(h.Interfaces, lab.Interface{Name: i.Name, Addresses: i.Addresses})
		}
		// apply configures nothing on a client, so the lab sets its default route.
		if n.Role == topology.Client {
			h.Gateway4 = labGateway(t, n, false)
			h.Gateway6 = labGateway(t, n, true)
			for _, r := range n.Routes {
				h.Routes = append(h.Routes, lab.Route{To: r.To, Via: r.Via, Dev: r.Dev})
			}
		}
		for _, r := range n.Routes {
			s.Avoid = append(s.Avoid, r.To)
		}
		s.Hosts = append(s.Hosts, h)
	}
	for _, v := range t.Services {
		if v.VIP.IsValid() {
			s.Avoid = append(s.Avoid, v.VIP)
		}
	}
	return s
}

// labGateway is the next hop of a client's default route: its gateway attribute, else a
// router on its LAN, else, if the topology has no router, a director that forwards (nat and
// fullnat). It is zero if there is none.
func labGateway(t *topology.Topology, client *topology.Node, ipv6 bool) netip.Addr {
	if own := client.Gateway.Of(ipv6); own.IsValid() {
		return own
	}
	routers := false
	for _, n := range t.Nodes {
		if n.Role != topology.Router {
			continue
		}
		routers = true
		if addr, ok := client.Neighbour(n, ipv6); ok {
			return addr
		}
	}
	if routers {
		return netip.Addr{}
	}
	for _, v := range t.Services {
		if v.Mode != topology.NAT && v.Mode != topology.FULLNAT {
			continue
		}
		for _, d := range v.Directors {
			if addr, ok := client.Neighbour(d, ipv6); ok {
				return addr
			}
		}
	}
	return netip.Addr{}
}

// anyPorts are the ports that answer for a service of every port.
var anyPorts = []uint16{80, 443}

// mostPorts is how many ports answer for a range of a fwmark service, at most.
const mostPorts = 64

// labListeners are the ports on which a node answers, as a real server and as a sorry
// server.
func labListeners(t *topology.Topology, n *topology.Node) []lab.Listener {
	var out []lab.Listener
	seen := map[lab.Listener]bool{}
	add := func(p topology.Protocol, port uint16) {
		if l := (lab.Listener{Protocol: string(p), Port: port}); !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	for _, v := range t.Services {
		if sorry := v.SorryServer; sorry.IsValid() && (n.Owns(sorry.Addr()) || sorry.Addr().IsLoopback() && slices.Contains(v.Directors, n)) {
			add(v.Protocol, sorry.Port())
		}
		for _, s := range v.RealServers {
			if s.Node != n {
				continue
			}
			if v.FWMark != 0 {
				for _, m := range v.Marks {
					for _, r := range m.Ports {
						for port := int(r.First); port <= int(r.Last) && port < int(r.First)+mostPorts; port++ {
							add(m.Protocol, uint16(port))
						}
					}
				}
				continue
			}
			if s.Port != 0 {
				add(v.Protocol, s.Port)
				continue
			}
			for _, port := range anyPorts {
				add(v.Protocol, port)
			}
		}
	}
	return out
}

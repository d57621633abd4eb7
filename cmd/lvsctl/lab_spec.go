package main

import (
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/topology"
)

// labSpec is the topology as a lab sees it: hosts, cables, and who answers where.
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
		// lvsctl configures nothing on a client, so the lab has to.
		if n.Role == topology.Client {
			h.Gateway4 = labGateway(t, n, n.Gateway.V4, netip.Addr.Is4)
			h.Gateway6 = labGateway(t, n, n.Gateway.V6, netip.Addr.Is6)
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

// labGateway is a client's default route of one family: its own attribute, else
// a router on its LAN, else, if there is no router at all, a director that
// forwards (nat and fullnat). It is zero where there is none.
func labGateway(t *topology.Topology, client *topology.Node, own netip.Addr, family func(netip.Addr) bool) netip.Addr {
	if own.IsValid() {
		return own
	}
	routers := false
	for _, n := range t.Nodes {
		if n.Role != topology.Router {
			continue
		}
		routers = true
		if addr, ok := neighbour(client, n, family); ok {
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
			if addr, ok := neighbour(client, d, family); ok {
				return addr
			}
		}
	}
	return netip.Addr{}
}

// neighbour is an address of other in a subnet of n.
func neighbour(n, other *topology.Node, family func(netip.Addr) bool) (netip.Addr, bool) {
	for _, i := range other.Interfaces {
		for _, p := range i.Addresses {
			if _, _, ok := n.On(p.Addr()); ok && family(p.Addr()) {
				return p.Addr(), true
			}
		}
	}
	return netip.Addr{}, false
}

// anyPorts answer for a service of every port.
var anyPorts = []uint16{80, 443}

// mostPorts is how many ports of one range of a fwmark service are answered.
const mostPorts = 64

// labListeners are the ports that a node answers: those it has as a real server
// and those it has as a sorry server.
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
		if v.SorryServer.IsValid() && n.Owns(v.SorryServer.Addr()) {
			add(v.Protocol, v.SorryServer.Port())
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

package topology

import (
	"fmt"
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// wantedRoute is the default route that a real server needs for a service.
type wantedRoute struct {
	service *service
	via     netip.Addr
	why     string
}

// checkDefaultRoutes refuses two services that need different default routes on one
// real server. If the node has a written gateway, that one is used for both.
func (l *loader) checkDefaultRoutes() {
	type key struct {
		node *node
		ipv6 bool
		rule bool // answers led back by a rule do not need the default route
	}
	first := map[key]wantedRoute{}
	routers := l.routersBySubnet()
	for _, s := range l.services {
		if s.broken {
			continue
		}
		ipv6 := s.IPv6()
		for _, srv := range s.servers {
			rule := srv.Mode == NAT && srv.node.WayBack == WayBackRule
			if srv.node.broken || srv.node.Role != RealServer || srv.node.Gateway.Of(ipv6).IsValid() && !rule {
				continue
			}
			want, ok := s.defaultRoute(srv, ipv6, routers)
			if !ok {
				continue
			}
			k := key{srv.node, ipv6, rule}
			have, known := first[k]
			if !known {
				first[k] = want
				continue
			}
			if have.via == want.via {
				continue
			}
			if rule {
				l.Complain(srv.at.name, "Two ways back", "%s answers %s via %s (%s), and %s via %s (%s); a rule leads all that comes from its RIP one way. Use different real servers, or one director.",
					srv.node.Name, have.service.Name, have.via, have.why, s.Name, want.via, want.why)
				continue
			}
			l.Complain(srv.at.name, "Two default routes wanted", "%s serves %s, which needs its default route via %s (%s), and %s, which needs it via %s (%s). Use different real servers, or set gateway on it.",
				srv.node.Name, have.service.Name, have.via, have.why, s.Name, want.via, want.why)
		}
	}
}

// defaultRoute is the default route that a server needs for the service, by the mode
// table in the README. ok is false if it needs none or none can be chosen.
func (s *service) defaultRoute(srv server, ipv6 bool, routers routersBySubnet) (wantedRoute, bool) {
	switch srv.Mode {
	case NAT:
		if len(s.directors) != 1 || s.directors[0].broken {
			return wantedRoute{}, false
		}
		dip, ok := s.directors[0].Towards(srv.Address)
		return wantedRoute{s, dip, "nat, the DIP of " + s.directors[0].Name}, ok
	case DR, TUN:
		found := routers.near(srv.node, ipv6)
		if len(found) == 0 {
			return wantedRoute{}, false
		}
		if len(found) > 1 {
			s.Complain(srv.node.Range, "Which router?", "%s shares subnets with the routers %s and %s. Set gateway to one of them.", srv.node.Name, found[0].node.Name, found[1].node.Name)
			return wantedRoute{}, false
		}
		return wantedRoute{s, found[0].addr, fmt.Sprintf("%s, the router %s", srv.Mode, found[0].node.Name)}, true
	}
	return wantedRoute{}, false
}

// routerAddr is a router's address on a subnet.
type routerAddr struct {
	node *node
	addr netip.Addr
}

// routersBySubnet are the routers on each subnet. With it the check of all servers is
// linear.
type routersBySubnet map[netip.Prefix][]routerAddr

func (l *loader) routersBySubnet() routersBySubnet {
	m := routersBySubnet{}
	for _, name := range lang.SortedKeys(l.nodes) {
		n := l.nodes[name]
		if n.Role != Router {
			continue
		}
		for _, i := range n.Interfaces {
			for _, p := range i.Addresses {
				m[p.Masked()] = append(m[p.Masked()], routerAddr{n, p.Addr()})
			}
		}
	}
	return m
}

// near returns one address of each router that shares a subnet with a node.
func (m routersBySubnet) near(n *node, ipv6 bool) []routerAddr {
	var found []routerAddr
	seen := map[*node]bool{}
	for _, i := range n.Interfaces {
		for _, p := range i.Addresses {
			if p.Addr().Is6() != ipv6 {
				continue
			}
			for _, r := range m[p.Masked()] {
				if !seen[r.node] {
					seen[r.node] = true
					found = append(found, r)
				}
			}
		}
	}
	return found
}

package topology

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// check compares the elements with one another, and fills in what of a service follows
// from several of them. It leaves out broken ones, of which something was refused: their
// further errors would only follow from the first.
func (l *loader) check() {
	owners := l.checkAddresses()
	sortBy(l.services, func(s *service) string { return s.Name })
	for _, s := range l.services {
		s.complete()
		if s.broken {
			continue
		}
		c := serviceCheck{service: s, owners: owners}
		c.checkVIP()
		c.checkDevice()
		c.checkPort()
		c.checkServers()
		c.checkKeepalived()
		c.checkHealth()
		c.checkSorry()
		c.checkWeights()
		c.checkOwnServers()
	}
	l.checkServicesOfDirectors()
	l.checkTunnelPorts()
	l.checkDefaultRoutes()
	l.checkVRRP()
}

// complete sorts the directors and servers of a service. A director that serves locally
// gets its DIP as RIP, and a server in maintenance the weight 0.
func (s *service) complete() {
	for _, d := range s.directors {
		s.Directors = append(s.Directors, d.Node)
	}
	sortBy(s.Directors, func(n *Node) string { return n.Name })
	for i := range s.servers {
		srv := &s.servers[i]
		if srv.node.Role == Director {
			srv.node.RIP = srv.node.DIP
		}
		if srv.node.Maintenance {
			srv.Weight = 0
		}
		srv.Address, _ = s.address(*srv)
	}
	slices.SortStableFunc(s.servers, func(a, b server) int {
		return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.Port, b.Port), cmp.Compare(a.node.Name, b.node.Name))
	})
	for _, srv := range s.servers {
		s.RealServers = append(s.RealServers, srv.Server)
	}
	s.warnOfMaintenance()
}

// warnOfMaintenance warns of a service whose real servers are all in maintenance: it
// refuses every client.
func (s *service) warnOfMaintenance() {
	if len(s.servers) == 0 || slices.ContainsFunc(s.servers, func(srv server) bool { return !srv.node.Maintenance }) {
		return
	}
	s.Warn(s.Range, "All real servers in maintenance", "Every real server of %s has maintenance = true, so that new clients are refused until one of them is back.", s.Name)
}

// A serviceCheck checks one service. owners is the node of each address.
type serviceCheck struct {
	*service
	owners map[netip.Addr]*node
}

// checkAddresses refuses an address that two nodes have, and returns the node of each
// address.
func (l *loader) checkAddresses() map[netip.Addr]*node {
	owners := map[netip.Addr]*node{}
	type login struct {
		address string
		port    int
		jump    string
	}
	logins := map[login]*node{}
	for _, name := range lang.SortedKeys(l.nodes) {
		n := l.nodes[name]
		for _, i := range n.Interfaces {
			for _, p := range i.Addresses {
				addr := p.Addr()
				// Two nodes on different links may have the same link-local address.
				if addr.IsLinkLocalUnicast() {
					continue
				}
				if other := owners[addr]; other != nil {
					l.Complain(i.Range, "Address given twice", "%s of %s belongs to %s already, at %s.", addr, n.Name, other.Name, other.Range)
				}
				owners[addr] = n
			}
		}
		if a := n.raw.Address; a != nil && !n.broken {
			key := login{n.Node.Address, n.SSH.Port, n.SSH.ProxyJump}
			if other := logins[key]; other != nil {
				l.Complain(a.Expr.Range(), "Two nodes at one address", "SSH to %s reaches %s already. One machine is one node.", lang.Quote(n.Node.Address), other.Name)
			}
			logins[key] = n
		}
	}
	return owners
}

package topology

import "net/netip"

// IPv6 reports whether the service is of the IPv6 family: its VIP's, or its
// real servers' where a fwmark service has no VIP.
func (v *VirtualServer) IPv6() bool {
	var first netip.Addr
	if len(v.RealServers) > 0 {
		first = v.RealServers[0].Address
	}
	return familyOf(v.VIP.Addr(), first).Is6()
}

// IPv6 is [VirtualServer.IPv6] of a service whose servers' addresses are not
// chosen yet: they follow from it.
func (s *service) IPv6() bool {
	var first netip.Addr
	if len(s.servers) > 0 {
		first = s.servers[0].own()
	}
	return familyOf(s.vip, first).Is6()
}

// familyOf returns the address that gives a service its family: its VIP, or its
// first real server's where it has none.
func familyOf(vip, first netip.Addr) netip.Addr {
	if vip.IsValid() {
		return vip
	}
	return first
}

// own is the address that a server is reached at unless its service's family is
// the other one: the RIP, or a director's DIP.
func (s server) own() netip.Addr {
	if s.node.Role == Director {
		return s.node.DIP
	}
	return s.node.RIP
}

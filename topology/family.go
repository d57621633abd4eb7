package topology

import "net/netip"

// IPv6 reports whether the service balances IPv6. Its VIP decides, or its first real
// server if a fwmark service has no VIP.
func (v *VirtualServer) IPv6() bool {
	var first netip.Addr
	if len(v.RealServers) > 0 {
		first = v.RealServers[0].Address
	}
	return familyOf(v.VIP.Addr(), first).Is6()
}

// IPv6 is [VirtualServer.IPv6] before the servers' addresses are known: they are chosen
// by the family.
func (s *service) IPv6() bool {
	var first netip.Addr
	if len(s.servers) > 0 {
		first = s.servers[0].own()
	}
	return familyOf(s.vip, first).Is6()
}

// familyOf returns the address whose family is the service's: its VIP, or the address
// first of its first real server if it has none.
func familyOf(vip, first netip.Addr) netip.Addr {
	if vip.IsValid() {
		return vip
	}
	return first
}

// own is the address of a server in a service of its own family: the RIP, or a
// director's DIP.
func (s server) own() netip.Addr {
	if s.node.Role == Director {
		return s.node.DIP
	}
	return s.node.RIP
}

package roles

import (
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// realServer wants what each service needs on the real server.
func realServer(n *node) {
	for _, s := range n.serves {
		switch s.server.Mode {
		case topology.NAT:
			// Replies must pass the director, which writes the VIP into them.
			n.replies(s, s.server.Address, towards(s.service, s.server.Address))
		case topology.DR:
			n.quietVIP(s)
			n.throughRouter(s)
		case topology.TUN:
			n.tunnel(s)
			n.clamp(s)
			n.throughRouter(s)
		}
	}
}

// quietVIP wants the VIP on a device that neither answers ARP for it nor announces it:
// the neighbours must find the director's. arp_ignore and arp_announce are max(all,
// device) (IN_DEV_MAXCONF, include/linux/inetdevice.h), so those of "all" are enough. The
// device's own are set too, because people look there.
func (n *node) quietVIP(s serving) {
	if !s.service.VIP.IsValid() {
		return // a fwmark service without a VIP: the user gives real servers its addresses
	}
	dev, vip := s.server.VIPDevice(), s.service.VIP.Addr()
	if vip.Is4() {
		for _, d := range []string{"all", dev} {
			n.sysctl("net/ipv4/conf/"+d+"/arp_ignore", "1", s.service.Range)
			n.sysctl("net/ipv4/conf/"+d+"/arp_announce", "2", s.service.Range)
		}
	}
	n.address(netip.PrefixFrom(vip, vip.BitLen()), dev, s.service.Range)
}

// tunnel wants the device that unpacks the packets of a tun director: the kernel's own for
// packets of any tunnel. From a gue packet the kernel takes the UDP and GUE headers off at a
// port and goes on with what is left as if it had come so (gue_udp_recv, net/ipv4/fou.c):
// that is ipip.
func (n *node) tunnel(s serving) {
	t, ipv6 := s.server.Tunnel, s.server.Address.Is6()
	dev := s.server.TunnelDevice()
	n.module(state.TunnelModule(dev), s.service.Range)
	if t.Type == topology.GUE {
		n.module("fou", s.service.Range)
		k := state.FOUKey{V6: ipv6, Port: t.Port}
		n.state.FOUs[k] = state.FOU{Holds: state.GUE}
		n.at(state.KindFOU, k, s.service.Range)
	}
	n.state.Links[dev] = state.Link{Up: true}
	n.at(state.KindLink, state.Name(dev), s.service.Range)
	if !ipv6 {
		// 2 is loose: the route back to the client is never through the tunnel. 0 is
		// not enough, because the filter in force is max(all, device).
		n.sysctl("net/ipv4/conf/"+dev+"/rp_filter", "2", s.service.Range)
	}
	n.quietVIP(s)
	if vip := s.service.VIP; !ipv6 && vip.IsValid() {
		// With vip_interface too: a loose filter drops what comes in by a device without an
		// address (__fib_validate_source, net/ipv4/fib_frontend.c).
		n.address(netip.PrefixFrom(vip.Addr(), vip.Addr().BitLen()), dev, s.service.Range)
	}
}

// throughRouter wants replies to leave by a router on the node's own subnet, if there is
// one. They must not pass the director, which drops packets that come from its own VIP.
func (n *node) throughRouter(s serving) {
	ipv6 := s.service.IPv6()
	for _, r := range n.cluster.routers {
		if via, ok := n.Neighbour(r, ipv6); ok {
			n.replies(s, s.service.VIP.Addr(), via)
			return
		}
	}
}

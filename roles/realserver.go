package roles

import (
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// realServer holds what each service needs where it is answered.
func realServer(n *node) {
	for _, s := range n.serves {
		switch s.server.Mode {
		case topology.NAT:
			// Replies have to pass the director, which gives them the VIP's address.
			via, _ := s.service.Directors[0].Towards(s.server.Address)
			n.replies(s, s.server.Address, via)
		case topology.DR:
			n.quietVIP(s, "lo")
			n.throughRouter(s)
		case topology.TUN:
			n.tunnel(s)
			n.clamp(s)
			n.throughRouter(s)
		}
	}
}

// quietVIP wants the VIP on a device that never tells the neighbours: they must
// find the director's. arp_ignore and arp_announce are max(all, device)
// (IN_DEV_MAXCONF, include/linux/inetdevice.h), so all alone would do; the
// device's own is what people look for.
func (n *node) quietVIP(s serving, dev string) {
	if !s.service.VIP.IsValid() {
		return // packets are marked by others, and so is what they are for
	}
	if n.VIPInterface != "" {
		dev = n.VIPInterface
	}
	vip := s.service.VIP.Addr()
	if vip.Is4() {
		for _, d := range []string{"all", dev} {
			n.sysctl("net/ipv4/conf/"+d+"/arp_ignore", "1", s.service.Range)
			n.sysctl("net/ipv4/conf/"+d+"/arp_announce", "2", s.service.Range)
		}
	}
	n.address(netip.PrefixFrom(vip, vip.BitLen()), dev, s.service.Range)
}

// tunnel wants the device that unpacks what the director packs.
func (n *node) tunnel(s serving) {
	module, dev := "ipip", "tunl0"
	if s.server.Address.Is6() {
		module, dev = "ip6_tunnel", "ip6tnl0"
	}
	n.module(module, s.service.Range)
	n.state.Links[dev] = state.Link{Up: true}
	n.at(state.KindLink, state.Name(dev), s.service.Range)
	if !s.server.Address.Is6() {
		// Loose: the route back to the client is never through the tunnel. 0 would
		// not do, because the filter is max(all, device).
		n.sysctl("net/ipv4/conf/"+dev+"/rp_filter", "2", s.service.Range)
	}
	n.quietVIP(s, dev)
}

// throughRouter wants replies to leave by a router that is on the node's own
// subnet, if there is one. They must not pass the director: it would drop
// packets that come from its own VIP.
func (n *node) throughRouter(s serving) {
	ipv6 := s.service.IPv6()
	for _, r := range n.cluster.routers {
		if via, ok := n.Neighbour(r, ipv6); ok {
			n.replies(s, s.service.VIP.Addr(), via)
			return
		}
	}
}

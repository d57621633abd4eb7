package roles

import (
	"net/netip"

	"github.com/lvsctl/lvsctl/topology"
)

// router wants what a node between clients, directors and real servers needs.
func router(n *node) {
	for _, v := range n.cluster.Services {
		var senders []netip.Addr
		for _, other := range n.cluster.Nodes {
			if addr, near := n.Neighbour(other, v.IPv6()); near && other != n.Node {
				senders = append(senders, addr)
			}
		}
		n.forward(v.IPv6(), v.Range, senders...)
		if !v.VIP.IsValid() {
			continue
		}
		n.routeToVIP(v)
		for _, s := range v.RealServers {
			if s.Mode == topology.DR || s.Mode == topology.TUN {
				n.acceptReplies(v, s)
			}
		}
	}
}

// acceptReplies wants the router to accept packets from the VIP on its device towards
// the real servers, though its route to the VIP leads to the director.
func (n *node) acceptReplies(v *topology.VirtualServer, s topology.Server) {
	if v.IPv6() {
		return // IPv6 has no rp_filter
	}
	if dev, _, ok := n.On(s.Address); ok {
		n.sysctl("net/ipv4/conf/"+dev+"/rp_filter", "2", v.Range)
	}
}

// routeToVIP wants a route to the director for a VIP that is in none of the router's
// subnets.
func (n *node) routeToVIP(v *topology.VirtualServer) {
	vip := v.VIP.Addr()
	if _, _, ok := n.On(vip); ok {
		return
	}
	for _, d := range v.Directors {
		if via, ok := n.Neighbour(d, vip.Is6()); ok {
			n.route(netip.PrefixFrom(vip, vip.BitLen()), 0, n.hop(via, ""), v.Range)
			return
		}
	}
}

package roles

import (
	"net/netip"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// replies wants the replies of a real server to leave by the gateway via. With
// way_back = "rule" a rule leads them there, otherwise the default route, unless the
// node has a written gateway. from is the source address of the replies: the RIP with
// nat, otherwise the VIP.
func (n *node) replies(s serving, from, via netip.Addr) {
	r := state.Reply{Flow: state.Flow{From: from}, Via: via, Exactly: s.server.Mode == topology.NAT}
	if s.service.FWMark == 0 {
		r.Protocol, r.Port = state.Protocol(s.service.Protocol), s.server.Port
	}
	r.Device, _, _ = n.On(via)
	for _, d := range s.service.Directors {
		for _, p := range d.Addresses() {
			r.Never = append(r.Never, p.Addr())
		}
	}
	n.answers = append(n.answers, r)
	if s.server.Mode == topology.NAT && n.WayBack == topology.WayBackRule {
		n.sourceRule(from, via, s.server.Range)
		return
	}
	if n.Gateway.Of(via.Is6()).IsValid() {
		return
	}
	k := n.defaultRoute(via, "", s.server.Range)
	n.byRole[state.Ref{Kind: state.KindRoute, Key: k}] = true
}

// sourceRule wants packets from an address to use the routing table for replies. It leads
// to the subnets of the gateway's device directly, as the main table does, and to all
// others through the gateway.
func (n *node) sourceRule(from, via netip.Addr, at hcl.Range) {
	k, p := state.ReplyPolicy(from)
	n.state.Policies[k] = p
	refs := []state.Ref{{Kind: state.KindPolicy, Key: k}}
	dev, _, _ := n.On(via)
	for on, subnet := range n.Addresses() {
		if on == dev && subnet.Addr().Is6() == via.Is6() && !subnet.IsSingleIP() {
			refs = append(refs, n.replyRoute(subnet, state.Route{Dev: dev}))
		}
	}
	refs = append(refs, n.replyRoute(netip.PrefixFrom(via, 0), state.Route{Via: via, Dev: dev}))
	for _, ref := range refs {
		n.at(ref.Kind, ref.Key, at)
		n.byRole[ref] = true
	}
}

// replyRoute wants a route in the routing table for replies.
func (n *node) replyRoute(dst netip.Prefix, r state.Route) state.Ref {
	k := state.NewRouteKey(dst, 0)
	k.Table = strconv.Itoa(state.ReplyTable)
	n.state.Routes[k] = r
	return state.Ref{Kind: state.KindRoute, Key: k}
}

// defaultRoute wants a default route through via. dev is "" for the device in whose
// subnet via is.
func (n *node) defaultRoute(via netip.Addr, dev string, from hcl.Range) state.RouteKey {
	dst := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if via.Is6() {
		dst = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return n.route(dst, 0, n.hop(via, dev), from)
}

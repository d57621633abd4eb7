package roles

import (
	"net/netip"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// replies wants what a real server answers to leave by a gateway: by a rule if the
// topology says so, otherwise by the default route, unless the node's own attributes
// name one. from is the address
// it answers from: its own with nat, the VIP otherwise.
func (n *node) replies(s serving, from, via netip.Addr) {
	r := state.Reply{Flow: state.Flow{From: from}, Via: via, Exactly: s.server.Mode == topology.NAT}
	if s.service.FWMark == 0 {
		r.Protocol, r.Port = state.Protocol(s.service.Protocol), s.server.Port
	}
	r.Device, _, _ = n.On(via)
	for _, d := range s.service.Directors {
		for _, i := range d.Interfaces {
			for _, p := range i.Addresses {
				r.Never = append(r.Never, p.Addr())
			}
		}
	}
	n.answers = append(n.answers, r)
	if s.server.Mode == topology.NAT && n.WayBack == topology.WayBackRule {
		n.ruled(from, via, s.server.Range)
		return
	}
	if n.Gateway.Of(via.Is6()).IsValid() {
		return
	}
	k := n.defaultRoute(via, "", s.server.Range)
	n.byRole[state.Ref{Kind: state.KindRoute, Key: k}] = true
}

// ruled wants what comes from an address to take routes of its own: to the subnets
// of the gateway's device directly, as with the main table, and everywhere else
// through the gateway.
func (n *node) ruled(from, via netip.Addr, at hcl.Range) {
	k, p := state.ReplyPolicy(from)
	n.state.Policies[k] = p
	refs := []state.Ref{{Kind: state.KindPolicy, Key: k}}
	dev, _, _ := n.On(via)
	for _, i := range n.Interfaces {
		for _, subnet := range i.Addresses {
			if i.Name == dev && subnet.Addr().Is6() == via.Is6() && !subnet.IsSingleIP() {
				refs = append(refs, n.replyRoute(subnet, state.Route{Dev: dev}))
			}
		}
	}
	refs = append(refs, n.replyRoute(netip.PrefixFrom(via, 0), state.Route{Via: via, Dev: dev}))
	for _, ref := range refs {
		n.at(ref.Kind, ref.Key, at)
		n.byRole[ref] = true
	}
}

// replyRoute wants a route of the table for replies.
func (n *node) replyRoute(dst netip.Prefix, r state.Route) state.Ref {
	k := state.NewRouteKey(dst, 0)
	k.Table = strconv.Itoa(state.ReplyTable)
	n.state.Routes[k] = r
	return state.Ref{Kind: state.KindRoute, Key: k}
}

// defaultRoute wants a default route of via's family; dev is "" for the device
// whose subnet holds it.
func (n *node) defaultRoute(via netip.Addr, dev string, from hcl.Range) state.RouteKey {
	dst := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if via.Is6() {
		dst = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return n.route(dst, 0, n.hop(via, dev), from)
}

package roles

import (
	"net/netip"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// replies wants what a real server answers to leave by a gateway, and a default
// route through it unless the node's own attributes name one. from is the address
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
	if n.Gateway.Of(via.Is6()).IsValid() {
		return
	}
	k := n.defaultRoute(via, s.server.Range)
	n.byRole[state.Ref{Kind: state.KindRoute, Key: k}] = true
}

// defaultRoute wants a default route of via's family.
func (n *node) defaultRoute(via netip.Addr, from hcl.Range) state.RouteKey {
	dst := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if via.Is6() {
		dst = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return n.route(dst, 0, state.Route{Via: via}, from)
}

package graph

import (
	"net/netip"
	"strings"

	"github.com/lvsctl/lvsctl/topology"
)

// The hops between two nodes of a way.
//
// A topology does not say everything of a network. What it says is believed first: a route
// or a gateway of the node that sends. Else two nodes of one subnet reach each other, and a
// router that is on a subnet of both leads from one to the other.

// travel adds the hops from one node to another.
func (w *way) travel(from, to *topology.Node, step Step) { w.add(w.hops(from, to, step)...) }

// hops are one or two from a node to another. A nil one is outside of the topology.
// What is done to the packet is said of the hop at whose end it is done: the first one of
// a way that begins at whoever does it, the last one of others.
func (w *way) hops(from, to *topology.Node, step Step) []Step {
	via := w.router(from, to)
	if via == nil {
		step.From, step.To = w.stop(from), w.stop(to)
		step.Out, step.In = w.devices(from, to)
		if from != nil && to != nil && step.Out == "" {
			step.Note += "; by other networks"
		}
		return []Step{step}
	}
	first, second := step, step
	first.From, first.To = w.stop(from), w.stop(via)
	first.Out, first.In = w.devices(from, via)
	second.From, second.To = w.stop(via), w.stop(to)
	second.Out, second.In = w.devices(via, to)
	if strings.HasPrefix(step.Note, "VIP on") {
		first.Note = ""
	} else {
		second.Note = ""
	}
	return []Step{first, second}
}

// router is the node between two others, nil if they need none or there is none: by a
// route of the first one, by its gateway, or else the first router that is near both.
func (w *way) router(from, to *topology.Node) *topology.Node {
	if from != nil && to != nil {
		via, ok := w.routed(from, to)
		switch {
		case via == to || !ok && w.near(from, to):
			return nil
		case ok && via != nil:
			return via
		}
	}
	for _, r := range w.topology.Nodes {
		if r.Role == topology.Router && r != from && r != to && (from == nil || w.near(r, from)) && (to == nil || w.near(r, to)) {
			return r
		}
	}
	return nil
}

// near reports whether two nodes share a subnet.
func (w *way) near(a, b *topology.Node) bool {
	_, ok := a.Neighbour(b, w.service.IPv6())
	return ok
}

// routed is the node that a node's own attributes send packets for another one to, nil
// for one that the topology does not have. ok is false if they say nothing of it: a
// subnet that both are on comes before the gateway, and before a route to more.
func (w *way) routed(from, to *topology.Node) (via *topology.Node, ok bool) {
	dst, known := to.First(w.service.IPv6())
	if !known {
		return nil, false
	}
	best, hop := -1, netip.Addr{}
	if _, p, on := from.On(dst); on {
		best = p.Bits()
	}
	for _, r := range from.Routes {
		if r.To.Contains(dst) && r.To.Bits() > best && r.Via.IsValid() {
			best, hop = r.To.Bits(), r.Via
		}
	}
	if best < 0 {
		hop = from.Gateway.Of(dst.Is6())
	}
	if !hop.IsValid() {
		return nil, false
	}
	for _, n := range w.topology.Nodes {
		if n.Owns(hop) {
			return n, true
		}
	}
	return nil, true
}

// devices are those at both ends of a hop: on the subnet of the next hop's address that
// the first node's own attributes name, else on the first one that both are on.
func (w *way) devices(from, to *topology.Node) (out, in string) {
	if from == nil || to == nil {
		return "", ""
	}
	next, ok := from.Neighbour(to, w.service.IPv6())
	hops := []netip.Addr{from.Gateway.Of(w.service.IPv6())}
	for _, r := range from.Routes {
		hops = append(hops, r.Via)
	}
	for _, hop := range hops {
		if to.Owns(hop) {
			next, ok = hop, true
		}
	}
	if ok {
		out, _, _ = from.On(next)
		in, _, _ = to.On(next)
	}
	return out, in
}

package plan

import (
	"fmt"
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
)

// danger knows what each change of a node endangers: connections that are open
// now, and the way back of the very SSH session that would make the change.
type danger struct {
	in      *Input
	settled state.Settled
	session map[state.Ref]Risk
}

func dangers(in *Input, s state.Settled) danger {
	return danger{in: in, settled: s, session: sessionRisks(in, s)}
}

func (d danger) of(c state.Change) Risk {
	if k, ok := c.Key.(state.ServerKey); ok && c.Op == state.Remove {
		return d.cuts(k)
	}
	return d.session[c.Ref]
}

// cuts says which connections end with a server. IPVS drops the packets of a
// connection whose server is gone (ip_vs_in, net/netfilter/ipvs/ip_vs_core.c).
func (d danger) cuts(k state.ServerKey) Risk {
	open := d.in.Live.State.Connections[k].Open(k.Service.Protocol)
	drain := int(d.settled.Want.Drain[k.Service].Seconds())
	switch {
	case open == 0:
		return ""
	case drain > 0:
		return Risk(fmt.Sprintf("has %s; what is left of them after %d s is cut", plural.Of(open, "open connection"), drain))
	}
	return Risk("cuts " + plural.Of(open, "open connection") + "; a drain time on the virtual server would let them end")
}

// sessionRisks finds the changes after which the node would answer this SSH
// session another way than now, or not at all.
func sessionRisks(in *Input, s state.Settled) map[state.Ref]Risk {
	risks := map[state.Ref]Risk{}
	client, err := netip.ParseAddr(in.Live.Facts.SSHClient)
	if err != nil {
		return risks // this machine itself
	}
	client = client.Unmap()
	server, _ := netip.ParseAddr(in.Live.Facts.SSHServer)
	for k := range s.Have.Addresses {
		if _, stays := s.Want.Addresses[k]; !stays && k.Prefix.Addr() == server.Unmap() {
			risks[state.Ref{Kind: state.KindAddress, Key: k}] = "this SSH session is connected to that address and would be lost"
		}
	}
	for k := range s.Want.Addresses {
		if _, there := s.Have.Addresses[k]; !there && k.Prefix.Addr() == client {
			risks[state.Ref{Kind: state.KindAddress, Key: k}] = "this SSH session comes from that address: the node would answer itself"
		}
	}
	routeRisks(in, s, client, risks)
	return risks
}

func routeRisks(in *Input, s state.Settled, client netip.Addr, risks map[state.Ref]Risk) {
	live := in.Live.State.Routes
	after := func(yield func(state.RouteKey, state.Route) bool) {
		for k, r := range live {
			if w, ok := s.Want.Routes[k]; ok {
				r = w
			} else if _, goes := s.Have.Routes[k]; goes {
				continue
			}
			if !yield(k, r) {
				return
			}
		}
		for k, r := range s.Want.Routes {
			if _, ok := live[k]; !ok && !yield(k, r) {
				return
			}
		}
	}
	now := func(yield func(state.RouteKey, state.Route) bool) {
		for k, r := range live {
			if !yield(k, r) {
				return
			}
		}
	}
	wasKey, was, _ := wayTo(client, now)
	willKey, will, ok := wayTo(client, after)
	if was == will {
		return
	}
	text := Risk(fmt.Sprintf("this SSH session answers %s %s; after this change it would not be answered at all", client, was))
	if ok {
		text = Risk(fmt.Sprintf("this SSH session answers %s %s; after this change %s. If that does not lead back, the node cuts us off and puts itself back when the rollback timer ends", client, was, will))
	}
	risks[state.Ref{Kind: state.KindRoute, Key: wasKey}] = text
	risks[state.Ref{Kind: state.KindRoute, Key: willKey}] = text
}

// wayTo is the route that the kernel takes: the longest prefix, then the lowest
// metric (fib_lookup with the main table alone).
func wayTo(addr netip.Addr, routes func(func(state.RouteKey, state.Route) bool)) (key state.RouteKey, way string, ok bool) {
	for k, r := range routes {
		if !k.Dst.Contains(addr) {
			continue
		}
		if !ok || k.Dst.Bits() > key.Dst.Bits() || k.Dst.Bits() == key.Dst.Bits() && k.Metric < key.Metric {
			key, way, ok = k, r.String(), true
		}
	}
	return key, way, ok
}

package plan

import (
	"fmt"
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
)

// What a change endangers, now and on this node.
//
// A risk is a sentence beside the change. It holds nothing back: whoever says yes has read
// it. A saved plan keeps it, and a danger that the saved plan does not show is not done
// (restrict.go).

// danger finds what a change of a node endangers: connections that are open now, and the
// SSH session that makes the change, whose replies may take another route after it.
type danger struct {
	in      *Input
	settled state.Settled
	session map[state.Ref]Risk
}

// dangers prepares what is the same for all changes of a node.
func dangers(in *Input, s state.Settled) danger {
	return danger{in: in, settled: s, session: sessionRisks(in, s)}
}

// of returns the risk of a change, or "".
func (d danger) of(c state.Change) Risk {
	if k, ok := c.Key.(state.ServerKey); ok && c.Op == state.Remove {
		return d.cuts(k)
	}
	if c.Kind == state.KindConf || c.Kind == state.KindKeepalived {
		return d.in.keepalivedRisk(c)
	}
	return d.session[c.Ref]
}

// cuts returns the risk of removing a server: its open connections end. IPVS drops the
// packets of a connection whose server is gone (ip_vs_in,
// net/netfilter/ipvs/ip_vs_core.c).
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

// sessionRisks finds the changes after which the node would answer this SSH session by
// another route than now, or not at all.
func sessionRisks(in *Input, s state.Settled) map[state.Ref]Risk {
	risks := map[state.Ref]Risk{}
	client, err := netip.ParseAddr(in.Live.Facts.SSHClient)
	if err != nil {
		return risks // the node is this machine: there is no session
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
	routeRisks(in, s, state.Flow{From: server.Unmap(), To: client, Protocol: state.TCP}, risks)
	return risks
}

// routeRisks compares how the node answers this session by its rules and routes as they
// are, and as they are after the plan.
func routeRisks(in *Input, s state.Settled, session state.Flow, risks map[state.Ref]Risk) {
	now, _ := in.Live.State.FIB().Way(session)
	then, ok := afterwards(in.Live.State, s).FIB().Way(session)
	have, want := now.Route.String(), then.Route.String()
	if have == want {
		return
	}
	text := Risk(fmt.Sprintf("this SSH session answers %s %s; after this change it would not be answered at all", session.To, have))
	if ok {
		text = Risk(fmt.Sprintf("this SSH session answers %s %s; after this change %s. If that does not lead back, the node cuts us off and puts itself back when the rollback timer ends", session.To, have, want))
	}
	for _, way := range []state.Way{now, then} {
		risks[state.Ref{Kind: state.KindRoute, Key: way.Key}] = text
		risks[state.Ref{Kind: state.KindPolicy, Key: way.By}] = text
	}
}

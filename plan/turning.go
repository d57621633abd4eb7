package plan

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
)

// turn looks after real servers that go from nat to another mode or back, and so
// change their default route too. Replies of nat come from the real server's own
// address and have to pass the director; those of the others come from the VIP
// and must not pass it, for it drops what comes from its own address
// (fib_validate_source, net/ipv4/fib_frontend.c). The director and the real server
// cannot change in one instant, and open connections stay what they were. So
// while both are under way replies from the VIP take another route, by the router,
// whatever the default route is:
//
//   - to nat the reply route comes before the default route changes, and goes with the
//     VIP;
//   - from nat the default route changes last, and the reply route goes with that. So
//     does the director's forwarding, by which the last replies of nat leave.
func (p *Plan) turn(inputs []Input) {
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.Kind != state.KindRoute || a.Stage != Ready {
			continue
		}
		n := slices.IndexFunc(inputs, func(in Input) bool { return in.Name == a.Node })
		t := turning{in: &inputs[n], vips: map[netip.Addr]bool{}}
		old, will, ok := t.defaults(p.Nodes[n].Settled, a)
		if !ok || !leadsTo(inputs, old) && !leadsTo(inputs, will) {
			continue
		}
		for d := range inputs {
			switch in := &inputs[d]; {
			case in.Role != director:
			case in.Live != nil:
				if t.count(in, p.Nodes[d].Settled) {
					p.Nodes[d].spoils(t)
				}
			case slices.Contains(slices.Collect(maps.Values(in.Servers)), a.Node):
				a.Stage = Clear // it may be turning too: see unseen
			}
		}
		switch {
		case t.from == state.Masq && leadsTo(inputs, old):
			p.turnFrom(a, t, will)
		case t.to == state.Masq && leadsTo(inputs, will):
			p.turnTo(a, t, old)
		}
	}
}

// turnFrom is for a real server that nat reached.
func (p *Plan) turnFrom(route *Action, t turning, way state.Route) {
	route.Stage = Clear
	route.Risk = route.Risk.and(t.risk())
	begin := p.first(route.Node, Ready)
	for _, d := range t.replyRoutes(way) {
		if begin != nil {
			begin.Do, begin.Undo = append(begin.Do, d.Begin()), append(begin.Undo, d.End())
		}
		route.Do, route.Undo = append(route.Do, d.End()), slices.Insert(route.Undo, 0, d.Begin())
	}
	for _, name := range t.directors {
		for i := range p.Actions {
			if a := &p.Actions[i]; a.Node == name && a.Stage == Stop && a.Kind == state.KindSysctl {
				a.Stage = Clear
			}
		}
	}
}

// turnTo is for a real server that nat is to reach.
func (p *Plan) turnTo(route *Action, t turning, way state.Route) {
	end := p.first(route.Node, Clear)
	for _, d := range t.replyRoutes(way) {
		route.Do, route.Undo = slices.Insert(route.Do, 0, d.Begin()), append(route.Undo, d.End())
		if end != nil {
			end.Do, end.Undo = append(end.Do, d.End()), slices.Insert(end.Undo, 0, d.Begin())
		}
	}
	if end != nil {
		end.Risk = end.Risk.and(t.risk())
	}
}

// first is a node's first action of a stage.
func (p *Plan) first(node string, stage Stage) *Action {
	i := slices.IndexFunc(p.Actions, func(a Action) bool { return a.Node == node && a.Stage == stage })
	if i < 0 {
		return nil
	}
	return &p.Actions[i]
}

// leadsTo reports whether a route's next hop is a director.
func leadsTo(inputs []Input, r state.Route) bool {
	return slices.ContainsFunc(inputs, func(in Input) bool {
		return in.Role == director && in.has(r.Via)
	})
}

func (in *Input) has(addr netip.Addr) bool {
	return slices.ContainsFunc(in.Base, func(k state.AddressKey) bool { return k.Prefix.Addr() == addr })
}

// turning is a real server whose replies are to take another way.
type turning struct {
	in        *Input
	from, to  state.Forward // "" if no director changes how it is reached
	directors []string      // that do
	vips      map[netip.Addr]bool
	open      int           // connections that came by from
	drain     time.Duration // that the directors wait for what leaves
}

// replyRouteTime is how long a reply route is there at most, if no director drains.
const replyRouteTime = 5 * time.Minute

// defaults are the default route that an action replaces and the one it makes.
func (t *turning) defaults(s state.Settled, a *Action) (old, will state.Route, ok bool) {
	k, _ := a.Key.(state.RouteKey)
	will, wanted := s.Want.Routes[k]
	if !wanted || !k.IsDefault() {
		return old, will, false
	}
	metric := ^uint32(0)
	for l, had := range t.in.Live.State.Routes {
		if l.Dst == k.Dst && l.Metric <= metric {
			old, metric, ok = had, l.Metric, true
		}
	}
	return old, will, ok
}

// spoils warns of what no order helps against. The kernel keeps one route a
// server, whatever the method (ip_vs_dest.dest_dst), and an old connection's entry
// keeps its method: packets of the one spoil the route for the other, and a client
// that uses a port again may meet an old entry.
func (n *Node) spoils(t turning) {
	warning := fmt.Sprintf("real servers go from %s to %s: some requests that are under way just then, or that use a client's port again within two minutes, may fail; give them a new virtual server to lose none", t.from, t.to)
	if !slices.Contains(n.Warnings, warning) {
		n.Warnings = append(n.Warnings, warning)
	}
}

// count looks how a director reaches the real server now and how it will, and
// reports whether that is another way.
func (t *turning) count(in *Input, s state.Settled) bool {
	hadNAT, had := t.ways(s.Have.Servers)
	wantNAT, want := t.ways(s.Want.Servers)
	switch {
	case hadNAT && !wantNAT && want != "":
		t.from, t.to = state.Masq, want
	case wantNAT && !hadNAT && had != "":
		t.from, t.to = had, state.Masq
	default:
		return false
	}
	t.directors = append(t.directors, in.Name)
	for _, d := range s.Want.Drain {
		t.drain = max(t.drain, d)
	}
	for k, v := range s.Have.Servers {
		if t.in.has(k.Addr.Addr()) && (v.Forward == state.Masq) == hadNAT {
			t.open += in.Live.State.Connections[k].Open(k.Service.Protocol)
		}
	}
	return true
}

// ways are the forwarding methods among the entries for the real server. It notes
// the VIPs that replies come from by any but nat.
func (t *turning) ways(servers map[state.ServerKey]state.Server) (nat bool, other state.Forward) {
	for k, v := range servers {
		switch {
		case !t.in.has(k.Addr.Addr()):
		case v.Forward == state.Masq:
			nat = true
		default:
			if other == "" || v.Forward < other { // of several any one, but always the same
				other = v.Forward
			}
			if vip := k.Service.Addr.Addr(); vip.IsValid() {
				t.vips[vip] = true
			}
		}
	}
	return nat, other
}

// replyRoutes lead the replies from each VIP of a route's family that way.
func (t *turning) replyRoutes(way state.Route) []state.ReplyRoute {
	var list []state.ReplyRoute
	for _, vip := range slices.SortedFunc(maps.Keys(t.vips), netip.Addr.Compare) {
		if way.Via.IsValid() && vip.Is6() == way.Via.Is6() {
			list = append(list, state.ReplyRoute{From: vip, Via: way.Via, Dev: way.Dev, For: replyRouteTime + t.drain})
		}
	}
	return list
}

func (t *turning) risk() Risk {
	if t.open == 0 {
		return ""
	}
	return Risk(fmt.Sprintf("cuts what is left of %s that came by %s", plural.Of(t.open, "open connection"), t.from))
}

// and is both risks.
func (r Risk) and(other Risk) Risk {
	if r == "" || other == "" {
		return r + other
	}
	return r + "; " + other
}

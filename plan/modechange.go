package plan

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Real servers that go from nat to another mode, or back.
//
// Premise. A nat reply comes from the real server's own address and has to pass
// the director. A reply of dr or tun comes from the VIP and must not pass it: the
// director drops what comes from its own address (fib_validate_source,
// net/ipv4/fib_frontend.c). So with the mode the real server's default route
// changes. The director and the real server cannot change in one instant, and
// connections that are open stay what they were.
//
// Remedy. While both are under way, replies from the VIP have a route of their own
// (state.ReplyRoute), by the router, whatever the default route is:
//
//	to nat     the reply route begins before the default route changes, which is
//	           Ready, and ends with the VIP, which is Clear
//	from nat   the reply route begins with the first Ready action; the default
//	           route changes last, in Clear, and the reply route ends with it. The
//	           director's forwarding, by which the last nat replies leave, also
//	           ends in Clear
//
// Where a director that sends there stands still, its replies still need the way
// they have. Then the default route is not changed, and no other director begins
// to reach the real server in the new mode.

// changeModes orders the changes of default routes that come with a change of
// mode. It returns why routes cannot be changed, by real server.
func (p *Plan) changeModes(inputs []Input, u unread) (stuck map[string]string) {
	stuck = map[string]string{}
	c := newModes(p, inputs)
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.Kind != state.KindRoute || a.Stage != Ready {
			continue
		}
		n := c.at[a.Node]
		m := modeChange{in: &inputs[n], vips: map[netip.Addr]bool{}}
		have, want, ok := m.defaultRoutes(p.Nodes[n].Settled, a)
		if !ok || !c.leadsToDirector(have) && !c.leadsToDirector(want) {
			continue
		}
		why := u.user(m.in, p.Nodes[n].Settled)
		for d := range inputs {
			e, read := c.entries[d]
			if !read || !m.changes(&inputs[d], p.Nodes[d].Settled, e) {
				continue
			}
			if still := p.Nodes[d].standsStill(); still != "" {
				why = still
			}
		}
		if why != "" {
			a.Stage, stuck[a.Node] = Clear, why
			continue
		}
		c.warnOfLoss(m)
		switch {
		case m.from == state.Masq && c.leadsToDirector(have):
			c.fromNAT(a, m, want)
		case m.to == state.Masq && c.leadsToDirector(want):
			c.toNAT(a, m, have)
		}
	}
	return stuck
}

// modes is a plan while changes of mode are ordered, indexed so that a real server
// costs no more where there are many.
type modes struct {
	plan *Plan
	// at is a node's place among the inputs, and among the plan's nodes.
	at map[string]int
	// actions are each node's part of the plan's, in which they stand together still.
	actions map[string][]Action
	// own are the directors' own addresses.
	own map[netip.Addr]bool
	// entries are those of the directors that were read, by their place.
	entries map[int]entries
	// forwarding marks the directors that end their forwarding last.
	forwarding map[string]bool
}

// entries are a director's servers, as they are and as they will be, by address.
type entries struct {
	have, want map[netip.Addr][]state.ServerKey
}

func newModes(p *Plan, inputs []Input) *modes {
	c := &modes{
		plan: p, at: map[string]int{}, actions: map[string][]Action{}, own: map[netip.Addr]bool{},
		entries: map[int]entries{}, forwarding: map[string]bool{},
	}
	for i := range inputs {
		in := &inputs[i]
		c.at[in.Name] = i
		if in.Role != director {
			continue
		}
		for _, k := range in.Base {
			c.own[k.Prefix.Addr()] = true
		}
		if in.Live != nil {
			s := p.Nodes[i].Settled
			c.entries[i] = entries{byAddress(s.Have.Servers), byAddress(s.Want.Servers)}
		}
	}
	for begin, end := 0, 0; begin < len(p.Actions); begin = end {
		node := p.Actions[begin].Node
		for end = begin; end < len(p.Actions) && p.Actions[end].Node == node; end++ {
		}
		c.actions[node] = p.Actions[begin:end]
	}
	return c
}

func byAddress(servers map[state.ServerKey]state.Server) map[netip.Addr][]state.ServerKey {
	list := map[netip.Addr][]state.ServerKey{}
	for k := range servers {
		list[k.Addr.Addr()] = append(list[k.Addr.Addr()], k)
	}
	return list
}

// fromNAT is for a real server that nat reached. way is its new default route.
func (c *modes) fromNAT(route *Action, m modeChange, way state.Route) {
	route.Stage = Clear
	route.Risk = route.Risk.and(m.risk())
	begin := c.first(route.Node, Ready)
	for _, d := range m.replyRoutes(way) {
		if begin != nil {
			begin.Do, begin.Undo = append(begin.Do, d.Begin()), append(begin.Undo, d.End())
		}
		route.Do, route.Undo = append(route.Do, d.End()), slices.Insert(route.Undo, 0, d.Begin())
	}
	for _, name := range m.directors {
		if c.forwarding[name] {
			continue
		}
		c.forwarding[name] = true
		for i := range c.actions[name] {
			if a := &c.actions[name][i]; a.Stage == Stop && a.Kind == state.KindSysctl {
				a.Stage = Clear
			}
		}
	}
}

// toNAT is for a real server that nat is to reach. way is the default route that it
// has.
func (c *modes) toNAT(route *Action, m modeChange, way state.Route) {
	end := c.first(route.Node, Clear)
	for _, d := range m.replyRoutes(way) {
		route.Do, route.Undo = slices.Insert(route.Do, 0, d.Begin()), append(route.Undo, d.End())
		if end != nil {
			end.Do, end.Undo = append(end.Do, d.End()), slices.Insert(end.Undo, 0, d.Begin())
		}
	}
	if end != nil {
		end.Risk = end.Risk.and(m.risk())
	}
}

// first is a node's first action of a stage; nil if it has none.
func (c *modes) first(node string, stage Stage) *Action {
	for i := range c.actions[node] {
		if a := &c.actions[node][i]; a.Stage == stage {
			return a
		}
	}
	return nil
}

// leadsToDirector reports whether a route's next hop is a director.
func (c *modes) leadsToDirector(r state.Route) bool { return c.own[r.Via] }

// reuseMode is the kernel parameter by which a director forgets a closed connection
// that it saw one way only, see roles.forgetClosed.
const reuseMode = "net/ipv4/vs/conn_reuse_mode"

// warnOfLoss warns where the topology has a director keep closed connections of the
// old mode: a client that uses a port again meets them.
func (c *modes) warnOfLoss(m modeChange) {
	for _, name := range m.directors {
		n := &c.plan.Nodes[c.at[name]]
		mode, _ := strconv.Atoi(n.Settled.Want.Sysctls[reuseMode])
		if mode&2 != 0 {
			continue
		}
		warning := fmt.Sprintf("real servers go from %s to %s with %s = %d: requests of clients that use a port again within two minutes may fail; leave that parameter to lvsctl to lose none", m.from, m.to, state.SysctlName(reuseMode), mode)
		if !slices.Contains(n.Warnings, warning) {
			n.Warnings = append(n.Warnings, warning)
		}
	}
}

// modeChange is a real server whose replies are to take another way.
type modeChange struct {
	in        *Input
	from, to  state.Forward // "" if no director changes how it is reached
	directors []string      // that change it
	vips      map[netip.Addr]bool
	open      int           // connections that came by from
	drain     time.Duration // that the directors wait for what leaves
}

// replyRouteTime is how long a reply route is there at most, if no director drains.
const replyRouteTime = 5 * time.Minute

// defaultRoutes are the default route that an action replaces and the one it
// makes.
func (m *modeChange) defaultRoutes(s state.Settled, a *Action) (have, want state.Route, ok bool) {
	k, _ := a.Key.(state.RouteKey)
	want, wanted := s.Want.Routes[k]
	if !wanted || !k.IsDefault() {
		return have, want, false
	}
	metric := ^uint32(0)
	for l, r := range m.in.Live.State.Routes {
		if l.Dst == k.Dst && l.Metric <= metric {
			have, metric, ok = r, l.Metric, true
		}
	}
	return have, want, ok
}

// changes looks how a director reaches the real server now and how it will, and
// reports whether that is another way.
func (m *modeChange) changes(in *Input, s state.Settled, e entries) bool {
	hadNAT, had := m.methods(e.have, s.Have.Servers)
	wantNAT, want := m.methods(e.want, s.Want.Servers)
	switch {
	case hadNAT && !wantNAT && want != "":
		m.from, m.to = state.Masq, want
	case wantNAT && !hadNAT && had != "":
		m.from, m.to = had, state.Masq
	default:
		return false
	}
	m.directors = append(m.directors, in.Name)
	for _, d := range s.Want.Drain {
		m.drain = max(m.drain, d)
	}
	for _, own := range m.in.Base {
		for _, k := range e.have[own.Prefix.Addr()] {
			if (s.Have.Servers[k].Forward == state.Masq) == hadNAT {
				m.open += in.Live.State.Connections[k].Open(k.Service.Protocol)
			}
		}
	}
	return true
}

// methods are the forwarding methods among the entries for the real server. It
// notes the VIPs that replies come from by any but nat.
func (m *modeChange) methods(keys map[netip.Addr][]state.ServerKey, servers map[state.ServerKey]state.Server) (nat bool, other state.Forward) {
	for _, own := range m.in.Base {
		for _, k := range keys[own.Prefix.Addr()] {
			forward := servers[k].Forward
			if forward == state.Masq {
				nat = true
				continue
			}
			if other == "" || forward < other { // of several any one, but always the same
				other = forward
			}
			if vip := k.Service.Addr.Addr(); vip.IsValid() {
				m.vips[vip] = true
			}
		}
	}
	return nat, other
}

// replyRoutes lead the replies from each VIP of a route's family that way.
func (m *modeChange) replyRoutes(way state.Route) []state.ReplyRoute {
	var list []state.ReplyRoute
	for _, vip := range slices.SortedFunc(maps.Keys(m.vips), netip.Addr.Compare) {
		if way.Via.IsValid() && vip.Is6() == way.Via.Is6() {
			list = append(list, state.ReplyRoute{From: vip, Via: way.Via, Dev: way.Dev, For: replyRouteTime + m.drain})
		}
	}
	return list
}

func (m *modeChange) risk() Risk {
	if m.open == 0 {
		return ""
	}
	return Risk(fmt.Sprintf("cuts what is left of %s that came by %s", plural.Of(m.open, "open connection"), m.from))
}

// and is both risks.
func (r Risk) and(other Risk) Risk {
	if r == "" || other == "" {
		return r + other
	}
	return r + "; " + other
}

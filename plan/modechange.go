package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Real servers that change from nat to another mode, or back.
//
// Premise. A nat reply comes from the real server's own address and must pass the
// director. A dr or tun reply comes from the VIP and must not pass it: the director drops
// what comes from its own address (fib_validate_source, net/ipv4/fib_frontend.c). So the
// real server's default route changes along with the mode. The director and the real
// server cannot change at the same instant, and open connections stay in their mode.
//
// Remedy. Until both have changed, replies from the VIP have a route of their own
// (state.ReplyRoute) to the router, whatever the default route is:
//
//	to nat     the reply route begins before the default route changes, which is
//	           Ready, and ends with the VIP, which is Clear
//	from nat   the reply route begins with the first Ready action; the default
//	           route changes last, in Clear, and the reply route ends with it. The
//	           director's forwarding, by which the last nat replies leave, also
//	           ends in Clear
//
// If a director that uses the real server is not changed by this plan, its replies still
// need the present default route. Then that is not changed, and no other director begins
// to use the real server in the new mode.
//
// Example. web-1 changes from nat to dr. Its plan adds the reply route for the VIP, then
// the VIP; the director replaces its nat entry by a dr one; last web-1's default route
// goes from the director to the router, and the reply route ends. A nat connection that
// was open all the time got its replies by the old default route until then.

// changeModes orders the changes of default routes that belong to a change of mode. It
// returns, by real server, why a default route cannot be changed.
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
		why := u.possibleUser(m.in, p.Nodes[n].Settled)
		for d := range inputs {
			e, read := c.entries[d]
			if !read || !m.changes(&inputs[d], p.Nodes[d].Settled, e) {
				continue
			}
			if unchanged := p.Nodes[d].whyUnchanged(); unchanged != "" {
				why = unchanged
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

// modes is a plan with the indexes that changeModes needs, so that it is linear in the
// number of real servers.
type modes struct {
	plan *Plan
	// at is the index of a node in the inputs, which is also that in plan.Nodes.
	at map[string]int
	// actions are the actions of each node. In plan.Actions those of a node are still
	// next to each other, so these are parts of that slice.
	actions map[string][]Action
	// own are the directors' own addresses.
	own map[netip.Addr]bool
	// entries are those of each director that was read, by its index in the inputs.
	entries map[int]entries
	// forwarding marks the directors that stop forwarding only in Clear.
	forwarding map[string]bool
}

// entries are a director's servers as they are and as they will be, by their address.
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

// fromNAT orders the actions for a real server that leaves nat. way is its new default
// route.
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

// toNAT orders the actions for a real server that comes to nat. way is its present
// default route.
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

// first returns a node's first action of a stage, or nil.
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

// warnOfLoss warns if the topology overrides conn_reuse_mode on a director. Then a client
// that uses a port again may be sent by an entry of the old mode.
func (c *modes) warnOfLoss(m modeChange) {
	for _, name := range m.directors {
		n := &c.plan.Nodes[c.at[name]]
		mode, _ := strconv.Atoi(n.Settled.Want.Sysctls[state.ConnReuseMode])
		if mode&2 != 0 {
			continue
		}
		warning := fmt.Sprintf("real servers go from %s to %s with %s = %d: requests of clients that use a port again within two minutes may fail; leave that parameter to lvsctl to lose none", m.from, m.to, state.SysctlName(state.ConnReuseMode), mode)
		if !slices.Contains(n.Warnings, warning) {
			n.Warnings = append(n.Warnings, warning)
		}
	}
}

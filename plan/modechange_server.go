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

// What one real server's change of mode takes, see modechange.go.

// modeChange is a real server whose mode changes, so that its replies take another route.
type modeChange struct {
	in        *Input
	from, to  state.Forward       // "" if no director changes its forwarding method
	directors []string            // those that change it
	vips      map[netip.Addr]bool // the source addresses of dr and tun replies
	open      int                 // open connections of the method from
	drain     time.Duration       // the longest drain time of the directors
}

// replyRouteTime is how long a reply route stays at most, beside the drain time. The node
// removes it then even if no apply does.
const replyRouteTime = 5 * time.Minute

// defaultRoutes returns the default route that an action replaces and the one that it
// sets. ok is false if the action is no change of a default route, or there is none yet.
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

// changes reports whether a director changes the real server from nat to another method
// or back, and adds the director to m.
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

// methods returns the forwarding methods of the entries for the real server: whether nat
// is among them, and another one, if any. It adds the VIPs of the others to m.
func (m *modeChange) methods(keys map[netip.Addr][]state.ServerKey, servers map[state.ServerKey]state.Server) (nat bool, other state.Forward) {
	for _, own := range m.in.Base {
		for _, k := range keys[own.Prefix.Addr()] {
			forward := servers[k].Forward
			if forward == state.Masq {
				nat = true
				continue
			}
			if other == "" || forward < other { // any of several, but always the same one
				other = forward
			}
			if vip := k.Service.Addr.Addr(); vip.IsValid() {
				m.vips[vip] = true
			}
		}
	}
	return nat, other
}

// replyRoutes returns a reply route through way's next hop for each VIP of its family.
func (m *modeChange) replyRoutes(way state.Route) []state.ReplyRoute {
	var list []state.ReplyRoute
	for _, vip := range slices.SortedFunc(maps.Keys(m.vips), netip.Addr.Compare) {
		if way.Via.IsValid() && vip.Is6() == way.Via.Is6() {
			list = append(list, state.ReplyRoute{From: vip, Via: way.Via, Dev: way.Dev, For: replyRouteTime + m.drain})
		}
	}
	return list
}

// risk says how many connections end: those of the old method that are still open when the
// default route changes. Their replies go the new way, where nobody knows them.
func (m *modeChange) risk() Risk {
	if m.open == 0 {
		return ""
	}
	return Risk(fmt.Sprintf("cuts what is left of %s that came by %s", plural.Of(m.open, "open connection"), m.from))
}

package plan

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// The way of replies.
//
// Premise. A reply of nat has to leave through the director, which puts the VIP in place of
// the real server's address. A reply of dr or tun must not: it has the VIP already. The
// roles want a default route, or with way_back = "rule" a rule, that leads it there.
//
// A node may have rules (ip rule) of its own that decide before the main table does. What
// they mean for a reply is found by looking it up as the kernel would (state.FIB):
//
//	they lead every reply rightly     the role's route is not needed, and not wanted
//	they lead one elsewhere           no route helps; the node has a problem
//	they do not concern replies       the role's route decides

// dropNeedlessRoutes takes from Want the routes and rules that a role wants for replies,
// if a rule (ip rule) of the node's own leads every reply to its gateway already. Then
// the default route may serve another purpose, for example management, and is left
// alone. Routes in the record stay wanted, because the topology has set them. The result
// is a note for each such rule.
func dropNeedlessRoutes(in *Input) (notes []string) {
	if len(in.ByRole) == 0 {
		return nil
	}
	fib := in.Live.State.FIB()
	for _, v6 := range []bool{false, true} {
		rules, needless := map[string]bool{}, true
		for _, r := range in.repliesOf(v6) {
			way, ok := fib.Way(r.Flow)
			if !ok || way.Main() || way.By.Priority == state.ReplyPriority || !r.Goes(way) {
				needless = false
				break
			}
			rules[way.By.String()+" "+way.Policy.Action] = true
		}
		if !needless || len(rules) == 0 || !in.dropByRole(v6) {
			continue
		}
		for _, rule := range slices.Sorted(maps.Keys(rules)) {
			notes = append(notes, fmt.Sprintf("replies take their way by the node's own rule %q (ip rule), so its default route is left alone", rule))
		}
	}
	return notes
}

// dropByRole takes from Want the entries of a family in ByRole, and reports whether there
// were any. It takes none if the record has one of them.
func (in *Input) dropByRole(v6 bool) bool {
	want, dropped := in.Want.Clone(), false
	for ref := range in.ByRole {
		switch k := ref.Key.(type) {
		case state.RouteKey:
			if _, ours := in.Live.Record.Set.Routes[k]; ours {
				return false
			}
			if k.Dst.Addr().Is6() == v6 {
				delete(want.Routes, k)
				dropped = true
			}
		case state.PolicyKey:
			if _, ours := in.Live.Record.Set.Policies[k]; ours {
				return false
			}
			if k.V6 == v6 {
				delete(want.Policies, k)
				dropped = true
			}
		}
	}
	if dropped {
		in.Want = want
	}
	return dropped
}

// halves is the length of the prefixes by which a VPN or a person covers all addresses, or
// all of IPv6 that is in use (2000::/3), and leaves the default route as it is.
const halves = 3

// misledReplies finds replies that a rule (ip rule) of the node, or a route that is nearly
// a default route, leads away from their gateway. The rule comes before the main table,
// and the route before the default route, so no route of the plan helps.
func misledReplies(in *Input, s state.Settled) []string {
	fib := afterwards(in.Live.State, s).FIB()
	var list []string
	for _, v6 := range []bool{false, true} {
		for _, r := range in.repliesOf(v6) {
			way, ok := fib.Way(r.Flow)
			half := way.Main() && !way.Key.IsDefault() && way.Key.Dst.Bits() <= halves
			if way.Policy.Action == "" || way.Main() && !half || ok && r.Goes(way) {
				continue
			}
			rule := way.By.String() + " " + way.Policy.Action
			goes := "do not leave at all"
			if ok {
				goes = "leave " + way.Route.String()
			}
			if half {
				list = append(list, fmt.Sprintf("its route %s comes before the default route: replies from %s %s instead of via %s; take that route away on the node, or say way_back = \"rule\" in a nat real server", way.Key, r.From, goes, r.Via))
				continue
			}
			list = append(list, fmt.Sprintf("its rule %q (ip rule) comes before the default route: replies from %s %s instead of via %s; correct that rule on the node, or say way_back = \"rule\" in a nat real server", rule, r.From, goes, r.Via))
		}
	}
	return slices.Compact(list)
}

// afterwards returns the routes and rules of a node as they are after the plan.
func afterwards(live *state.State, s state.Settled) *state.State {
	after := &state.State{
		Routes: maps.Clone(live.Routes), Policies: maps.Clone(live.Policies), PolicyOrder: live.PolicyOrder,
		Masters: live.Masters, VRFs: live.VRFs,
	}
	replace(after.Routes, s.Have.Routes, s.Want.Routes)
	replace(after.Policies, s.Have.Policies, s.Want.Policies)
	return after
}

// replace takes the entries of have out of live, and puts those of want there.
func replace[K comparable, V any](live, have, want map[K]V) {
	for k := range have {
		delete(live, k)
	}
	maps.Copy(live, want)
}

// repliesOf returns the replies of a family, each to a client that only a default route
// leads to.
func (in *Input) repliesOf(v6 bool) []state.Reply {
	var list []state.Reply
	for _, r := range in.Replies {
		if r.Via.Is6() == v6 {
			r.To = in.farAddress(v6)
			list = append(list, r)
		}
	}
	return list
}

// farAddress returns an address that only a default route of the node leads to. It is in
// one of the networks for documentation (RFC 5737, RFC 3849, RFC 9637), which no client
// uses.
func (in *Input) farAddress(v6 bool) netip.Addr {
	candidates := []string{"203.0.113.1", "198.51.100.1", "192.0.2.1"}
	if v6 {
		candidates = []string{"2001:db8:ffff:ffff::1", "3fff:fff::1"}
	}
	var addr netip.Addr
	for _, c := range candidates {
		addr = netip.MustParseAddr(c)
		inside := func(k state.RouteKey) bool { return !k.IsDefault() && k.Dst.Contains(addr) }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(in.Live.State.Routes)), inside) {
			break
		}
	}
	return addr
}

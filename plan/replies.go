package plan

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// spareDefaults takes default routes out of what is wanted that a role wants for
// replies alone, where every one of them takes its way by a rule of the node's own
// (ip rule) already. Then the default route is somebody else's, management's say,
// and stays. A route of the record is kept: the topology set it.
func spareDefaults(in *Input) (notes []string) {
	fib := in.Live.State.FIB()
	for _, v6 := range []bool{false, true} {
		k := defaultRoute(v6)
		_, wanted := in.Want.Routes[k]
		_, ours := in.Live.Record.Set.Routes[k]
		if !wanted || ours || !in.ByRole[state.Ref{Kind: state.KindRoute, Key: k}] {
			continue
		}
		rules := map[string]bool{}
		spare := true
		for _, r := range in.repliesOf(v6) {
			way, ok := fib.Way(r.Flow)
			if !ok || way.Main() || !r.Goes(way) {
				spare = false
				break
			}
			rules[way.By.String()+" "+way.Policy.Action] = true
		}
		if !spare || len(rules) == 0 {
			continue
		}
		in.Want = in.Want.Clone()
		delete(in.Want.Routes, k)
		for _, rule := range slices.Sorted(maps.Keys(rules)) {
			notes = append(notes, fmt.Sprintf("replies take their way by the node's own rule %q (ip rule), so its default route is left alone", rule))
		}
	}
	return notes
}

// misledReplies finds the replies that would go astray whatever the plan does to
// the main table, because a rule that comes before it leads elsewhere.
func misledReplies(in *Input, s state.Settled) []string {
	fib := afterwards(in.Live.State, s).FIB()
	var list []string
	for _, v6 := range []bool{false, true} {
		for _, r := range in.repliesOf(v6) {
			way, ok := fib.Way(r.Flow)
			if way.Policy.Action == "" || way.Main() || ok && r.Goes(way) {
				continue
			}
			rule := way.By.String() + " " + way.Policy.Action
			goes := "do not leave at all"
			if ok {
				goes = "leave " + way.Route.String()
			}
			list = append(list, fmt.Sprintf("its rule %q (ip rule) comes before the default route: replies from %s %s instead of via %s; correct that rule on the node, or say way_back = \"rule\" in a nat real server", rule, r.From, goes, r.Via))
		}
	}
	return slices.Compact(list)
}

// afterwards is a node's live State as a plan leaves it, as far as routes go.
func afterwards(live *state.State, s state.Settled) *state.State {
	after := &state.State{
		Routes: maps.Clone(live.Routes), Policies: maps.Clone(live.Policies), PolicyOrder: live.PolicyOrder,
		Masters: live.Masters, VRFs: live.VRFs,
	}
	change(after.Routes, s.Have.Routes, s.Want.Routes)
	change(after.Policies, s.Have.Policies, s.Want.Policies)
	return after
}

func change[K comparable, V any](live, have, want map[K]V) {
	for k := range have {
		delete(live, k)
	}
	maps.Copy(live, want)
}

// repliesOf are the replies of a family, each towards a client that no other route
// than a default one is for.
func (in *Input) repliesOf(v6 bool) []state.Reply {
	var list []state.Reply
	for _, r := range in.Replies {
		if r.Via.Is6() == v6 {
			r.To = in.somewhere(v6)
			list = append(list, r)
		}
	}
	return list
}

// somewhere is an address that no route but a default one leads to: of the
// networks for documentation (RFC 5737, RFC 3849), which no client is on.
func (in *Input) somewhere(v6 bool) netip.Addr {
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

func defaultRoute(v6 bool) state.RouteKey {
	if v6 {
		return state.NewRouteKey(netip.PrefixFrom(netip.IPv6Unspecified(), 0), 0)
	}
	return state.NewRouteKey(netip.PrefixFrom(netip.IPv4Unspecified(), 0), 0)
}

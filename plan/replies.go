package plan

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// spareReplies takes out of what is wanted what a role wants for replies alone, a
// default route or a rule with its routes, where every reply takes its way by a rule
// (ip rule) that the node has already. Then the default route is somebody else's,
// management's say, and stays. What is in the record is kept: the topology set it.
func spareReplies(in *Input) (notes []string) {
	if len(in.ByRole) == 0 {
		return nil
	}
	fib := in.Live.State.FIB()
	for _, v6 := range []bool{false, true} {
		rules, spare := map[string]bool{}, true
		for _, r := range in.repliesOf(v6) {
			way, ok := fib.Way(r.Flow)
			if !ok || way.Main() || way.By.Priority == state.ReplyTable || !r.Goes(way) {
				spare = false
				break
			}
			rules[way.By.String()+" "+way.Policy.Action] = true
		}
		if !spare || len(rules) == 0 || !in.drop(v6) {
			continue
		}
		for _, rule := range slices.Sorted(maps.Keys(rules)) {
			notes = append(notes, fmt.Sprintf("replies take their way by the node's own rule %q (ip rule), so its default route is left alone", rule))
		}
	}
	return notes
}

// drop no longer wants what a role wants of a family for replies alone, and reports
// whether there was any; not if the record has some of it.
func (in *Input) drop(v6 bool) bool {
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

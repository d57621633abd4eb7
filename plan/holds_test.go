package plan_test

import (
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/state/statetest"
)

// holds checks that a node has what is wanted, entry by entry. It does not use
// state.Diff, which is under test.
func (h *host) holds(t *rapid.T, want, have *state.State, exclusive bool) {
	for k := range want.Packages {
		if !h.Commands[k] {
			t.Errorf("%s is not installed", k)
		}
	}
	for k := range want.Modules {
		if !h.Modules[k] {
			t.Errorf("%s is not loaded", k)
		}
	}
	for k, v := range want.Links {
		if h.Links[k] != v.Up {
			t.Errorf("%s is up: %t", k, h.Links[k])
		}
	}
	for k, v := range want.Routes {
		h.leads(t, k, v)
	}
	holds(t, want, have, exclusive)
}

// holds is the part of host.holds that needs only the State that was read.
func holds(t rapid.TB, want, have *state.State, exclusive bool) {
	t.Helper()
	for k, v := range want.Sysctls {
		automatic := strings.HasSuffix(k, "/drop_entry") && have.Sysctls[k] != "0"
		stricter := strings.HasSuffix(k, "/arp_ignore") && v == "1" && have.Sysctls[k] == "2"
		if got := strings.Join(strings.Fields(have.Sysctls[k]), " "); got != v && !automatic && !stricter {
			t.Errorf("%s is %q, not %q", k, got, v)
		}
	}
	for k, v := range want.Addresses {
		got, ok := have.Addresses[k]
		if !ok || v.Label != "" && got != v {
			t.Errorf("address %s is %+v (%t), not %+v", k, got, ok, v)
		}
	}
	contains(t, want.FOUs, have.FOUs)
	contains(t, want.Rules, have.Rules)
	contains(t, want.Blocks, have.Blocks)
	contains(t, want.Files, have.Files)
	for name := range want.Units {
		if !has(have.Units, name) {
			t.Errorf("%s does not start at boot", name)
		}
	}
	contains(t, want.Timeouts, have.Timeouts)
	contains(t, want.Services, have.Services)
	contains(t, want.Servers, have.Servers)
	for k, v := range want.Daemons {
		if got := have.Daemons[k]; got.Interface != v.Interface || got.ID != v.ID {
			t.Errorf("daemon %s is %+v, not %+v", k, got, v)
		}
	}
	if len(have.Rules) != len(want.Rules) {
		t.Errorf("rules of a topology that wants %v: %v", want.Rules, have.Rules)
	}
	for k := range have.Servers {
		if _, ok := want.Servers[k]; !ok && (exclusive || has(want.Services, k.Service)) {
			t.Errorf("server %s is still there", k)
		}
	}
	for k := range have.Services {
		if exclusive && !has(want.Services, k) {
			t.Errorf("service %s is still there", k)
		}
	}
}

func contains[K, V comparable](t rapid.TB, want, have map[K]V) {
	for k, v := range want {
		if got, ok := have[k]; !ok || got != v {
			t.Errorf("%v is %+v (%t), not %+v", k, got, ok, v)
		}
	}
}

func has[K comparable, V any](m map[K]V, k K) bool {
	_, ok := m[k]
	return ok
}

// leads checks that packets to a destination use the wanted route: it must have the
// lowest metric, unless a higher one is wanted.
func (h *host) leads(t *rapid.T, k state.RouteKey, want state.Route) {
	var best *statetest.Route
	for i := range h.Routes {
		r := &h.Routes[i]
		fits := r.Dst == k.Dst && (k.String() == state.NewRouteKey(k.Dst, 0).String() || r.Metric == int(k.Metric))
		if fits && (best == nil || r.Metric < best.Metric) {
			best = r
		}
	}
	if best == nil || best.Via != want.Via.String() || best.Dev != want.Dev {
		t.Errorf("route %s leads %+v, not %s", k, best, want)
	}
}

// untouched checks that everything that is neither wanted nor in the record is as before.
func (h *host) untouched(t *rapid.T, want *state.State, before *statetest.Node, s state.Settled, exclusive bool) {
	// Parameters that the kernel sets along with conf/default or forwarding may change.
	following := func(k string) bool {
		name := k[strings.LastIndexByte(k, '/')+1:]
		set, old := want.Sysctls, s.Intent.Set.Sysctls
		def := "net/ipv4/conf/default/" + name
		if name == "forwarding" || name == "accept_redirects" || name == "ip_forward" {
			return has(old, "net/ipv4/ip_forward") || has(old, "net/ipv4/conf/all/forwarding") || has(old, state.IPv6Forwarding)
		}
		return has(set, def) || has(old, def)
	}
	scrub := func(n *statetest.Node) *statetest.Node {
		n = n.Clone()
		clear(n.Modules)
		clear(n.Commands)
		for k := range n.Sysctls {
			newborn := !has(before.Sysctls, k)
			if newborn || following(k) || has(s.Intent.Set.Sysctls, k) || has(s.Intent.Before.Sysctls, k) {
				delete(n.Sysctls, k)
			}
		}
		for k := range s.Intent.Set.Links {
			delete(n.Links, k)
		}
		for k := range s.Intent.Set.FOUs {
			delete(n.FOUs, map[bool]string{false: "-4 ", true: "-6 "}[k.V6]+strconv.Itoa(int(k.Port)))
		}
		n.Addresses = slices.DeleteFunc(n.Addresses, func(a statetest.Address) bool {
			return has(s.Intent.Set.Addresses, state.AddressKey{Prefix: a.Prefix, Dev: a.Dev})
		})
		n.Routes = slices.DeleteFunc(n.Routes, func(r statetest.Route) bool {
			return has(s.Intent.Set.Routes, state.RouteKey{Dst: r.Dst, Metric: uint32(r.Metric)})
		})
		for _, services := range []map[state.ServiceKey]state.Service{s.Intent.Set.Services, s.Intent.Before.Services} {
			for k := range services {
				delete(n.Services, serviceWords(k))
			}
		}
		if exclusive {
			clear(n.Services)
		}
		for k := range n.Rules {
			n.Rules[k] = slices.DeleteFunc(n.Rules[k], func(r string) bool { return strings.Contains(r, state.RulePrefix(topologyName)) })
		}
		for k, text := range n.Files {
			if n.Files[k] = withoutBlock(text); n.Files[k] == "" || has(s.Intent.Set.Files, k) {
				delete(n.Files, k) // the file was made for the block, or holds nothing else
				delete(n.Modes, k)
			}
		}
		for k := range s.Intent.Set.Units {
			delete(n.Units, k)
		}
		for k := range s.Intent.Set.Daemons {
			delete(n.Daemons, k)
		}
		n.Timeouts = [3]int{}
		return n
	}
	if d := cmp.Diff(flat(scrub(before)), flat(scrub(h.Node))); d != "" {
		t.Fatalf("foreign things changed (-before +after):\n%s", d)
	}
}

// flat lists what a node has, without devices and empty chains that come with an apply.
func flat(n *statetest.Node) []string {
	return slices.DeleteFunc(n.Dump(), func(l string) bool { return strings.HasPrefix(l, "link tunl0") || strings.HasPrefix(l, "link ip6tnl0") })
}

func withoutBlock(text string) string {
	before, rest, ok := strings.Cut(text, "# BEGIN lvsctl "+topologyName)
	if !ok {
		return strings.TrimSuffix(text, "\n")
	}
	_, after, _ := strings.Cut(rest, "# END lvsctl "+topologyName+"\n")
	return strings.TrimSuffix(before+after, "\n")
}

func serviceWords(k state.ServiceKey) string {
	words := map[state.Protocol]string{state.TCP: "-t ", state.UDP: "-u ", state.SCTP: "--sctp-service "}
	if k.Protocol != state.FWMark {
		return words[k.Protocol] + k.Addr.String()
	}
	text := "-f " + strings.TrimPrefix(strings.TrimPrefix(k.String(), "fwm6 "), "fwm ")
	if k.V6 {
		text += " -6"
	}
	return text
}

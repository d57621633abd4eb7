package plan_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/state/statetest"
	"github.com/lvsctl/lvsctl/plan"
)

// A host is a node of the model through several applies: what lvsctl remembers
// of it, and the same node as it would be without lvsctl.
type host struct {
	*statetest.Node
	without   *statetest.Node
	role      string
	exclusive bool
	record    state.Record
}

const topologyName = "web"

// TestConverge walks nodes through topologies: what is applied is there, is
// planned no more, can be undone, touches nothing else, and leaves nothing behind
// when it is destroyed, whatever else happened in between.
func TestConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &host{role: rapid.SampledFrom([]string{"director", "real_server", "router"}).Draw(t, "role")}
		h.exclusive = h.role == "director" && rapid.Bool().Draw(t, "exclusive")
		h.Node = drawNode(t, h.role)
		h.without = h.Node.Clone()
		h.record = state.NewRecord(topologyName)

		for range rapid.IntRange(1, 3).Draw(t, "applies") {
			want := drawWant(t, h.role)
			h.apply(t, want, rapid.Float64Range(0, 2).Draw(t, "part"))
			for range rapid.IntRange(0, 3).Draw(t, "accidents") {
				h.accident(t)
			}
		}
		h.apply(t, state.New(), rapid.Float64Range(0, 2).Draw(t, "part of destroy"))
		h.apply(t, state.New(), 1)
		if !h.record.Empty() {
			t.Errorf("the record still holds %s", asJSON(t, h.record))
		}
		same(t, "the node after destroy", h.without, h.Node)
	})
}

// apply does what apply does; of part less than 1 it dies in between.
func (h *host) apply(t *rapid.T, want *state.State, part float64) {
	exclusive := h.exclusive && len(want.Services) > 0
	before := h.Node.Clone()
	p := h.plan(t, want, exclusive)
	settled := p.Nodes[0].Settled
	t.Logf("apply %.1f of %s\non %s\nrecord %s", part, asJSON(t, want), strings.Join(before.Dump(), "\n"), asJSON(t, h.record))
	actions := p.Actions
	if part < 1 {
		actions = actions[:int(part*float64(len(actions)))]
	}
	for _, a := range actions {
		for _, c := range a.Quiesce {
			h.run(t, c)
		}
	}
	for _, a := range actions {
		for _, c := range a.Do {
			h.run(t, c)
		}
	}
	h.undo(t, before, actions)
	if len(actions) > 0 {
		h.record = reread(t, settled.Intent)
	}
	if part < 1 {
		return
	}
	after := h.read(t)
	s := state.Settle(after, want, h.record, exclusive)
	if left := state.Diff(s.Have, s.Want); len(left) > 0 {
		t.Fatalf("still to do: %+v", left)
	}
	h.holds(t, want, after, exclusive)
	h.untouched(t, want, before, settled, exclusive)
	h.record = reread(t, state.Confirm(s, after))
	if again := h.plan(t, want, exclusive); len(again.Actions) > 0 {
		t.Fatalf("planned again: %+v", again.Actions)
	}
}

func (h *host) plan(t *rapid.T, want *state.State, exclusive bool) *plan.Plan {
	p := plan.Build(topologyName, []plan.Input{{
		Name: "n", Role: h.role, Chosen: true, Exclusive: exclusive, Want: want,
		Live: &live.Node{State: h.read(t), Record: h.record, Facts: live.Facts{Root: true}},
	}})
	if problems := p.Nodes[0].Problems; len(problems) > 0 {
		t.Fatalf("problems: %q", problems)
	}
	return p
}

func (h *host) read(t *rapid.T) *state.State {
	s, err := h.Read(state.Wanted{Topology: topologyName, Packages: []string{"ipvsadm", "iptables"}, Modules: []string{"ip_vs", "ipip", "ip6_tunnel"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// undo runs the inverse of what was done, last first, on a node of its own.
func (h *host) undo(t *rapid.T, before *statetest.Node, actions []plan.Action) {
	n := h.Node.Clone()
	for _, a := range slices.Backward(actions) {
		for _, c := range a.Undo {
			if err := n.Exec(c); err != nil {
				t.Fatalf("undoing %s %s: %v", a.Kind, a.Key, err)
			}
		}
	}
	same(t, "the node after undoing", before, n)
}

// same holds two nodes to be equal but for what is never taken away again:
// tools, modules, and what came with those.
func same(t *rapid.T, what string, want, have *statetest.Node) {
	want = want.Clone()
	for m := range have.Modules {
		run(t, want, "modprobe", m)
	}
	maps.Copy(want.Commands, have.Commands)
	if d := cmp.Diff(want.Dump(), have.Dump()); d != "" {
		t.Fatalf("%s (-want +have):\n%s", what, d)
	}
}

// reread is a record as it comes back from the node.
func reread(t *rapid.T, r state.Record) state.Record {
	have := state.NewRecord("")
	if err := json.Unmarshal([]byte(asJSON(t, r)), &have); err != nil {
		t.Fatal(err)
	}
	return have
}

func asJSON(t *rapid.T, v any) string {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// holds compares a node with what was wanted of it, entry by entry, without the
// differ.
func (h *host) holds(t *rapid.T, want, have *state.State, exclusive bool) {
	for k, v := range want.Sysctls {
		automatic := strings.HasSuffix(k, "/drop_entry") && have.Sysctls[k] != "0"
		stricter := strings.HasSuffix(k, "/arp_ignore") && v == "1" && have.Sysctls[k] == "2"
		if got := strings.Join(strings.Fields(have.Sysctls[k]), " "); got != v && !automatic && !stricter {
			t.Errorf("%s is %q, not %q", k, got, v)
		}
	}
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
	for k, v := range want.Addresses {
		got, ok := have.Addresses[k]
		if !ok || v.Label != "" && got != v {
			t.Errorf("address %s is %+v (%t), not %+v", k, got, ok, v)
		}
	}
	for k, v := range want.Routes {
		h.leads(t, k, v)
	}
	contains(t, want.Rules, have.Rules)
	contains(t, want.Blocks, have.Blocks)
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

func contains[K, V comparable](t *rapid.T, want, have map[K]V) {
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

// leads holds packets to a destination to go where they should: by the route of
// the lowest metric, unless another one was asked for.
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

// untouched holds everything that is neither wanted nor recorded to be as
// before.
func (h *host) untouched(t *rapid.T, want *state.State, before *statetest.Node, s state.Settled, exclusive bool) {
	// What follows conf/default or a forwarding switch belongs to that.
	following := func(k string) bool {
		name := k[strings.LastIndexByte(k, '/')+1:]
		set, old := want.Sysctls, s.Intent.Set.Sysctls
		def := "net/ipv4/conf/default/" + name
		if name == "forwarding" || name == "accept_redirects" || name == "ip_forward" {
			return has(old, "net/ipv4/ip_forward") || has(old, state.IPv6Forwarding)
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
			n.Files[k] = withoutBlock(text)
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

// flat leaves out devices and empty chains that an apply brings.
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

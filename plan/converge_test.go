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
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/persist"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/state/statetest"
	"github.com/lvsctl/lvsctl/plan"
)

// A host is a model node that goes through several applies, with lvsctl's record of it.
// without is the same node as it would be if lvsctl had never changed it.
type host struct {
	*statetest.Node
	without   *statetest.Node
	role      string
	exclusive bool
	record    state.Record
	boot      persist.Boot
}

const topologyName = "web"

// TestConverge applies random topologies one after another, with random changes by others
// in between. After each apply the node has what is wanted, the next plan is empty, the
// inverse gives the old node back, and nothing else has changed. A destroy gives back
// what was there before lvsctl.
func TestConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &host{role: rapid.SampledFrom([]string{"director", "real_server", "router"}).Draw(t, "role")}
		h.exclusive = h.role == "director" && rapid.Bool().Draw(t, "exclusive")
		h.Node = drawNode(t, h.role)
		h.without = h.Node.Clone()
		h.record = state.NewRecord(topologyName)
		h.boot = drawBoot(t, h.Node)
		h.without = h.Node.Clone()

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

// apply plans and applies want. If part is less than 1, it stops after that part of the
// actions, as an apply that is killed.
func (h *host) apply(t *rapid.T, want *state.State, part float64) {
	exclusive := h.exclusive && has(want.Modules, "ip_vs")
	before := h.Node.Clone()
	p := h.plan(t, want, exclusive)
	settled := p.Nodes[0].Settled
	want = p.Nodes[0].Want
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
		Name: "n", Role: h.role, Chosen: true, Exclusive: exclusive, Want: want, Persist: netsystem.Auto,
		Base: []state.AddressKey{addressKey("10.1.0.5/24", "eth0")},
		Live: &live.Node{State: h.read(t), Record: h.record, Facts: live.Facts{Root: true, Boot: h.boot, Can: map[string]bool{"fou": true, "ip-fou": true}}},
	}})
	if problems := p.Nodes[0].Problems; len(problems) > 0 {
		t.Fatalf("problems: %q", problems)
	}
	return p
}

func (h *host) read(t *rapid.T) *state.State {
	s, err := h.Read(state.Wanted{Topology: topologyName, Own: persist.Own(topologyName), Units: persist.Units(topologyName), Packages: []string{"ipvsadm", "iptables"}, Modules: []string{"ip_vs", "ipip", "ip6_tunnel", "fou"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// undo runs the inverses of the actions, last first, on a copy of the node. The result
// must equal before.
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

// same compares two nodes, except for what is never undone: packages, modules, and what
// came with those.
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

// reread returns a record as it is after writing it to a node and reading it again.
func reread(t rapid.TB, r state.Record) state.Record {
	have := state.NewRecord("")
	if err := json.Unmarshal([]byte(asJSON(t, r)), &have); err != nil {
		t.Fatal(err)
	}
	return have
}

func asJSON(t rapid.TB, v any) string {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

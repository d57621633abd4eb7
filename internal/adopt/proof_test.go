package adopt

import (
	"maps"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// planned plans a topology against nodes that were read.
func planned(t *testing.T, top *topology.Topology, seen []Seen) Proof {
	t.Helper()
	wants, diags := roles.Wants(top)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	byName := map[string]Seen{}
	for _, s := range seen {
		byName[s.Name] = s
	}
	var inputs []plan.Input
	for _, w := range wants {
		in := survey.Input(w)
		if s, ok := byName[in.Name]; ok {
			n := live.Node{State: s.State.Clone(), Record: s.Record, Facts: live.Facts{Root: true, Kernel: "6.1.0"}}
			if s.Keepalived != nil {
				n.Facts.Keepalived.Loaded, n.Facts.Keepalived.Foreign = *s.Keepalived, true
			}
			n.State.Kernel, n.Facts.Schedulers = "6.1.0", map[string]bool{}
			for _, name := range in.Schedulers {
				n.Facts.Schedulers[name] = true
			}
			n.Facts.Can = map[string]bool{}
			for _, what := range plan.TunnelNeeds(in.Want) {
				n.Facts.Can[what] = true
			}
			for dev := range n.State.Addresses {
				n.State.Links[dev.Dev] = state.Link{Up: true}
			}
			in.Live, in.Chosen = &n, true
		}
		inputs = append(inputs, in)
	}
	return Prove(plan.Build(top.Name, inputs), inputs)
}

// TestProved plans what an import of each topology writes against the nodes as they were
// read, with lvsctl's records and without: nothing that is live would change.
func TestProved(t *testing.T) {
	for _, g := range allGiven(t) {
		wants, diags := roles.Wants(g.Topology)
		if diags.HasErrors() || len(g.VRRP) > 0 { // a plan of a pair asks for more than a State: the lab has it
			continue
		}
		for _, byHand := range []bool{false, true} {
			seen := applied(g.Topology, wants, byHand)
			d := FromNodes(g.Topology.Name, seen)
			proof := planned(t, loaded(t, d, Write(d)), seen)
			for _, f := range proof.Changes {
				t.Errorf("%s, by hand %v: %s would change: %s (%s)", g.name, byHand, f.Node, f.What, f.Why)
			}
			for _, f := range proof.Added {
				if f.Why == "" {
					t.Errorf("%s: nothing says why %s gets %s", g.name, f.Node, f.What)
				}
			}
		}
	}
}

// TestNotProved has nodes that differ from the topology: what is there would change, and
// what is missing would be added.
func TestNotProved(t *testing.T) {
	var top *topology.Topology
	for _, g := range allGiven(t) {
		if strings.HasSuffix(g.name, "examples/nat-second-nic") {
			top = g.Topology
		}
	}
	wants, _ := roles.Wants(top)
	for _, c := range []struct {
		name  string
		spoil func(lb, web *state.State)
		want  string // of what would change; "" for nothing
		added string
	}{
		{name: "nothing", spoil: func(_, _ *state.State) {}},
		{"a weight", func(lb, _ *state.State) {
			for k, s := range lb.Servers {
				s.Weight = 7
				lb.Servers[k] = s
			}
		}, "~ server", ""},
		{"a service", func(lb, _ *state.State) { clear(lb.Servers); clear(lb.Services) }, "+ service", ""},
		{"a default route", func(_, web *state.State) {
			for k, r := range web.Routes {
				if k.IsDefault() {
					r.Via = r.Via.Next()
					web.Routes[k] = r
				}
			}
		}, "~ route", ""},
		{"no default route", func(_, web *state.State) {
			maps.DeleteFunc(web.Routes, func(k state.RouteKey, _ state.Route) bool { return k.IsDefault() })
		}, "", "+ route     default"},
		{"redirects that nobody has set", func(lb, _ *state.State) { lb.Sysctls["net/ipv4/conf/all/send_redirects"] = "1" }, "", "~ sysctl    net.ipv4.conf.all.send_redirects  1 -> 0"},
		{"a parameter that somebody has set", func(lb, _ *state.State) { lb.Sysctls["net/ipv4/vs/conn_reuse_mode"] = "0" }, "~ sysctl", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := applied(top, wants, true)
			by := map[string]*state.State{}
			for _, s := range seen {
				by[s.Name] = s.State
			}
			c.spoil(by["lvs-server"], by["real-server1"])
			proof := planned(t, top, seen)
			if len(proof.Changes) > 0 != (c.want != "") || c.want != "" && !strings.HasPrefix(proof.Changes[0].What, c.want) {
				t.Errorf("would change: %v, not %q", proof.Changes, c.want)
			}
			found := c.added == ""
			for _, f := range proof.Added {
				found = found || strings.HasPrefix(f.What, c.added) && f.Why != ""
			}
			if !found {
				t.Errorf("would be added: %v, without %q", proof.Added, c.added)
			}
		})
	}
}

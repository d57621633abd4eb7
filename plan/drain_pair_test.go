package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// paired is drainable with two directors that run keepalived.
func paired(scheduler string) string {
	text := strings.Replace(drainable("scheduler = \""+scheduler+"\"", ""), `director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
}`, `director "d1" {
  interface "eth0" { address = "10.1.0.2/24" }
}
director "d2" {
  interface "eth0" { address = "10.1.0.3/24" }
}
vrrp_instance "pair" {
  directors         = ["d1", "d2"]
  interface         = "eth0"
  virtual_router_id = 51
}`, 1)
	return strings.Replace(text, "mode         =", "directors    = [\"d1\", \"d2\"]\n  mode         =", 1)
}

// asApplied are the inputs of a topology whose nodes are as it wants them, and whose
// records say that it has made them so.
func asApplied(t *testing.T, c *cluster, text string, version keepalived.Version) []plan.Input {
	t.Helper()
	inputs := c.inputs(t, c.wants(t, text), false)
	for i := range inputs {
		inputs[i].Live.Facts.Keepalived = live.Keepalived{Version: version, Installed: true}
	}
	for i, n := range plan.Build(topologyName, inputs).Nodes {
		for k := range inputs {
			if inputs[k].Name == n.Name {
				applied(&inputs[k], n.Want, i == 0)
			}
		}
	}
	return inputs
}

func applied(in *plan.Input, want *state.State, holds bool) {
	s := want.Clone()
	for k, v := range in.Live.State.Addresses {
		s.Addresses[k] = v
	}
	if holds {
		for k := range want.Governed.Addresses {
			s.Addresses[k] = state.Address{}
		}
	}
	s.Kernel, s.Links = in.Live.State.Kernel, in.Live.State.Links
	s.Sysctls[state.QuiescentTemplates] = "0"
	in.Live.State = s
	in.Live.Record = state.NewRecord(topologyName)
	in.Live.Record.Set = want.Clone()
	in.Live.Record.Set.Governed = state.Governed{} // no record says it
	if in.Keepalived != nil {
		in.Live.Facts.Keepalived.Loaded = *in.Keepalived
	}
}

// TestDrainPaired: keepalived's file has the weight too, and a director is told of it only
// after the one that holds no address. What else the topology wants of keepalived is not
// done along with it.
func TestDrainPaired(t *testing.T) {
	version := keepalived.Version{2, 2, 7}
	c := newCluster()
	c.persists = true
	inputs := asApplied(t, c, paired("wrr"), version)
	p := plan.Drain(topologyName, inputs, drain("a"))
	var have []string
	for _, a := range p.Actions {
		text := a.Node + " " + string(a.Op) + " " + string(a.Kind)
		for _, id := range a.Needs {
			text += " after " + p.Actions[id-1].Node
		}
		have = append(have, text)
	}
	want := []string{
		"d2 change config", "d2 change server", "d1 change config after d2", "d1 change server after d2",
		"d2 change daemon", "d1 change daemon after d2",
	}
	var before []string
	for i, text := range have {
		if !strings.Contains(text, " file") {
			before = append(before, text)
		} else if path := p.Actions[i].Key.String(); strings.Contains(path, "ipvsadm") {
			t.Errorf("%s %s: keepalived brings its services itself", text, path)
		}
	}
	if d := cmp.Diff(want, before); d != "" {
		t.Errorf("%s\nall: %q", d, have)
	}
	for _, n := range p.Nodes {
		conf := n.Settled.Want.Texts[n.Settled.Want.Confs[keepalived.File].Hash].Text
		if !strings.Contains(conf, "weight 0") || !strings.Contains(conf, "weight 3") || len(n.Problems)+len(n.Refused) > 0 {
			t.Errorf("%s: %q %q\n%s", n.Name, n.Problems, n.Refused, conf)
		}
		for i := range inputs {
			if in := &inputs[i]; in.Name == n.Name {
				in.Live.Record.Drained = n.Settled.Drained
				applied(in, n.Settled.Want, n.Name == "d1")
				in.Live.Record.Drained = n.Settled.Drained
			}
		}
	}
	again := plan.Build(topologyName, inputs)
	if n := again.Count(); n.Any() {
		t.Errorf("planned after it: %q", said(again))
	}

	other := asApplied(t, newCluster(), paired("wrr"), version)
	pending := c.inputs(t, c.wants(t, paired("rr")), false)
	for i := range other {
		for k := range pending {
			if pending[k].Name == other[i].Name {
				other[i].Want, other[i].Keepalived = pending[k].Want, pending[k].Keepalived
			}
		}
	}
	for _, n := range plan.Drain(topologyName, other, drain("a")).Nodes {
		if len(n.Problems) != 1 || !strings.Contains(n.Problems[0], "run lvsctl apply first") {
			t.Errorf("%s, with changes that are not applied: %q", n.Name, n.Problems)
		}
	}
}

// TestDrainPairedCuts: what an older keepalived does by deleting and adding again would
// end connections, and needs to be asked for.
func TestDrainPairedCuts(t *testing.T) {
	for version, want := range map[keepalived.Version]int{{2, 2, 7}: 0, {1, 2, 13}: 1} {
		inputs := asApplied(t, newCluster(), paired("wrr"), version)
		for _, n := range plan.Drain(topologyName, inputs, drain("a")).Nodes {
			if len(n.Refused) != want {
				t.Errorf("keepalived %s: %q", version, n.Refused)
			}
		}
	}
}

package plan_test

import (
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// TestPanic has a node whose State makes Build panic. That is the node's error, and the
// others are planned.
func TestPanic(t *testing.T) {
	input := func(name string, record state.Record) plan.Input {
		want := state.New()
		want.Sysctls["net/ipv4/ip_forward"] = "1"
		have := state.New()
		have.Sysctls["net/ipv4/ip_forward"] = "0"
		return plan.Input{Name: name, Role: "real_server", Address: name, Chosen: true, Want: want, Live: &live.Node{State: have, Record: record, Facts: live.Facts{Root: true}}}
	}
	broken := state.NewRecord("web")
	broken.Set = nil
	p := plan.Build("web", []plan.Input{input("a", broken), input("b", state.NewRecord("web"))})
	for _, n := range p.Nodes {
		if (n.Unreadable != nil) != (n.Name == "a") {
			t.Errorf("%s: %v", n.Name, n.Unreadable)
		}
	}
	if err := p.Nodes[0].Unreadable; err == nil || !strings.Contains(err.Error(), "lvsctl failed on what the node answered") {
		t.Errorf("have %v", err)
	}
	if len(p.Actions) != 1 || p.Actions[0].Node != "b" {
		t.Errorf("actions: %+v", p.Actions)
	}
}

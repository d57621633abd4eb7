package plan_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// onEth0 is a node with one device and one address.
func onEth0(want *state.State) plan.Input {
	own := addressKey("10.1.0.5/24", "eth0")
	have := state.New()
	have.Links["lo"], have.Links["eth0"] = state.Link{Up: true}, state.Link{Up: true}
	have.Addresses[own] = state.Address{}
	have.Sysctls["net/ipv4/conf/all/arp_ignore"] = "0"
	return plan.Input{
		Name: "n", Role: "real_server", Chosen: true, Base: []state.AddressKey{own}, Want: want,
		Live: &live.Node{State: have, Record: state.NewRecord(topologyName), Facts: live.Facts{Root: true, Kernel: "6.1.0"}},
	}
}

// TestMissingDevices: what is wanted on a device that nobody makes is told before
// anything changes, once, with the device and not with the parameters it lacks.
func TestMissingDevices(t *testing.T) {
	const tail = " (it has eth0); make it on the node, or name another one in the topology"
	for _, c := range []struct {
		name string
		fill func(w *state.State)
		want []string
	}{
		{"a VIP's", func(w *state.State) {
			w.Addresses[addressKey("10.9.0.2/32", "dummy9")] = state.Address{}
			w.Addresses[addressKey("10.9.0.1/32", "dummy9")] = state.Address{}
			w.Sysctls["net/ipv4/conf/dummy9/arp_ignore"] = "1"
		}, []string{"it has no interface dummy9 for 10.9.0.1/32, 10.9.0.2/32" + tail}},
		{"a route's", func(w *state.State) {
			w.Routes[state.NewRouteKey(netip.MustParsePrefix("10.60.0.0/16"), 0)] = state.Route{Dev: "eth7"}
		}, []string{"it has no interface eth7 for route 10.60.0.0/16" + tail}},
		{"a sync daemon's", func(w *state.State) {
			w.Daemons[state.DaemonMaster] = state.Daemon{Interface: "eth7", ID: 1}
		}, []string{"it has no interface eth7 for sync master" + tail}},
		{"a parameter's alone", func(w *state.State) {
			w.Sysctls["net/ipv4/conf/eth7/arp_ignore"] = "1"
		}, []string{"its kernel 6.1.0 has no parameter net.ipv4.conf.eth7.arp_ignore; remove it from the topology, or load the module that brings it"}},
		{"one that is there, and one that lvsctl makes", func(w *state.State) {
			w.Addresses[addressKey("10.9.0.1/32", "lo")] = state.Address{}
			w.Addresses[addressKey("10.9.0.1/32", "eth0")] = state.Address{}
			w.Links["tunl0"] = state.Link{Up: true}
			w.Addresses[addressKey("10.9.0.2/32", "tunl0")] = state.Address{}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := state.New()
			c.fill(w)
			p := plan.Build(topologyName, []plan.Input{onEth0(w)})
			if d := cmp.Diff(c.want, p.Nodes[0].Problems); d != "" {
				t.Error(d)
			}
			if c.want != nil && len(p.Actions) > 0 {
				t.Errorf("planned all the same: %+v", p.Actions)
			}
		})
	}
}

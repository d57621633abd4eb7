package plan_test

import (
	"net/netip"
	"strings"
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

// TestMissingDevices has wanted entries on devices that the node does not have. The plan
// reports each device once, and not also the parameters of the device.
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

// TestDestroyWithoutBase has a node that lost its own address. A destroy works, and an old
// route that needs the address stays in the record.
func TestDestroyWithoutBase(t *testing.T) {
	def := state.NewRouteKey(netip.MustParsePrefix("0.0.0.0/0"), 0)
	vip := addressKey("10.9.0.1/32", "lo")
	in := onEth0(state.New())
	in.Destroy = true
	have, record := in.Live.State, &in.Live.Record
	delete(have.Addresses, in.Base[0])
	have.Addresses[vip] = state.Address{}
	record.Set.Addresses[vip] = state.Address{}
	record.Set.Routes[def] = state.Route{Via: netip.MustParseAddr("10.1.0.1"), Dev: "eth0"}
	record.Before.Routes[def] = state.Route{Via: netip.MustParseAddr("10.1.0.254"), Dev: "eth0"}
	have.Sysctls["net/ipv4/conf/all/arp_ignore"] = "1"
	record.Set.Sysctls["net/ipv4/conf/all/arp_ignore"], record.Before.Sysctls["net/ipv4/conf/all/arp_ignore"] = "1", "0"

	p := plan.Build(topologyName, []plan.Input{in})
	if n := p.Nodes[0]; len(n.Problems) > 0 || len(p.Actions) != 2 {
		t.Errorf("problems %v, actions %v", n.Problems, p.Actions)
	}
	want := []string{"the old route default via 10.1.0.254 dev eth0 cannot come back: eth0 has no address in its next hop's network; give it its own address back, then run this again"}
	if d := cmp.Diff(want, p.Nodes[0].Warnings); d != "" {
		t.Error(d)
	}
	after := state.Confirm(p.Nodes[0].Settled, have)
	if _, kept := after.Before.Routes[def]; !kept {
		t.Error("the record forgets the old route")
	}

	// With the address back, the route is set.
	have.Addresses[in.Base[0]] = state.Address{}
	if p := plan.Build(topologyName, []plan.Input{in}); len(p.Actions) != 3 || len(p.Nodes[0].Warnings) > 0 {
		t.Errorf("warnings %v, actions %v", p.Nodes[0].Warnings, p.Actions)
	}
}

// TestUnreadable has lines of the table that could not be read. They are a problem only
// if the topology changes them, and a warning otherwise.
func TestUnreadable(t *testing.T) {
	wanted := state.ServiceKey{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.9.0.1:80")}
	other := state.ServiceKey{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.9.0.9:80")}
	rule := state.RuleKey{Table: "nat", Chain: "POSTROUTING", Comment: state.RuleComment(topologyName, "web", "snat")}
	const remedy = "; take it out of the table (ipvsadm -d, or -D for the service), or update ipvsadm there"
	for _, c := range []struct {
		name             string
		fill             func(in *plan.Input)
		problem, warning string
	}{
		{"a foreign service", func(in *plan.Input) { in.Live.State.Unreadable[other] = "cannot read X" }, "", "cannot read X; it is left alone"},
		{"a line of no service", func(in *plan.Input) { in.Live.State.Unreadable[state.ServiceKey{}] = "cannot read X" }, "", "cannot read X; it is left alone"},
		{"a wanted service", func(in *plan.Input) { in.Live.State.Unreadable[wanted] = "cannot read X" }, "cannot read X" + remedy, "cannot read X; it is left alone"},
		{"a service of the record", func(in *plan.Input) {
			in.Live.State.Unreadable[other] = "cannot read X"
			in.Live.Record.Set.Services[other] = state.Service{Scheduler: "rr"}
		}, "cannot read X" + remedy, "cannot read X; it is left alone"},
		{"everything is the topology's", func(in *plan.Input) {
			in.Live.State.Unreadable[other] = "cannot read X"
			in.Exclusive = true
		}, "cannot read X" + remedy, "cannot read X; it is left alone"},
		{"rules that nobody wants", func(in *plan.Input) { in.Live.State.NoRules = "no iptables-save" }, "", ""},
		{"rules that are wanted", func(in *plan.Input) {
			in.Live.State.NoRules = "no iptables-save"
			in.Want.Rules[rule] = state.NewRule(rule, nil, []string{"-j", "ACCEPT"})
		}, "no iptables-save", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := state.New()
			w.Services[wanted] = state.Service{Scheduler: "rr"}
			in := onEth0(w)
			in.Role = "director"
			c.fill(&in)
			n := plan.Build(topologyName, []plan.Input{in}).Nodes[0]
			if have := strings.Join(n.Problems, "\n"); have != c.problem {
				t.Errorf("problems: want %q, have %q", c.problem, have)
			}
			if have := strings.Join(n.Warnings, "\n"); have != c.warning {
				t.Errorf("warnings: want %q, have %q", c.warning, have)
			}
		})
	}
}

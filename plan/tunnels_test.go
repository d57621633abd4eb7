package plan_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// TestMissingTunnels has nodes that lack what a tunnel needs. Each plan says what, and
// changes nothing.
func TestMissingTunnels(t *testing.T) {
	service := state.ServiceKey{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.9.0.1:80")}
	sends := func(tunnel string) func(*state.State) {
		return func(w *state.State) {
			w.Services[service] = state.Service{Scheduler: "rr"}
			w.Servers[state.ServerKey{Service: service, Addr: netip.MustParseAddrPort("10.1.0.11:80")}] = state.Server{Forward: state.Tunnel, Weight: 1, Tunnel: tunnel}
		}
	}
	takesGUE := func(w *state.State) {
		w.Modules["fou"] = state.Module{}
		w.FOUs[state.FOUKey{Port: 6080}] = state.FOU{Holds: state.GUE}
	}
	const gue, gueInner, gre = "--tun-type gue --tun-port 6080 --tun-nocsum", "--tun-type gue --tun-port 6080 --tun-csum", "--tun-type gre --tun-nocsum"
	for _, c := range []struct {
		name, kernel string
		can          []string
		fill         func(w *state.State)
		want         []string
	}{
		{"ipip on anything", "2.6.32-754.el6", nil, sends(""), nil},
		{"an old ipvsadm", "6.1.0", nil, sends(gue), []string{"its ipvsadm knows no tunnel but ipip (1.31 does); update it there, or remove tunnel from the topology"}},
		{"gue", "5.2.1", []string{"tun-type"}, sends(gue), nil},
		{"gue on an old kernel", "4.18.0-553.el8", []string{"tun-type"}, sends(gue), []string{"its kernel 4.18.0-553.el8 does not know gue, which came with Linux 5.2; remove that from tunnel, or update the kernel"}},
		{"a checksum on an old kernel", "5.2.1", []string{"tun-type"}, sends(gueInner), []string{"its kernel 5.2.1 does not know a tunnel's checksum, which came with Linux 5.3; remove that from tunnel, or update the kernel"}},
		{"gre on an old kernel", "5.2.1", []string{"tun-type"}, sends(gre), []string{"its kernel 5.2.1 does not know gre, which came with Linux 5.3; remove that from tunnel, or update the kernel"}},
		{"gre", "5.10.0", []string{"tun-type"}, sends(gre), nil},
		{"a real server of gue", "6.1.0", []string{"fou", "ip-fou"}, takesGUE, nil},
		{"a kernel without fou", "6.1.0", []string{"ip-fou"}, takesGUE, []string{"its kernel 6.1.0 has no module fou, which takes packets out of their tunnel; install it, or write another type in tunnel"}},
		{"an ip without fou", "6.1.0", []string{"fou"}, takesGUE, []string{"its ip has no fou, which opens the port for gue packets (iproute2 4.1 has it, busybox does not); install iproute2 there, or write another type in tunnel"}},
		{"a kernel without gre", "6.1.0", nil, func(w *state.State) { w.Modules["ip_gre"] = state.Module{} }, []string{"its kernel 6.1.0 has no module ip_gre, which takes packets out of their tunnel; install it, or write another type in tunnel"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := state.New()
			c.fill(w)
			in := onEth0(w)
			in.Live.Facts.Kernel, in.Live.Facts.Can = c.kernel, map[string]bool{}
			for _, what := range c.can {
				in.Live.Facts.Can[what] = true
			}
			p := plan.Build(topologyName, []plan.Input{in})
			if d := cmp.Diff(c.want, p.Nodes[0].Problems); d != "" {
				t.Error(d)
			}
			if (c.want != nil) == (len(p.Actions) > 0) {
				t.Errorf("actions %+v", p.Actions)
			}
			for _, what := range plan.TunnelNeeds(w) {
				in.Live.Facts.Can[what] = true
			}
			in.Live.Facts.Kernel = "6.1.0"
			if p := plan.Build(topologyName, []plan.Input{in}); len(p.Nodes[0].Problems) > 0 {
				t.Errorf("asked for everything it needs, and %v", p.Nodes[0].Problems)
			}
		})
	}
}

package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/plan"
)

// TestForwardingOfADevice has forwarding turned off on one device, while the switch for all
// is on.
func TestForwardingOfADevice(t *testing.T) {
	text := onLAN("nat", "rr", "a")
	for _, c := range []struct {
		name, node, dev string
		want            []string
	}{
		{"a director's device", "lvs", "eth0", []string{"change sysctl net.ipv4.conf.eth0.forwarding"}},
		{"a router's device", "gw", "eth0", []string{"change sysctl net.ipv4.conf.eth0.forwarding"}},
		{"a device that nobody is on", "gw", "eth1", nil},
		{"a real server's", "a", "eth0", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster()
			cl.bring(t, text)
			build := func(destroy bool) *plan.Plan {
				inputs := cl.inputs(t, cl.wants(t, text), destroy)
				p := plan.Build(topologyName, inputs)
				cl.apply(t, p, func(*plan.Action) {})
				cl.confirm(t, p, inputs)
				return p
			}
			changes := func(p *plan.Plan) (list []string) {
				for _, a := range p.Actions {
					if !a.Kind.Persistent() {
						list = append(list, string(a.Op)+" "+a.Ref.String())
					}
				}
				return list
			}
			key := "net/ipv4/conf/" + c.dev + "/forwarding"
			cl.exec(t, c.node, "0 > /proc/sys/"+key)
			if d := cmp.Diff(c.want, changes(build(false))); d != "" {
				t.Errorf("changes (-want +have):\n%s", d)
			}
			if have := changes(build(false)); len(have) > 0 {
				t.Errorf("a second plan has %v", have)
			}
			// What is the topology's own now goes on being it.
			if c.want != nil {
				cl.exec(t, c.node, "0 > /proc/sys/"+key)
				if d := cmp.Diff(c.want, changes(build(false))); d != "" {
					t.Errorf("again (-want +have):\n%s", d)
				}
			}
			gone := changes(build(true))
			if given := slices.Contains(gone, "change sysctl net.ipv4.conf."+c.dev+".forwarding"); !given && c.want != nil {
				t.Errorf("destroyed, it is not given back: %v", gone)
			}
		})
	}
}

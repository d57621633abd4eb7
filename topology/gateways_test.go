package topology

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGatewaysOnNoSubnet has gateways that are on no subnet of the node: link-local
// ones, and those beside a /32 that providers assign. They are accepted if the device
// is known.
func TestGatewaysOnNoSubnet(t *testing.T) {
	const (
		one   = `interface "eth0" { addresses = ["203.0.113.7/32", "2001:db8::7/64"] }`
		two   = one + "\ninterface \"eth1\" { address = \"10.0.0.7/24\" }"
		lone6 = `interface "eth0" { addresses = ["10.0.0.7/24", "2001:db8::7/128"] }`
		twice = "interface \"eth0\" { address = \"203.0.113.7/32\" }\ninterface \"eth1\" { address = \"203.0.113.8/32\" }"
	)
	route := func(to, via, dev string) string {
		return fmt.Sprintf("route {\nto = %q\nvia = %q\n%s\n}", to, via, dev)
	}
	tests := []struct{ name, node, want string }{
		{"link-local, one device", one + "\ngateway = \"fe80::1\"", "fe80::1 dev eth0"},
		{"link-local, its device named", two + "\ngateway = \"fe80::1%eth1\"", "fe80::1 dev eth1"},
		{"beside a /32", one + "\ngateway = \"198.51.100.1\"", "198.51.100.1 dev eth0"},
		{"beside a /32, among several", two + "\ngateway = \"198.51.100.1\"", "198.51.100.1 dev eth0"},
		{"beside a /128", lone6 + "\ngateway = \"2001:db8:ffff::1\"", "2001:db8:ffff::1 dev eth0"},
		{"two /32, one named", twice + "\ngateway = \"198.51.100.1%eth1\"", "198.51.100.1 dev eth1"},
		{"both families", one + "\ngateway = [\"198.51.100.1\", \"fe80::1\"]", "198.51.100.1 dev eth0, fe80::1 dev eth0"},
		{"on a subnet", two + "\ngateway = \"10.0.0.1\"", "10.0.0.1 dev "},
		{"on a subnet, device named", two + "\ngateway = \"10.0.0.1%eth1\"", "10.0.0.1 dev "},
		{"route, dev", two + "\n" + route("2001:db8:1::/48", "fe80::1", `dev = "eth1"`), "2001:db8:1::/48 via fe80::1 dev eth1"},
		{"route, one device", one + "\n" + route("192.0.2.0/24", "198.51.100.1", ""), "192.0.2.0/24 via 198.51.100.1 dev eth0"},
		{"link-local, two devices", two + "\ngateway = \"fe80::1\"", "Which device?"},
		{"two /32", twice + "\ngateway = \"198.51.100.1\"", "Which device?"},
		{"no /32 there", two + "\ngateway = \"198.51.100.1%eth1\"", "Gateway out of reach"},
		{"no /32 at all", "interface \"eth0\" { address = \"10.0.0.7/24\" }\ngateway = \"198.51.100.1\"", "Gateway out of reach"},
		{"/32 of the other family", "interface \"eth0\" { addresses = [\"10.0.0.7/24\", \"2001:db8::7/128\"] }\ngateway = \"198.51.100.1\"", "Gateway out of reach"},
		{"unknown device", one + "\ngateway = \"fe80::1%eth9\"", "Unknown device"},
		{"not a device", one + "\ngateway = \"fe80::1%../x\"", "Not a device"},
		{"another device", two + "\ngateway = \"10.0.0.1%eth0\"", "Gateway on another device"},
		{"a name with a device", one + "\ngateway = \"x%eth0\"", "Not a usable address"},
		{"route, another device", two + "\n" + route("192.0.2.0/24", "10.0.0.1", `dev = "eth0"`), "Gateway on another device"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			topo, diags := loadText(t, "router \"x\" {\n"+test.node+"\n}", Options{})
			have := ""
			switch {
			case len(diags) > 0:
				have = diags[0].Summary
			default:
				n := topo.Nodes[0]
				if g := n.Gateway; g.V4.IsValid() {
					have = g.V4.String() + " dev " + g.Dev4
				}
				if g := n.Gateway; g.V6.IsValid() {
					if have != "" {
						have += ", "
					}
					have += g.V6.String() + " dev " + g.Dev6
				}
				for _, r := range n.Routes {
					have = fmt.Sprintf("%s via %s dev %s", r.To, r.Via, r.Dev)
				}
			}
			if d := cmp.Diff(test.want, have); d != "" {
				t.Errorf("(-want +have):\n%s%s", d, summaries(diags))
			}
		})
	}
}

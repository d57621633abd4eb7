package roles_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/roles/rolestest"
	"github.com/lvsctl/lvsctl/topology"
)

// load makes a topology of its text.
func load(t *testing.T, text string) *topology.Topology {
	t.Helper()
	top, err := rolestest.Load(t, "lvsctl { name = \"web\" }\n"+text)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// lines lists what a node should have as KIND KEY: VALUE, in order of creation.
func lines(w roles.Want) []string {
	var list []string
	for _, c := range state.Diff(state.New(), w.State) {
		list = append(list, strings.TrimSuffix(c.Ref.String()+": "+c.After, ": "))
	}
	return list
}

const lan = `
director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
}
real_server "a" {
  interface "eth0" { address = "10.1.0.11/24" }
}
real_server "b" {
  interface "eth0" { address = "10.1.0.12/24" }
}
`

const service = `
  port         = 80
  scheduler    = "rr"
  real_servers = ["a", "b"]
`

func TestWants(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			wants, diags := roles.Wants(load(t, c.text))
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			have := map[string][]string{}
			for _, w := range wants {
				have[w.Node.Name] = lines(w)
			}
			for name := range have {
				if _, asked := c.want[name]; !asked {
					delete(have, name)
				}
			}
			if d := cmp.Diff(c.want, have); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestContradictions has nodes that need two values of one parameter. They are refused.
func TestContradictions(t *testing.T) {
	nat := `virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "nat"
  real_servers = ["a"]
}
real_server "a" {
  interface "eth0" { address = "10.1.0.11/24" }
}
`
	for _, c := range []struct{ name, text, want string }{
		{
			"ip_forward off on a director of NAT",
			nat + `director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
  ip_forward = false
}`,
			`director "lvs" wants net.ipv4.ip_forward = 0 here, but its role needs 1`,
		},
		{
			"ip_forward off by its other name",
			nat + `director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
  sysctl = { "net.ipv4.conf.all.forwarding" = 0 }
}`,
			`director "lvs" wants net.ipv4.conf.all.forwarding = 0 here, but its role needs 1`,
		},
		{
			"the replies' device forwards nothing",
			nat + `director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
  interface "eth1" { address = "192.0.2.2/24" }
  sysctl = { "net.ipv4.conf.eth0.forwarding" = 0, "net.ipv4.conf.eth1.forwarding" = 0 }
}`,
			`director "lvs" wants net.ipv4.conf.eth0.forwarding = 0 here, but its role needs 1`,
		},
		{
			"a router's device forwards nothing",
			nat + `director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
}
router "gw" {
  interface "eth0" { address = "10.1.0.1/24" }
  sysctl = { "net/ipv4/conf/eth0/forwarding" = 0 }
}`,
			`router "gw" wants net.ipv4.conf.eth0.forwarding = 0 here, but its role needs 1`,
		},
		{
			"redirects on a director of NAT",
			nat + `director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
  sysctl = { "net.ipv4.conf.all.send_redirects" = 1 }
}`,
			`director "lvs" wants net.ipv4.conf.all.send_redirects = 1 here, but its role needs 0`,
		},
		{
			"ARP on a real server of DR",
			lan + `real_server "c" {
  interface "eth0" { address = "10.1.0.13/24" }
  sysctl = { "net.ipv4.conf.all.arp_ignore" = 0 }
}
virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "dr"
  real_servers = ["c"]
}`,
			`real_server "c" wants net.ipv4.conf.all.arp_ignore = 0 here, but its role needs 1`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, diags := roles.Wants(load(t, c.text))
			if len(diags) != 1 || !diags.HasErrors() {
				t.Fatalf("%d diagnostics: %v", len(diags), diags)
			}
			if d := diags[0]; !strings.HasPrefix(d.Detail, c.want) || d.Subject == nil || d.Subject.Filename == "" {
				t.Errorf("%s: %s at %v", d.Summary, d.Detail, d.Subject)
			}
		})
	}
}

// TestVIPInterface checks that a vip_interface that answers ARP is refused, also on a real
// server without a service.
func TestVIPInterface(t *testing.T) {
	for dev, refused := range map[string]bool{
		"eth0": true, "ens33.100": true, "br0": true, "gretap0": true, "veth1": true, "lo0": true,
		"lo": false, "dummy0": false, "dummy-vip": false, "tunl0": false, "ip6tnl0": false, "gre0": false, "sit0": false,
	} {
		_, diags := roles.Wants(load(t, lan+`real_server "c" {
  interface "eth0" { address = "10.1.0.13/24" }
  vip_interface = "`+dev+`"
}`))
		if have := diags.HasErrors(); have != refused {
			t.Errorf("%s: want refused %v, have %v", dev, refused, diags)
		}
		if refused && (diags[0].Summary != "VIP on a device that answers" || diags[0].Subject.Start.Line != 14) {
			t.Errorf("%s: have %v", dev, diags[0])
		}
	}
}

// TestWantsBeside checks what a plan needs beside the State: Servers, Schedulers, Replies
// and Ranges.
func TestWantsBeside(t *testing.T) {
	wants, diags := roles.Wants(load(t, lan+`virtual_server "web" {
  vip  = "10.1.0.100"
  mode = "dr"`+service+`}
virtual_server "tls" {
  vip          = "10.1.0.100"
  port         = 443
  mode         = "dr"
  scheduler    = "mh"
  drain        = "30s"
  real_servers = ["a", "lvs"]
}
client "c" {
  interface "eth0" { address = "10.1.0.50/24" }
}`))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var names []string
	for _, w := range wants {
		names = append(names, w.Node.Name)
	}
	if d := cmp.Diff([]string{"a", "b", "lvs"}, names); d != "" {
		t.Fatalf("nodes, clients left out: %s", d)
	}
	lvs := wants[2]
	if d := cmp.Diff([]string{"mh", "rr"}, lvs.Schedulers); d != "" {
		t.Errorf("schedulers: %s", d)
	}
	servers := map[string]string{}
	for addr, name := range lvs.Servers {
		servers[addr.String()] = name
	}
	if d := cmp.Diff(map[string]string{"10.1.0.11": "a", "10.1.0.12": "b"}, servers); d != "" {
		t.Errorf("servers: %s", d)
	}
	if len(lvs.State.Drain) != 1 {
		t.Errorf("drain: %v", lvs.State.Drain)
	}
	for _, w := range wants {
		for _, c := range state.Diff(state.New(), w.State) {
			if r, ok := w.Ranges[c.Ref]; !ok || r.Start.Line < 2 {
				t.Errorf("%s: %s %s comes from nowhere", w.Node.Name, c.Kind, c.Key)
			}
		}
	}
}

// TestOnLink checks that a route whose next hop is on no subnet of its device is "onlink".
// For a link-local next hop the kernel needs no such word.
func TestOnLink(t *testing.T) {
	wants, diags := roles.Wants(load(t, `router "r" {
  interface "eth0" { addresses = ["203.0.113.7/32", "10.1.0.7/24"] }
  gateway = ["198.51.100.1", "fe80::1"]
  route {
    to  = "192.0.2.0/24"
    via = "10.1.0.1"
  }
}`))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := []string{
		"ip -4 route add default via 198.51.100.1 dev eth0 onlink",
		"ip -4 route add 192.0.2.0/24 via 10.1.0.1 dev eth0",
		"ip -6 route add default via fe80::1 dev eth0",
	}
	var have []string
	for _, c := range state.Diff(state.New(), wants[0].State) {
		for _, do := range c.Do {
			have = append(have, do.String())
		}
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("(-want +have):\n%s", d)
	}
}

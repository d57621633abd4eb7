package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/plan"
)

// TestMisplacedVIPs has VIPs that somebody set by hand. If clients would reach that node
// in place of the director, it is the node's problem; otherwise it is left alone.
func TestMisplacedVIPs(t *testing.T) {
	pair := strings.Replace(onLAN("dr", "rr", "a"), `virtual_server "web" {`, "virtual_server \"web\" {\n  director = \"lvs\"", 1) + `
director "spare" {
  interface "eth0" { address = "10.1.0.3/24" }
}
`
	for _, c := range []struct {
		name, node, line string
		want             string // part of the node's problem, or "" for none
	}{
		{"on a real server's LAN device", "a", "ip -4 addr add 10.1.0.100/32 dev eth0", "it has the VIP 10.1.0.100 on eth0 and tells the neighbours so, beside lvs"},
		{"the same with the LAN's prefix and a label", "a", "ip -4 addr add 10.1.0.100/24 dev eth0 label eth0:0", "ip addr del 10.1.0.100/24 dev eth0"},
		{"a subnet on a real server's lo", "a", "ip -4 addr add 10.1.0.100/8 dev lo", "it has the VIP as 10.1.0.100/8 on lo: that makes the whole subnet 10.0.0.0/8 its own"},
		{"on a real server's lo, as wanted", "a", "ip -4 addr add 10.1.0.100/32 dev lo", ""},
		{"on a director that does not hold the service", "spare", "ip -4 addr add 10.1.0.100/32 dev eth0", "it has the VIP 10.1.0.100 on eth0"},
		{"on such a director's lo, loud", "spare", "ip -4 addr add 10.1.0.100/32 dev lo", "because arp_ignore is 0"},
		{"on a device of any other sort", "a", "ip -4 addr add 10.1.0.100/32 dev br0", "it has the VIP 10.1.0.100 on br0"},
		{"on a VLAN", "a", "ip -4 addr add 10.1.0.100/24 dev eth0.100", "it has the VIP 10.1.0.100 on eth0.100"},
		{"on a device that is called nearly as a tunnel", "a", "ip -4 addr add 10.1.0.100/32 dev green0", "it has the VIP 10.1.0.100 on green0"},
		{"on a dummy with a name of its own", "a", "ip -4 addr add 10.1.0.100/32 dev vip0", ""},
		{"as kube-proxy has it", "spare", "ip -4 addr add 10.1.0.100/32 dev kube-ipvs0", "because arp_ignore is 0"},
		{"with a peer", "a", "ip -4 addr add 10.1.0.100/16 dev tunl0", "it has the VIP as 10.1.0.100/16 on tunl0"},
		{"another address on lo, with the LAN's subnet", "a", "ip -4 addr add 10.1.0.200/24 dev lo", "it has 10.1.0.200/24 on lo: that makes the whole subnet 10.1.0.0/24 its own, the LAN of its eth0 too"},
		{"the same on the director", "lvs", "ip -4 addr add 10.9.9.9/8 dev lo", "it has 10.9.9.9/8 on lo"},
		{"the VIP on its own director's lo, with a subnet", "lvs", "ip -4 addr add 10.1.0.100/8 dev lo", "it has 10.1.0.100/8 on lo"},
		{"the VIP on its own director's lo", "lvs", "ip -4 addr add 10.1.0.100/32 dev lo", ""},
		{"another subnet on lo", "a", "ip -4 addr add 172.31.0.1/24 dev lo", ""},
		{"another address on lo, by itself", "a", "ip -4 addr add 10.1.0.200/32 dev lo", ""},
		{"on a router", "gw", "ip -4 addr add 10.1.0.100/32 dev eth0", "it has the VIP 10.1.0.100 on eth0"},
		{"twice on the director that holds it", "lvs", "ip -4 addr add 10.1.0.100/24 dev eth0", ""},
		{"another address", "a", "ip -4 addr add 10.1.0.101/24 dev eth0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster()
			wants := cl.wants(t, pair)
			dev := strings.Fields(c.line)[6]
			if _, there := cl.hosts[c.node].Links[dev]; !there {
				cl.hosts[c.node].Links[dev] = true
			}
			cl.exec(t, c.node, c.line)
			p := plan.Build(topologyName, cl.inputs(t, wants, false))
			for _, n := range p.Nodes {
				problems := strings.Join(n.Problems, "\n")
				switch {
				case n.Name == c.node && c.want != "":
					if !strings.Contains(problems, c.want) {
						t.Errorf("%s: want %q, have %q", n.Name, c.want, problems)
					}
				case problems != "":
					t.Errorf("%s: %s", n.Name, problems)
				}
			}
			// A destroy does not care: the topology has no VIP any more.
			for _, n := range plan.Build(topologyName, cl.inputs(t, wants, true)).Nodes {
				if len(n.Problems) > 0 {
					t.Errorf("destroy, %s: %s", n.Name, n.Problems)
				}
			}
		})
	}
}

// TestLoudVIPInterface has a device with ARP that is called as one without.
func TestLoudVIPInterface(t *testing.T) {
	text := strings.Replace(onLAN("dr", "rr", "a", "b"), `real_server "a" {`, "real_server \"a\" {\n  vip_interface = \"dummy7\"", 1)
	c := newCluster()
	wants := c.wants(t, text)
	c.hosts["a"].Links["dummy7"] = true // the model has ARP on it
	for _, n := range plan.Build(topologyName, c.inputs(t, wants, false)).Nodes {
		problems := strings.Join(n.Problems, "\n")
		if refused := strings.Contains(problems, "its dummy7 answers when neighbours ask who has an address, so the VIP 10.1.0.100 cannot be there"); refused != (n.Name == "a") {
			t.Errorf("%s: %s", n.Name, problems)
		}
	}
}

// TestMovedVIP has a VIP that the topology itself has set on another node. It is removed
// and is no problem.
func TestMovedVIP(t *testing.T) {
	both := func(director string) string {
		return strings.Replace(onLAN("dr", "rr", "a"), `virtual_server "web" {`, "virtual_server \"web\" {\n  director = \""+director+"\"", 1) + `
director "other" {
  interface "eth0" { address = "10.1.0.3/24" }
}
`
	}
	c := newCluster()
	c.bring(t, both("lvs"))
	p := plan.Build(topologyName, c.inputs(t, c.wants(t, both("other")), false))
	var have []string
	for _, a := range p.Actions {
		if a.Node == "lvs" && a.Kind == "address" {
			have = append(have, string(a.Op)+" "+a.Key.String())
		}
	}
	if d := cmp.Diff([]string{"remove 10.1.0.100/32 dev eth0"}, have); d != "" {
		t.Error(d)
	}
	for _, n := range p.Nodes {
		if len(n.Problems) > 0 {
			t.Errorf("%s: %s", n.Name, n.Problems)
		}
	}
}

package topology

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// What validates and no role acts on yet, a line each. A role that learns one
// takes its line away.

var unsupportedOfNode = []struct {
	what string
	in   func(*Node) bool
}{
	{"timeouts", func(n *Node) bool { return n.Timeouts != nil }},
	{"sync", func(n *Node) bool { return n.Sync != nil }},
	{"hosts = true", func(n *Node) bool { return n.Hosts }},
	{"an explicit persist", func(n *Node) bool { return n.Persist != PersistAuto && n.Persist != PersistNone }},
}

var unsupportedOfService = []struct {
	what string
	in   func(*VirtualServer) bool
}{
	{`mode "fullnat"`, func(v *VirtualServer) bool { return v.uses(FULLNAT) }},
	{"fwmark", func(v *VirtualServer) bool { return v.FWMark != 0 }},
	{`an IPv6 VIP in mode "tun"`, func(v *VirtualServer) bool { return v.uses(TUN) && v.IPv6() }},
	{"mss", func(v *VirtualServer) bool { return v.MSS != 0 }},
	{"drain", func(v *VirtualServer) bool { return v.Drain > 0 }},
	{"sorry_server", func(v *VirtualServer) bool { return v.SorryServer.IsValid() }},
	{"health_check", func(v *VirtualServer) bool { return v.HealthCheck != nil && v.HealthCheck.Range != v.Range }},
}

// uses reports whether the service, or one of its servers, has a mode.
func (v *VirtualServer) uses(m Mode) bool {
	for _, s := range v.RealServers {
		if s.Mode == m {
			return true
		}
	}
	return v.Mode == m
}

// unsupported goes through the lists. A block with for_each is named once.
func unsupported(t *Topology) []Unsupported {
	var all []Unsupported
	seen := map[Unsupported]bool{}
	add := func(name, what string, at hcl.Range) {
		if u := (Unsupported{What: what, Range: at}); !seen[u] {
			seen[u] = true
			all = append(all, Unsupported{What: fmt.Sprintf("%s of %s", what, name), Range: at})
		}
	}
	for _, n := range t.Nodes {
		for _, u := range unsupportedOfNode {
			if u.in(n) {
				add(n.Name, u.what, n.Range)
			}
		}
	}
	for _, v := range t.Services {
		for _, u := range unsupportedOfService {
			if u.in(v) {
				add(v.Name, u.what, v.Range)
			}
		}
	}
	for _, v := range t.VRRP {
		add(v.Name, "vrrp_instance", v.Range)
	}
	return all
}

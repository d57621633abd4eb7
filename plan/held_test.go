package plan_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/plan"
)

// TestHeld has nodes that cannot be read or changed, or are left out. It checks which
// actions are held back for that.
func TestHeld(t *testing.T) {
	both := onLAN("dr", "rr", "a", "b")
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, c *cluster)
		text    string
		destroy bool
		want    []string // all actions
		summary string
	}{
		{
			name: "a real server that could not be read gets no entry",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("dr", "rr", "a"))
				c.lost["b"] = true
			},
			text: both,
			want: []string{
				"1 lvs add server tcp 10.1.0.100:80 -> 10.1.0.12:80: b could not be read",
			},
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 1 change held back. 1 node could not be read.",
		},
		{
			name: "a real server that cannot be changed gets no entry",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("dr", "rr", "a"))
				c.exec(t, "b", "ip -4 addr del 10.1.0.12/24 dev eth0")
			},
			text:    both,
			want:    []string{"1 lvs add server tcp 10.1.0.100:80 -> 10.1.0.12:80: b cannot be changed"},
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 1 change held back. 1 node cannot be changed.",
		},
		{
			name: "a real server that is left out gets no entry",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("dr", "rr", "a"))
				c.leftOut["b"] = true
			},
			text:    both,
			want:    []string{"7 lvs add server tcp 10.1.0.100:80 -> 10.1.0.12:80: b is left out and not ready"},
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 1 change held back.",
		},
		{
			name: "a real server that is left out and ready gets one",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, both)
				c.exec(t, "lvs", "ipvsadm -d -t 10.1.0.100:80 -r 10.1.0.12:80")
				c.leftOut["b"] = true
			},
			text:    both,
			want:    []string{"1 lvs add server tcp 10.1.0.100:80 -> 10.1.0.12:80"},
			summary: "Plan: 1 to add, 0 to change, 0 to destroy on 1 node.",
		},
		{
			name: "a weight asks nothing of a real server",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, both)
				c.exec(t, "lvs", "ipvsadm -e -t 10.1.0.100:80 -r 10.1.0.12:80 -g -w 7")
				c.lost["b"] = true
			},
			text:    both,
			want:    []string{"1 lvs change server tcp 10.1.0.100:80 -> 10.1.0.12:80"},
			summary: "Plan: 0 to add, 1 to change, 0 to destroy on 1 node. 1 node could not be read.",
		},
		{
			name: "a director that is left out keeps its real servers",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, both)
				c.leftOut["lvs"] = true
			},
			text:    onLAN("dr", "rr", "a"),
			want:    []string{"2 b remove route default: lvs is left out", "3 b remove address 10.1.0.100/32 dev lo: lvs is left out", "4 b change sysctl net.ipv4.conf.all.arp_announce: lvs is left out", "5 b change sysctl net.ipv4.conf.all.arp_ignore: lvs is left out", "6 b change sysctl net.ipv4.conf.lo.arp_announce: lvs is left out", "7 b change sysctl net.ipv4.conf.lo.arp_ignore: lvs is left out"},
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 6 changes held back.",
		},
		{
			name: "a director that could not be read may still send to its real servers",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("dr", "rr", "a"))
				c.lost["lvs"], c.leftOut["gw"] = true, true
			},
			text: onLAN("dr", "rr", "a"), destroy: true,
			want: []string{
				"4 a remove route default: lvs could not be read and may still send there",
				"5 a remove address 10.1.0.100/32 dev lo: lvs could not be read and may still send there",
				"6 a change sysctl net.ipv4.conf.all.arp_announce: lvs could not be read and may still send there",
				"7 a change sysctl net.ipv4.conf.all.arp_ignore: lvs could not be read and may still send there",
				"8 a change sysctl net.ipv4.conf.lo.arp_announce: lvs could not be read and may still send there",
				"9 a change sysctl net.ipv4.conf.lo.arp_ignore: lvs could not be read and may still send there",
			},
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 6 changes held back. 1 node could not be read.",
		},
		{
			name: "a director that cannot be changed keeps its real servers",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, both)
				c.breakBase("lvs")
			},
			text:    onLAN("dr", "rr", "a"),
			want:    keepsDR("b", 2, "lvs cannot be changed"),
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 6 changes held back. 1 node cannot be changed.",
		},
		{
			name: "one that lacks a scheduler",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, both)
			},
			text:    onLAN("dr", "sh", "a"),
			want:    keepsDR("b", 3, "lvs cannot be changed"),
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 6 changes held back. 1 node cannot be changed.",
		},
		{
			name: "one whose service leaves the topology",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("dr", "rr", "a"))
				c.breakBase("lvs")
				c.leftOut["gw"] = true
			},
			text:    onLAN("", ""),
			want:    keepsDR("a", 8, "lvs cannot be changed"),
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 6 changes held back. 1 node cannot be changed.",
		},
		{
			name: "one that reaches them by nat",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("nat", "rr", "a", "b"))
				c.breakBase("lvs")
			},
			text:    onLAN("nat", "rr", "a"),
			want:    []string{"2 b remove route default: lvs cannot be changed"},
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 1 change held back. 1 node cannot be changed.",
		},
		{
			name: "one that is to be destroyed",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("nat", "rr", "a"))
				c.forbid("lvs")
			},
			text: onLAN("nat", "rr", "a"), destroy: true,
			want: []string{
				"10 gw change sysctl net.ipv4.ip_forward: lvs cannot be changed",
				"11 gw change sysctl net.ipv4.conf.all.accept_redirects: lvs cannot be changed",
				"12 a remove route default: lvs cannot be changed",
			},
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 3 changes held back. 1 node cannot be changed.",
		},
		{
			name: "a director that could not be read keeps a real server that left its service",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, both)
				c.lost["lvs"] = true
			},
			text:    onLAN("dr", "rr", "a"),
			want:    keepsDR("b", 1, "lvs could not be read and may still send there"),
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 6 changes held back. 1 node could not be read.",
		},
		{
			name: "a director that could not be read keeps those of a service that left the topology",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("dr", "rr", "a"))
				c.lost["lvs"], c.leftOut["gw"] = true, true
			},
			text:    onLAN("", ""),
			want:    keepsDR("a", 4, "lvs could not be read and may still send there"),
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 6 changes held back. 1 node could not be read.",
		},
		{
			name: "a director that could not be read keeps the way back through it",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("nat", "rr", "a", "b"))
				c.lost["lvs"] = true
			},
			text:    onLAN("nat", "rr", "a"),
			want:    []string{"1 b remove route default: lvs could not be read and may still send there"},
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 1 change held back. 1 node could not be read.",
		},
		{
			name: "a director that could not be read keeps the routers",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, onLAN("nat", "rr", "a"))
				c.lost["lvs"] = true
			},
			text: onLAN("nat", "rr", "a"), destroy: true,
			want: []string{
				"1 gw change sysctl net.ipv4.ip_forward: lvs could not be read and may still need it",
				"2 gw change sysctl net.ipv4.conf.all.accept_redirects: lvs could not be read and may still need it",
				"3 a remove route default: lvs could not be read and may still send there",
			},
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 3 changes held back. 1 node could not be read.",
		},
		{
			name: "a director that could not be read holds nothing of another director's",
			prepare: func(t *testing.T, c *cluster) {
				c.bring(t, twoDirectors)
				c.lost["two"] = true
			},
			text: twoDirectors, destroy: true,
			want: []string{
				"1 one remove address 10.1.0.101/32 dev eth0",
				"2 one remove server tcp 10.1.0.101:80 -> 10.1.0.11:80",
				"3 one remove service tcp 10.1.0.101:80",
				"4 one change sysctl net.ipv4.vs.conn_reuse_mode",
				"5 a remove address 10.1.0.101/32 dev lo needs [2]",
				"6 a change sysctl net.ipv4.conf.all.arp_announce",
				"7 a change sysctl net.ipv4.conf.all.arp_ignore",
				"8 a change sysctl net.ipv4.conf.lo.arp_announce",
				"9 a change sysctl net.ipv4.conf.lo.arp_ignore",
				"10 b remove address 10.1.0.102/32 dev lo: two could not be read and may still send there",
				"11 b change sysctl net.ipv4.conf.all.arp_announce: two could not be read and may still send there",
				"12 b change sysctl net.ipv4.conf.all.arp_ignore: two could not be read and may still send there",
				"13 b change sysctl net.ipv4.conf.lo.arp_announce: two could not be read and may still send there",
				"14 b change sysctl net.ipv4.conf.lo.arp_ignore: two could not be read and may still send there",
			},
			summary: "Plan: 0 to add, 5 to change, 4 to destroy on 2 nodes. 5 changes held back. 1 node could not be read.",
		},
		{
			name: "only a real server",
			prepare: func(t *testing.T, c *cluster) {
				c.wants(t, both)
				c.leftOut["lvs"], c.leftOut["gw"], c.leftOut["b"] = true, true, true
			},
			text:    both,
			want:    []string{"3 a change sysctl net.ipv4.conf.all.arp_announce", "4 a change sysctl net.ipv4.conf.all.arp_ignore", "5 a change sysctl net.ipv4.conf.lo.arp_announce", "6 a change sysctl net.ipv4.conf.lo.arp_ignore", "7 a add address 10.1.0.100/32 dev lo", "8 a add route default"},
			summary: "Plan: 2 to add, 4 to change, 0 to destroy on 1 node.",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster()
			c.prepare(t, cl)
			p := plan.Build(topologyName, cl.inputs(t, cl.wants(t, c.text), c.destroy))
			if d := cmp.Diff(c.want, shown(p)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.summary, p.Summary()); d != "" {
				t.Error(d)
			}
		})
	}
}

// keepsDR are the actions of a dr real server that should give everything back, all held
// back for the reason why. Their IDs begin at id.
func keepsDR(node string, id int, why string) []string {
	var list []string
	for i, what := range []string{
		"remove route default", "remove address 10.1.0.100/32 dev lo",
		"change sysctl net.ipv4.conf.all.arp_announce", "change sysctl net.ipv4.conf.all.arp_ignore",
		"change sysctl net.ipv4.conf.lo.arp_announce", "change sysctl net.ipv4.conf.lo.arp_ignore",
	} {
		list = append(list, fmt.Sprintf("%d %s %s: %s", id+i, node, what, why))
	}
	return list
}

// twoDirectors has two directors, each with a service of one real server.
const twoDirectors = `
lvsctl { name = "web" }
director "one" {
  interface "eth0" { address = "10.1.0.2/24" }
}
director "two" {
  interface "eth0" { address = "10.1.0.3/24" }
}
real_server "a" {
  interface "eth0" { address = "10.1.0.11/24" }
}
real_server "b" {
  interface "eth0" { address = "10.1.0.12/24" }
}
virtual_server "one" {
  director     = "one"
  vip          = "10.1.0.101"
  port         = 80
  mode         = "dr"
  real_servers = ["a"]
}
virtual_server "two" {
  director     = "two"
  vip          = "10.1.0.102"
  port         = 80
  mode         = "dr"
  real_servers = ["b"]
}
`

// TestNeeds checks what actions need of other nodes: a new entry needs the real server's
// Ready actions, and a real server's Clear actions need the removal of the entry.
func TestNeeds(t *testing.T) {
	c := newCluster()
	c.bring(t, onLAN("dr", "rr", "a"))
	p := plan.Build(topologyName, c.inputs(t, c.wants(t, onLAN("dr", "rr", "b")), false))
	want := []string{
		"1 b change sysctl net.ipv4.conf.all.arp_announce",
		"2 b change sysctl net.ipv4.conf.all.arp_ignore",
		"3 b change sysctl net.ipv4.conf.lo.arp_announce",
		"4 b change sysctl net.ipv4.conf.lo.arp_ignore",
		"5 b add address 10.1.0.100/32 dev lo",
		"6 b add route default",
		"7 lvs add server tcp 10.1.0.100:80 -> 10.1.0.12:80 needs [6]",
		"8 lvs remove server tcp 10.1.0.100:80 -> 10.1.0.11:80",
		"9 a remove route default needs [8]",
		"10 a remove address 10.1.0.100/32 dev lo",
		"11 a change sysctl net.ipv4.conf.all.arp_announce",
		"12 a change sysctl net.ipv4.conf.all.arp_ignore",
		"13 a change sysctl net.ipv4.conf.lo.arp_announce",
		"14 a change sysctl net.ipv4.conf.lo.arp_ignore",
	}
	if d := cmp.Diff(want, shown(p)); d != "" {
		t.Error(d)
	}
}

// TestSummary checks the last line of a plan, which scripts read.
func TestSummary(t *testing.T) {
	one := onLAN("", "")
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, c *cluster)
		text    string
		want    string
	}{
		{"nothing to do", func(t *testing.T, c *cluster) {}, one, "No changes. All 4 nodes match the topology."},
		{"nothing to do on the only one", func(t *testing.T, c *cluster) {
			c.leftOut["a"], c.leftOut["b"], c.leftOut["gw"] = true, true, true
		}, one, "No changes. The node matches the topology."},
		{"nothing to do where it could be seen", func(t *testing.T, c *cluster) { c.lost["a"] = true }, one, "No changes on the 3 nodes that could be planned. 1 node could not be read."},
		{"nobody answers", func(t *testing.T, c *cluster) {
			for _, n := range []string{"lvs", "gw", "a", "b"} {
				c.lost[n] = true
			}
		}, one, "Nothing could be planned. 4 nodes could not be read."},
		{"one that cannot be changed, and one that does not answer", func(t *testing.T, c *cluster) {
			c.wants(t, one)
			c.exec(t, "a", "ip -4 addr del 10.1.0.11/24 dev eth0")
			c.lost["b"] = true
		}, one, "No changes on the 2 nodes that could be planned. 1 node could not be read. 1 node cannot be changed."},
		{"everything", func(t *testing.T, c *cluster) {}, onLAN("dr", "rr", "a", "b"), "Plan: 9 to add, 11 to change, 0 to destroy on 4 nodes."},
		{"something goes", func(t *testing.T, c *cluster) { c.bring(t, onLAN("dr", "rr", "a", "b")) }, onLAN("dr", "rr", "a"), "Plan: 0 to add, 4 to change, 3 to destroy on 2 nodes."},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster()
			c.prepare(t, cl)
			p := plan.Build(topologyName, cl.inputs(t, cl.wants(t, c.text), false))
			if d := cmp.Diff(c.want, p.Summary()); d != "" {
				t.Error(d)
			}
		})
	}
}

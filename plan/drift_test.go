package plan_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// drift is what has drifted of a cluster, as a person reads it.
func (c *cluster) drift(t *testing.T, text string) (lines []string, doc plan.Document) {
	t.Helper()
	return c.driftOf(c.inputs(t, c.wants(t, text), false))
}

func (c *cluster) driftOf(inputs []plan.Input) (lines []string, doc plan.Document) {
	doc = plan.DriftDocument([]plan.DriftOf{{
		Path: ".", Name: topologyName,
		Nodes: plan.FindDrift(plan.Build(topologyName, inputs), inputs),
	}})
	for _, l := range doc.Lines(plan.Detail{}) {
		lines = append(lines, strings.Join(strings.Fields(l.Text), " "))
	}
	return append(lines, doc.Summary.Text), doc
}

// TestDriftOfOrphans: a node whose block is gone is compared with what was applied to it
// as long as it has something of the topology.
func TestDriftOfOrphans(t *testing.T) {
	both := onLAN("dr", "rr", "a", "b")
	one := without(onLAN("dr", "rr", "a"), "b")
	for _, c := range []struct {
		name string
		by   func(t *testing.T, c *cluster)
		want []string
	}{
		{"nothing has changed", nil, []string{
			"# real_server b (10.1.0.12), no longer in the topology", "what it has of this topology is not given back yet",
			"No drift. All 4 nodes are as last applied. Not applied yet: 7 changes.",
		}},
		{"somebody changed it", func(t *testing.T, c *cluster) {
			c.exec(t, "b", "0 > /proc/sys/net/ipv4/conf/all/arp_ignore")
		}, []string{
			"# real_server b (10.1.0.12), no longer in the topology",
			"~ sysctl net.ipv4.conf.all.arp_ignore 0 -> 1 (changed)", "what it has of this topology is not given back yet",
			"Drift: 0 gone, 1 changed, 0 added on 1 node. Not applied yet: 6 changes.",
		}},
		{"it has nothing any more", func(t *testing.T, c *cluster) { c.records["b"] = state.NewRecord(topologyName) }, []string{
			"# real_server b (10.1.0.12), no longer in the topology", "it has nothing of this topology any more",
			"No drift. All 4 nodes are as last applied. Not applied yet: 1 change.",
		}},
		{"it is out of reach", func(t *testing.T, c *cluster) { c.lost["b"] = true }, []string{
			"# real_server b (10.1.0.12), no longer in the topology", "! could not be read; whether it has drifted is not known",
			"No drift on the 3 nodes that were compared. 1 node could not be read. Not applied yet: 1 change.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster()
			cl.bring(t, both)
			if c.by != nil {
				c.by(t, cl)
			}
			have, doc := cl.driftOf(cl.withOrphans(t, both, one, false))
			if d := cmp.Diff(c.want, have); d != "" {
				t.Errorf("-want +have:\n%s", d)
			}
			if last := doc.Nodes[len(doc.Nodes)-1]; !last.Orphan || last.Name != "b" || last.File != "" {
				t.Errorf("the last node of the document: %+v", last)
			}
		})
	}
}

// TestDrift tells what somebody did to the nodes from what the topology wants anew.
func TestDrift(t *testing.T) {
	const server = "tcp 10.1.0.100:80 -> 10.1.0.11:80"
	both, one := onLAN("dr", "rr", "a", "b"), onLAN("dr", "rr", "a")
	for _, c := range []struct {
		name    string
		applied string
		by      func(t *testing.T, c *cluster)
		now     string
		want    []string
	}{
		{"never applied", "", nil, one, []string{
			"Nothing to compare. Never applied: 4 nodes. Not applied yet: 13 changes.",
		}},
		{"nothing", both, nil, both, []string{
			"No drift. All 4 nodes are as last applied.",
		}},
		{"one is new", one, nil, both, []string{
			"No drift on the 3 nodes that were compared. Never applied: 1 node. Not applied yet: 7 changes.",
		}},
		{"wanted anew", both, nil, strings.Replace(one, `"rr"`, `"wlc"`, 1), []string{
			"No drift. All 4 nodes are as last applied. Not applied yet: 8 changes.",
		}},
		{"weight, server, VIP, parameter", both, func(t *testing.T, c *cluster) {
			c.exec(t, "lvs", "ipvsadm -e -t 10.1.0.100:80 -r 10.1.0.11:80 -g -w 9")
			c.exec(t, "lvs", "ipvsadm -d -t 10.1.0.100:80 -r 10.1.0.12:80")
			c.exec(t, "lvs", "ipvsadm -a -t 10.1.0.100:80 -r 10.1.0.99:80 -g -w 1")
			c.exec(t, "lvs", "ipvsadm -A -t 192.0.2.7:443 -s rr")
			c.exec(t, "a", "0 > /proc/sys/net/ipv4/conf/all/arp_ignore")
			c.exec(t, "b", "ip -4 addr del 10.1.0.100/32 dev lo")
		}, both, []string{
			"# director lvs (10.1.0.2)",
			"~ server " + server + " dr weight 9 -> dr weight 1 (changed)",
			"+ server tcp 10.1.0.100:80 -> 10.1.0.12:80 dr weight 1 (gone)",
			"- server tcp 10.1.0.100:80 -> 10.1.0.99:80 dr weight 1 (added)",
			"",
			"# real_server a (10.1.0.11)",
			"~ sysctl net.ipv4.conf.all.arp_ignore 0 -> 1 (changed)",
			"",
			"# real_server b (10.1.0.12)",
			"+ address 10.1.0.100/32 dev lo (gone)",
			"Drift: 2 gone, 2 changed, 1 added on 3 nodes.",
		}},
		{"an entry that the topology changes too", both, func(t *testing.T, c *cluster) {
			c.exec(t, "lvs", "ipvsadm -E -t 10.1.0.100:80 -s lc")
		}, strings.Replace(both, `"rr"`, `"wlc"`, 1), []string{
			"# director lvs (10.1.0.2)",
			"~ service tcp 10.1.0.100:80 lc -> rr (changed)",
			"Drift: 0 gone, 1 changed, 0 added on 1 node. Not applied yet: 1 change.",
		}},
		{"what the topology wants now was done by hand", both, func(t *testing.T, c *cluster) {
			c.exec(t, "lvs", "ipvsadm -E -t 10.1.0.100:80 -s wlc")
		}, strings.Replace(both, `"rr"`, `"wlc"`, 1), []string{
			"# director lvs (10.1.0.2)",
			"~ service tcp 10.1.0.100:80 wlc -> rr (changed)",
			"Drift: 0 gone, 1 changed, 0 added on 1 node.",
		}},
		{"what the topology gives up was removed by hand", both, func(t *testing.T, c *cluster) {
			c.exec(t, "lvs", "ipvsadm -d -t 10.1.0.100:80 -r 10.1.0.12:80")
			for _, key := range []string{"all/arp_announce", "all/arp_ignore", "lo/arp_announce", "lo/arp_ignore"} {
				c.exec(t, "b", "0 > /proc/sys/net/ipv4/conf/"+key)
			}
			c.exec(t, "b", "ip -4 addr del 10.1.0.100/32 dev lo")
			c.exec(t, "b", "ip -4 route del default via 10.1.0.1 dev eth0")
		}, one, []string{
			"# director lvs (10.1.0.2)",
			"+ server tcp 10.1.0.100:80 -> 10.1.0.12:80 dr weight 1 (gone)",
			"",
			"# real_server b (10.1.0.12)",
			"~ sysctl net.ipv4.conf.all.arp_announce 0 -> 2 (changed)",
			"~ sysctl net.ipv4.conf.all.arp_ignore 0 -> 1 (changed)",
			"~ sysctl net.ipv4.conf.lo.arp_announce 0 -> 2 (changed)",
			"~ sysctl net.ipv4.conf.lo.arp_ignore 0 -> 1 (changed)",
			"+ address 10.1.0.100/32 dev lo (gone)",
			"+ route default via 10.1.0.1 dev eth0 (gone)",
			"Drift: 3 gone, 4 changed, 0 added on 2 nodes.",
		}},
		{"a VIP where it draws the clients away", both, func(t *testing.T, c *cluster) {
			c.exec(t, "a", "ip -4 addr add 10.1.0.100/32 dev eth0")
		}, both, []string{
			"# real_server a (10.1.0.11)",
			"! it has the VIP 10.1.0.100 on eth0 and tells the neighbours so, beside lvs, which holds the service: clients come here instead. Take it off the node and out of its boot files: ip addr del 10.1.0.100/32 dev eth0",
			"Drift: 0 gone, 0 changed, 0 added on 1 node. 1 node cannot be put back.",
		}},
		{"a node that cannot be changed", both, func(t *testing.T, c *cluster) {
			c.exec(t, "lvs", "ipvsadm -E -t 10.1.0.100:80 -s lc")
		}, strings.Replace(both, `"rr"`, `"fo"`, 1), []string{
			"# director lvs (10.1.0.2)",
			"~ service tcp 10.1.0.100:80 lc -> rr (changed)",
			"Drift: 0 gone, 1 changed, 0 added on 1 node. Cannot be applied: 1 node.",
		}},
		{"a node is lost", both, func(t *testing.T, c *cluster) { c.lost["b"] = true }, both, []string{
			"# real_server b (10.1.0.12)",
			"! could not be read; whether it has drifted is not known",
			"No drift on the 3 nodes that were compared. 1 node could not be read.",
		}},
		{"a node is left out", both, func(t *testing.T, c *cluster) {
			c.exec(t, "lvs", "ipvsadm -E -t 10.1.0.100:80 -s wlc")
			c.leftOut["lvs"] = true
		}, both, []string{
			"No drift. All 3 nodes are as last applied.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster()
			if c.applied != "" {
				cl.bring(t, c.applied)
			}
			if c.by != nil {
				c.by(t, cl)
			}
			if have, _ := cl.drift(t, c.now); cmp.Diff(c.want, have) != "" {
				t.Error(cmp.Diff(c.want, have))
			}
		})
	}
}

// TestNoDriftAfterApply: whatever was applied, in whatever mode, boot files included,
// has not drifted; and putting drift back leaves none.
func TestNoDriftAfterApply(t *testing.T) {
	for _, mode := range []string{"nat", "dr", "tun", "fullnat"} {
		t.Run(mode, func(t *testing.T) {
			c := newCluster()
			c.persists = true
			text := onLAN(mode, "wrr", "a", "b")
			c.bring(t, text)
			if lines, doc := c.drift(t, text); doc.Summary.Nodes+doc.Summary.Pending > 0 {
				t.Fatalf("after an apply:\n%s", strings.Join(lines, "\n"))
			}
			c.exec(t, "lvs", "ipvsadm -D -t 10.1.0.100:80")
			c.exec(t, "lvs", "ipvsadm -A -t 10.1.0.100:80 -s rr")
			delete(c.hosts["lvs"].Files, "/etc/ipvsadm.rules")
			_, doc := c.drift(t, text)
			if doc.Summary.Nodes != 1 || doc.Summary.Add != 3 || doc.Summary.Change != 1 {
				t.Errorf("the table was made anew by hand: %+v", doc.Summary)
			}
			inputs := c.inputs(t, c.wants(t, text), false)
			for _, n := range plan.FindDrift(plan.Build(topologyName, inputs), inputs) {
				for _, a := range n.Differences {
					for _, command := range a.Do {
						if err := c.hosts[n.Name].Exec(command); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			if lines, doc := c.drift(t, text); doc.Summary.Nodes > 0 {
				t.Errorf("it was put back:\n%s", strings.Join(lines, "\n"))
			}
		})
	}
}

// TestDriftOfAnExclusiveDirector: a virtual service that comes to a director which is
// the topology's alone is drift, once the topology was applied as that.
func TestDriftOfAnExclusiveDirector(t *testing.T) {
	shared := onLAN("dr", "rr", "a")
	alone := strings.Replace(shared, `director "lvs" {`, `director "lvs" { `+"\n  exclusive = true", 1)
	c := newCluster()
	c.bring(t, shared)
	c.exec(t, "lvs", "ipvsadm -A -t 192.0.2.7:443 -s rr")
	if have, _ := c.drift(t, alone); len(have) != 1 || have[0] != "No drift on the 3 nodes that were compared. Never applied: 1 node. Not applied yet: 1 change." {
		t.Errorf("before it is applied: %q", have)
	}
	c.bring(t, alone)
	c.exec(t, "lvs", "ipvsadm -A -t 192.0.2.7:443 -s rr")
	want := "- service tcp 192.0.2.7:443 rr (added)"
	if have, _ := c.drift(t, alone); len(have) != 3 || have[1] != want {
		t.Errorf("afterwards: %q", have)
	}
}

// TestDriftOfDrained: a real server that a person or the topology keeps new connections
// from has not drifted, and is shown.
func TestDriftOfDrained(t *testing.T) {
	c := newCluster()
	text := strings.Replace(onLAN("dr", "rr", "a", "b"), `real_server "b" {`, "real_server \"b\" {\n  maintenance = true", 1)
	c.bring(t, text)
	r := c.records["lvs"]
	r.Drained = map[string]state.Drained{"a": {Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.11")}, By: "kai@desk", Since: time.Unix(1e9, 0)}}
	c.records["lvs"] = r
	c.bring(t, text)
	want := []string{
		"drained on lvs: a, by kai@desk since 2001-09-09 01:46 UTC",
		"in maintenance on lvs: b, by the topology",
		"No drift. All 4 nodes are as last applied.",
	}
	if have, _ := c.drift(t, text); cmp.Diff(want, have) != "" {
		t.Error(cmp.Diff(want, have))
	}
	c.exec(t, "lvs", "ipvsadm -e -t 10.1.0.100:80 -r 10.1.0.11:80 -g -w 1")
	if _, doc := c.drift(t, text); doc.Summary.Change != 1 {
		t.Errorf("a drained real server gets connections again: %+v", doc.Summary)
	}
}

// TestDriftOfSeveral tells nodes of one name apart, and says what is not known.
func TestDriftOfSeveral(t *testing.T) {
	node := func(problems ...string) []plan.NodeDrift {
		return []plan.NodeDrift{{Name: "lvs", Role: "director", Address: "10.1.0.2", Trouble: problems}}
	}
	doc := plan.DriftDocument([]plan.DriftOf{
		{Path: "clusters/a", Name: "a", Nodes: node()},
		{Path: "clusters/b", Name: "b", Nodes: node("it stands on its head")},
		{Path: "clusters/c", Err: fmt.Errorf("no such file")},
	})
	var have []string
	for _, l := range doc.Lines(plan.Detail{}) {
		have = append(have, l.Text)
	}
	want := []string{
		"topology b (clusters/b)", "  # director lvs (10.1.0.2)", "  ! it stands on its head", "",
		"clusters/c", "  ! could not be looked at",
		"Drift: 0 gone, 0 changed, 0 added on 1 node. 1 node cannot be put back. Not looked at: clusters/c.",
	}
	if d := cmp.Diff(want, append(have, doc.Summary.Text)); d != "" {
		t.Error(d)
	}
}

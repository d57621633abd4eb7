package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/plan"
)

// farm is a service of n real servers, web-1 to web-n, and two directors.
func farm(n int, mode, realServer string) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf("\"%d\" = \"10.1.1.%d\"", i+1, i+1))
	}
	return fmt.Sprintf(`
lvsctl { name = "web" }
director "lvs" {
  for_each = { "1" = "10.1.0.2", "2" = "10.1.0.3" }
  interface "eth0" { address = "${each.value}/16" }
}
real_server "web" {
  for_each = { %s }
  interface "eth0" { address = "${each.value}/16" }
  %s
}
virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = %q
  directors    = ["lvs-1"]
  real_servers = ["web"]
}
`, strings.Join(members, ", "), realServer, mode)
}

// headings are the lines of a plan that name nodes.
func headings(p *plan.Plan, d plan.Detail) []string {
	var list []string
	for _, l := range p.Lines(d) {
		if l.Style == plan.Heading || strings.Contains(l.Text, "left alone") || strings.Contains(l.Text, "(its ") {
			list = append(list, l.Text)
		}
	}
	return list
}

// TestNodesAlike: nodes with the same changes are shown once, and no node that
// differs is hidden among them.
func TestNodesAlike(t *testing.T) {
	const lvs = "  # director lvs-1 (10.1.0.2)"
	for name, c := range map[string]struct {
		nodes      int
		mode, real string
		before     func(t *testing.T, c *cluster)
		detail     plan.Detail
		want       []string
	}{
		"all": {50, "dr", "", nil, plan.Detail{}, []string{
			lvs, "  # real_server web-1 ... web-50 (50 nodes, the same 8 changes)",
		}},
		"with their commands": {50, "dr", "", nil, plan.Detail{Commands: true}, []string{
			lvs, "  # real_server web-1 ... web-50 (50 nodes, the same 8 changes)",
		}},
		"each": {3, "dr", "", nil, plan.Detail{Each: true}, []string{
			lvs, "  # real_server web-1 (10.1.1.1)", "  # real_server web-2 (10.1.1.2)", "  # real_server web-3 (10.1.1.3)",
		}},
		"two": {2, "dr", "", nil, plan.Detail{}, []string{
			lvs, "  # real_server web-1, web-2 (2 nodes, the same 8 changes)",
		}},
		"one differs": {12, "dr", "", func(t *testing.T, c *cluster) {
			c.exec(t, "web-7", "2 > /proc/sys/net/ipv4/conf/all/arp_announce")
		}, plan.Detail{}, []string{
			lvs, "  # real_server web-1 ... web-6, web-8 ... web-12 (11 nodes, the same 8 changes)", "  # real_server web-7 (10.1.1.7)",
		}},
		"a file differs": {4, "dr", "", func(t *testing.T, c *cluster) {
			c.hosts["web-2"].Files["/etc/lvsctl/web.sh"] = "#!/bin/sh\nexit 0\n"
			c.hosts["web-3"].Files["/etc/lvsctl/web.sh"] = "#!/bin/sh\nexit 1\n"
		}, plan.Detail{}, []string{
			lvs, "  # real_server web-1, web-4 (2 nodes, the same 8 changes)", "  # real_server web-2 (10.1.1.2)", "  # real_server web-3 (10.1.1.3)",
		}},
		"every second": {18, "dr", "", func(t *testing.T, c *cluster) {
			for i := 2; i <= 18; i += 2 {
				c.exec(t, fmt.Sprintf("web-%d", i), "2 > /proc/sys/net/ipv4/conf/all/arp_announce")
			}
		}, plan.Detail{}, []string{
			lvs,
			"  # real_server web-1, web-3, web-5, web-7, web-9, web-11 and 3 others (9 nodes, the same 8 changes)",
			"  # real_server web-2, web-4, web-6, web-8, web-10, web-12 and 3 others (9 nodes, the same 7 changes)",
		}},
		"lost": {12, "dr", "", func(_ *testing.T, c *cluster) {
			for _, name := range []string{"web-2", "web-3", "web-4"} {
				c.lost[name] = true
			}
		}, plan.Detail{}, []string{
			lvs,
			"  # real_server web-1, web-5 ... web-12 (9 nodes, the same 8 changes)",
			"  # real_server web-2 ... web-4 (3 nodes, all alike)",
		}},
		"rules of their own": {12, "nat", `way_back = "rule"`, nil, plan.Detail{}, []string{
			lvs,
			"  # real_server web-1 ... web-12 (12 nodes, the same 7 changes)",
			"  + policy    27492 from (its address)  lookup 862",
			"    at boot lvsctl-web.service sets the rule 27492 from (its address): a rule and its routes belong together",
		}},
		"reached by name": {12, "nat", "way_back = \"rule\"\naddress = \"web-${each.key}.example\"", nil, plan.Detail{}, []string{
			lvs,
			"  # real_server web-1 ... web-12 (12 nodes, the same 7 changes)",
			"  + policy    27492 from (its address on eth0)  lookup 862",
			"    at boot lvsctl-web.service sets the rule 27492 from (its address on eth0): a rule and its routes belong together",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cl := newCluster()
			cl.persists = true
			wants := cl.wants(t, farm(c.nodes, c.mode, c.real))
			if c.before != nil {
				c.before(t, cl)
			}
			p := plan.Build(topologyName, cl.inputs(t, wants, false))
			if d := cmp.Diff(c.want, headings(p, c.detail)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestNodesAlikeLeftAlone: what is left alone on several directors is said once too.
func TestNodesAlikeLeftAlone(t *testing.T) {
	c := newCluster()
	text := strings.Replace(farm(2, "dr", ""), `["lvs-1"]`, `["lvs"]`, 1)
	c.bring(t, text)
	for _, name := range []string{"lvs-1", "lvs-2"} {
		c.exec(t, name, "ipvsadm -A -t 192.0.2.2:443 -s rr")
	}
	p := plan.Build(topologyName, c.inputs(t, c.wants(t, text), false))
	want := []string{"  left alone on lvs-1, lvs-2: tcp 192.0.2.2:443 (0 servers), not in this topology"}
	if d := cmp.Diff(want, headings(p, plan.Detail{})); d != "" {
		t.Error(d)
	}
}

// Package examples_test takes every example through a lab: real kernels, real
// IPVS, real sshd, real requests.
package examples_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// example is what an example promises.
type example struct {
	name  string
	hosts []string // all that lvsctl configures
	// client asks url, and answers says how often each real server answers.
	client, url string
	answers     map[string]int
	// drifts are changes by hand that a plan has to find and an apply to mend.
	drifts []drift
}

type drift struct {
	name, host, script string
	// want is a line of the plan, blanks squeezed.
	want string
}

var table = []example{
	{
		name: "dr", hosts: []string{"lvs", "router", "web-1", "web-2"},
		client: "internet", url: "http://192.168.188.100/",
		answers: map[string]int{"web-1": 10, "web-2": 10},
		drifts: []drift{
			{"VIP removed", "lvs", "ip addr del 192.168.188.100/32 dev eth0", "+ address 192.168.188.100/32 dev eth0 (drift)"},
			{"weight changed", "lvs", "ipvsadm -e -t 192.168.188.100:80 -r 192.168.188.81:80 -g -w 7", "~ server tcp 192.168.188.100:80 -> 192.168.188.81:80 dr weight 7 -> dr weight 1 (drift)"},
			{"sysctl flipped", "web-1", "echo 0 > /proc/sys/net/ipv4/conf/all/arp_ignore", "~ sysctl net.ipv4.conf.all.arp_ignore 0 -> 1 (drift)"},
			{"route replaced", "web-2", "ip route replace default via 192.168.188.8", "~ route default via 192.168.188.8 dev eth0 -> via 192.168.188.200 dev eth0 (drift)"},
			{"rogue real server added", "lvs", "ipvsadm -a -t 192.168.188.100:80 -r 192.168.188.99:80 -g", "- server tcp 192.168.188.100:80 -> 192.168.188.99:80 dr weight 1 (drift)"},
		},
	},
	{
		name: "nat", hosts: []string{"lvs", "web1", "web2"},
		client: "internet", url: "http://192.168.10.100/",
		answers: map[string]int{"web1": 10, "web2": 10},
		drifts: []drift{
			{"forwarding off", "lvs", "echo 0 > /proc/sys/net/ipv4/ip_forward", "~ sysctl net.ipv4.ip_forward 0 -> 1 (drift)"},
			{"scheduler changed", "lvs", "ipvsadm -E -t 192.168.10.100:80 -s wlc", "~ service tcp 192.168.10.100:80 wlc -> rr (drift)"},
			{"real server gone", "lvs", "ipvsadm -d -t 192.168.10.100:80 -r 192.168.188.83:80", "+ server tcp 192.168.10.100:80 -> 192.168.188.83:80 nat weight 1 (drift)"},
			{"default route gone", "web1", "ip route del default", "+ route default via 192.168.188.81 dev eth0 (drift)"},
		},
	},
	{
		name: "tun", hosts: []string{"director", "router", "real-server1", "real-server2"},
		client: "client", url: "http://192.168.229.111/",
		answers: map[string]int{"real-server1": 10, "real-server2": 10},
		drifts: []drift{
			{"tunnel down", "real-server1", "ip link set tunl0 down", "~ link tunl0 down -> up (drift)"},
			{"filter strict", "real-server2", "echo 1 > /proc/sys/net/ipv4/conf/tunl0/rp_filter", "~ sysctl net.ipv4.conf.tunl0.rp_filter 1 -> 2 (drift)"},
			{"method changed", "director", "ipvsadm -e -t 192.168.229.111:80 -r 192.168.230.134:80 -g", "~ server tcp 192.168.229.111:80 -> 192.168.230.134:80 dr weight 1 -> tun weight 1 (drift)"},
			{"VIP removed", "real-server2", "ip addr del 192.168.229.111/32 dev tunl0", "+ address 192.168.229.111/32 dev tunl0 (drift)"},
		},
	},
}

func TestExamples(t *testing.T) {
	for _, e := range table {
		t.Run(e.name, func(t *testing.T) { e.test(start(t, e.name)) })
	}
}

// foreignService is someone else's, on the director, throughout.
const foreignService = "ipvsadm -A -t 192.0.2.7:443 -s wlc && ipvsadm -a -t 192.0.2.7:443 -r 192.0.2.8:443 -g -w 5 -x 100 -y 50"

func (e example) test(c *cluster) {
	before := c.snapshots(e.hosts...)
	plan := c.plan(2)
	if !strings.Contains(plan, "Plan: ") {
		c.Errorf("the plan has no summary:\n%s", plan)
	}
	for _, h := range e.hosts {
		if out := c.sh(h, "if [ -e /proc/net/ip_vs ]; then echo loaded; fi"); out != "" {
			c.Errorf("planning loaded ip_vs on %s", h)
		}
	}
	if diff := cmp.Diff(before, c.snapshots(e.hosts...)); diff != "" {
		c.Fatalf("planning changed a node (-before +after):\n%s", diff)
	}

	c.apply(0)
	c.plan(0)
	c.wantAnswers(e.client, e.url, e.answers)

	director := e.hosts[0]
	c.sh(director, foreignService)
	for _, d := range e.drifts {
		e.mend(c, d)
	}
	c.wantAnswers(e.client, e.url, e.answers)
	if out := c.plan(0); !strings.Contains(out, "left alone on "+director+": tcp 192.0.2.7:443 (1 server), not in this topology") {
		c.Errorf("a foreign service is not listed as left alone:\n%s", out)
	}

	c.destroy(0)
	after := c.snapshots(e.hosts...)
	after[director] = e.withoutForeign(c, after[director])
	if diff := cmp.Diff(before, after); diff != "" {
		c.Errorf("destroy does not give back the state before (-before +after):\n%s", diff)
	}
	c.plan(2)
}

// mend changes a node by hand, sees that a plan finds just that, and applies.
func (e example) mend(c *cluster, d drift) {
	c.Helper()
	c.sh(d.host, d.script)
	plan := c.plan(2)
	found := false
	for line := range strings.Lines(plan) {
		found = found || strings.Join(strings.Fields(line), " ") == d.want
	}
	if !found {
		c.Errorf("%s: the plan does not say %q:\n%s", d.name, d.want, plan)
	}
	c.apply(0)
	c.plan(0)
}

// withoutForeign takes the foreign service out of a snapshot, having seen that
// it is still whole.
func (e example) withoutForeign(c *cluster, shot string) string {
	c.Helper()
	for _, line := range []string{
		"-A -t 192.0.2.7:443 -s wlc\n",
		"-a -t 192.0.2.7:443 -r 192.0.2.8:443 -g -w 5\n",
		"TCP  192.0.2.7:443 wlc\n",
		"  -> 192.0.2.8:443                100        50         0          0         \n",
	} {
		if !strings.Contains(shot, line) {
			c.Errorf("the foreign service lost %q:\n%s", line, shot)
		}
		shot = strings.Replace(shot, line, "", 1)
	}
	return shot
}

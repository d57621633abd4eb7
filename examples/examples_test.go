// Package examples_test runs every example in a lab, with a real kernel, IPVS, sshd and
// requests.
package examples_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// example is what to expect of an example.
type example struct {
	name  string
	hosts []string // all hosts that lvsctl configures, a director first
	// client requests url, and answers is how often each real server answers.
	client, url string
	answers     map[string]int
	// more checks what else the example shows, while it is applied.
	more func(*cluster)
	// drifts are changes by hand that a plan must find and an apply must repair.
	drifts []drift
}

type drift struct {
	name, host, script string
	// want is a line of the plan, with single blanks.
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
	{
		name: "dr-lan", hosts: []string{"lvs-server", "real-server1", "real-server2"},
		client: "client", url: "http://192.168.246.160/",
		answers: map[string]int{"real-server1": 5, "real-server2": 5},
		more: func(c *cluster) {
			if have := c.sh("real-server2", "ping -c 1 -W 2 lvs-server"); !strings.Contains(have, "(192.168.246.166)") {
				c.Errorf("real-server2 finds lvs-server elsewhere:\n%s", have)
			}
			tour(c)
		},
	},
	{
		name: "dr-three", hosts: []string{"lvs-server", "real-server-1", "real-server-2", "real-server-3"},
		client: "client", url: "http://192.168.122.100/",
		answers: map[string]int{"real-server-1": 4, "real-server-2": 4, "real-server-3": 4},
		more:    oneIsDeleted,
	},
	{
		name: "dr-subnets", hosts: []string{"lvs", "router", "web1", "web2"},
		client: "internet", url: "http://172.16.0.100/",
		answers: map[string]int{"web1": 5, "web2": 5},
	},
	{
		name: "dr-local", hosts: []string{"director", "router", "RS1", "RS2"},
		client: "client", url: "http://192.168.31.213/",
		answers: map[string]int{"RS1": 3, "RS2": 6, "director": 6},
		more: func(c *cluster) {
			// The TTL of a packet that the router has forwarded is 63 and not 64.
			const hops = `ping -c 1 -W 2 192.168.31.213 | sed -n 's/.*ttl=\([0-9]*\).*/\1/p'`
			if have := c.sh("client", hops); have != "63\n" {
				c.Errorf("what the director answers itself arrives with a TTL of %q, not by the router", have)
			}
		},
	},
	{
		name: "dr-one-lan", hosts: []string{"director", "RealServer1", "RealServer2"},
		client: "client", url: "http://192.168.229.111/",
		answers: map[string]int{"RealServer1": 5, "RealServer2": 5},
	},
	{
		name: "nat-second-nic", hosts: []string{"lvs-server", "real-server1", "real-server2"},
		client: "client", url: "http://192.168.50.128/",
		answers: map[string]int{"real-server1": 5, "real-server2": 5},
	},
	{
		name: "nat-redis", hosts: []string{"lvs", "web1", "web2"},
		client: "internet", url: "http://192.168.10.100/",
		answers: map[string]int{"web1": 5, "web2": 5},
		more:    getHost,
	},
	{
		name: "nat-weights", hosts: []string{"director", "RS1", "RS2"},
		client: "client", url: "http://192.168.1.10/",
		answers: map[string]int{"RS1": 4, "RS2": 6},
	},
	{
		name: "nat-redirects", hosts: []string{"director", "RealServer1", "RealServer2"},
		client: "client", url: "http://192.168.1.111/",
		answers: map[string]int{"RealServer1": 5, "RealServer2": 5},
		more: func(c *cluster) {
			const redirects = "cd /proc/sys/net/ipv4/conf; cat all/send_redirects default/send_redirects eth0/send_redirects eth1/send_redirects"
			if have := c.sh("director", redirects); have != "0\n0\n0\n0\n" {
				c.Errorf("the director's send_redirects are %q", have)
			}
		},
	},
	{
		name: "fullnat", hosts: []string{"lvs-server", "router", "real-server1", "real-server2", "real-server3"},
		client: "client", url: "http://192.168.50.128/",
		answers: map[string]int{"real-server1": 4, "real-server2": 4, "real-server3": 4},
		more: func(c *cluster) {
			c.wantAnswers("neighbour", "http://192.168.50.128/", map[string]int{"real-server1": 2, "real-server2": 2, "real-server3": 2})
			if have := c.sh("client", "curl -sS -m 5 -D - -o /dev/null http://192.168.50.128/"); !strings.Contains(have, "X-Client: 192.168.24") {
				c.Errorf("a real server does not see the director as its client:\n%s", have)
			}
			if have := c.sh("real-server1", "ip route show default"); have != "" {
				c.Errorf("real-server1 has a default route: %s", have)
			}
		},
	},
	{
		name: "ha", hosts: []string{"director-1", "director-2", "router", "rs1", "rs2"},
		client: "client", url: "http://192.168.179.10/",
		answers: map[string]int{"rs1": 4, "rs2": 8},
		more: func(c *cluster) {
			directors := []string{"director-1", "director-2"}
			c.wantHolder("192.168.179.10", directors, "director-1")
			for d, have := range c.each(directors, "ipvsadm -S -n") {
				for _, server := range []string{"192.168.179.52:80 -g -w 1", "192.168.179.53:80 -g -w 2"} {
					if !strings.Contains(have, "-a -t 192.168.179.10:80 -r "+server) {
						c.Errorf("%s does not send to %s:\n%s", d, server, have)
					}
				}
			}
		},
		drifts: []drift{
			{"weight changed", "director-2", "ipvsadm -e -t 192.168.179.10:80 -r 192.168.179.53:80 -g -w 7", "~ server tcp 192.168.179.10:80 -> 192.168.179.53:80 dr weight 7 -> dr weight 2 (drift)"},
			{"scheduler changed", "director-1", "ipvsadm -E -t 192.168.179.10:80 -s rr", "~ service tcp 192.168.179.10:80 rr -> wrr (drift)"},
			{"file edited", "director-2", "sed -i 's/priority 90/priority 91/' /etc/keepalived/keepalived.conf", "~ config /etc/keepalived/keepalived.conf mode 0600, changed (drift)"},
		},
	},
	{
		name: "schedulers", hosts: []string{"director", "RS1", "RS2"},
		client: "client", url: "http://192.168.179.10/",
		answers: map[string]int{"RS1": 6, "RS2": 6},
		more: func(c *cluster) {
			c.apply(0, "--var", "scheduler=wrr")
			c.wantAnswers("client", "http://192.168.179.10/", map[string]int{"RS1": 4, "RS2": 8})
			c.apply(0, "--var", "scheduler=sh")
			if have := c.ask("client", "http://192.168.179.10/", 6); len(have) != 1 {
				c.Errorf("source hashing sends one client to several real servers: %v", have)
			}
		},
	},
}

// getHost asks Redis through the VIP for the host's name. With wlc the share of each server
// is not exact, but both of them answer.
func getHost(c *cluster) {
	const asks = "command -v redis-cli >/dev/null || exit 0; for i in 1 2 3 4; do redis-cli -h 192.168.10.100 get host; done"
	have := map[string]int{}
	for line := range strings.Lines(c.sh("internet", asks)) {
		have[strings.TrimSpace(line)]++
	}
	if len(have) == 0 {
		c.Log("Redis is left out: redis-cli is not installed")
		return
	}
	if have["web1"]+have["web2"] != 4 || len(have) != 2 {
		c.Errorf("get host is answered by %v", have)
	}
}

func TestExamples(t *testing.T) {
	var names []string
	for _, e := range table {
		names = append(names, e.name)
	}
	clusters := startAll(t, names, besideOthers)
	// All clusters share a kernel, and what one apply loads is there for all. So the plans
	// that must not load anything are made before the first apply.
	before := make([]map[string]string, len(table))
	for n, e := range table {
		t.Run(e.name+" planned", func(t *testing.T) { before[n] = e.planned(clusters[n].in(t)) })
	}
	for n, e := range table {
		t.Run(e.name, func(t *testing.T) { e.test(clusters[n].in(t), before[n]) })
		if e.name == "dr-lan" {
			t.Run("a real server down", func(t *testing.T) { realServerDown(clusters[n].in(t)) })
		}
	}
}

// foreignService makes a service that is not the topology's on the director.
const foreignService = "ipvsadm -A -t 192.0.2.7:443 -s wlc && ipvsadm -a -t 192.0.2.7:443 -r 192.0.2.8:443 -g -w 5 -x 100 -y 50"

// planned makes the first plan and checks that it has changed nothing on the nodes. It
// returns their snapshots.
func (e example) planned(c *cluster) map[string]string {
	before := c.each(e.hosts, snapshot)
	if plan := c.plan(2); !strings.Contains(plan, "Plan: ") {
		c.Errorf("the plan has no summary:\n%s", plan)
	}
	for h, out := range c.each(e.hosts, "if [ -e /proc/net/ip_vs ]; then echo loaded; fi") {
		if out != "" {
			c.Errorf("planning loaded ip_vs on %s", h)
		}
	}
	if diff := cmp.Diff(before, c.each(e.hosts, snapshot)); diff != "" {
		c.Fatalf("planning changed a node (-before +after):\n%s", diff)
	}
	return before
}

// test applies the example and destroys it. Then the nodes are as before.
func (e example) test(c *cluster, before map[string]string) {
	c.apply(0)
	c.plan(0)
	c.wantAnswers(e.client, e.url, e.answers)
	c.imported(0, e.hosts...)
	if e.name == "dr-lan" {
		c.importedByHand(e.hosts...)
	}
	if e.more != nil {
		e.more(c)
	}
	if e.drifts != nil {
		c.sh(e.hosts[0], foreignService)
		e.drift(c)
	}

	c.destroy(0)
	after := c.each(e.hosts, snapshot)
	if e.drifts != nil {
		after[e.hosts[0]] = e.withoutForeign(c, after[e.hosts[0]])
		c.plan(2)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		c.Errorf("destroy does not give back the state before (-before +after):\n%s", diff)
	}
}

// drift makes the changes by hand. A plan must find each, and an apply must repair them. The
// foreign service on the director must stay as it is.
func (e example) drift(c *cluster) {
	c.Helper()
	if out := c.lvsctl(0, "drift", "--lab", c.topology); !strings.HasPrefix(out, "No drift. All ") {
		c.Errorf("before anything has drifted:\n%s", out)
	}
	for _, d := range e.drifts {
		c.sh(d.host, d.script)
	}
	plan := words(c.plan(2))
	drift := words(c.lvsctl(2, "drift", "--lab", c.topology))
	for _, d := range e.drifts {
		if !plan[d.want] {
			c.Errorf("%s: the plan does not say %q:\n%v", d.name, d.want, plan)
		}
		want, since := strings.TrimSuffix(d.want, "(drift)"), map[byte]string{'+': "(gone)", '~': "(changed)", '-': "(added)"}
		if want += since[want[0]]; !drift[want] {
			c.Errorf("%s: drift does not say %q:\n%v", d.name, want, drift)
		}
	}
	c.apply(0)
	c.wantAnswers(e.client, e.url, e.answers)
	if out := c.plan(0); !strings.Contains(out, "left alone on "+e.hosts[0]+": tcp 192.0.2.7:443 (1 server), not in this topology") {
		c.Errorf("a foreign service is not listed as left alone:\n%s", out)
	}
}

// words returns the lines of a text, with single blanks.
func words(text string) map[string]bool {
	lines := map[string]bool{}
	for line := range strings.Lines(text) {
		lines[strings.Join(strings.Fields(line), " ")] = true
	}
	return lines
}

// withoutForeign removes the foreign service from a snapshot, and checks that it was
// unchanged.
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

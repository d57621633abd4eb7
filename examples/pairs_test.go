package examples_test

import "strings"

// pairs has two instances between two directors, and every mode.
var pairs = feature{
	name:  "pairs",
	hosts: []string{"d-1", "d-2", "web-1", "web-2", "inner-1", "inner-2"}, client: "client",
	requests: pairsRequests,
	more:     pairsFailOver,
	spoil:    "ipvsadm -e -t 10.9.0.100:80 -r 10.8.0.11:80 -m -w 1 -x 9",
	found: []string{
		"~ server tcp 10.9.0.100:80 -> 10.8.0.11:80 nat weight 1 upper 9 -> nat weight 1 (drift)",
	},
}

var pairsRequests = []request{
	{to: "http://10.9.0.100/", answers: map[string]int{"inner-1": 2, "inner-2": 2}, from: "10.9.0.10"},
	{to: "http://10.9.0.101/", answers: map[string]int{"inner-1": 2, "inner-2": 2}},
	{to: "http://10.9.0.102/", answers: map[string]int{"web-1": 2, "web-2": 2}, from: "10.9.0.10"},
	{to: "http://[2001:db8:9::100]/", answers: map[string]int{"web-1": 2, "web-2": 2}},
	{to: "http://10.9.0.110/", answers: map[string]int{"web-1": 2, "web-2": 2}},
	{to: "http://10.9.0.111/", answers: map[string]int{"web-1": 2, "web-2": 2}},
	{to: "http://10.9.0.111:8443/", answers: map[string]int{"web-1": 2, "web-2": 2}},
	{to: "udp 10.9.0.112 53", answers: map[string]int{"web-1": 2, "web-2": 2}},
}

// pairsFailOver looks who has what, ends keepalived on d-1 in good order, has d-2 serve
// everything, and brings d-1 back.
func pairsFailOver(c *cluster) {
	both := []string{"d-1", "d-2"}
	one := []string{"10.9.0.100", "10.9.0.101", "10.9.0.102", "10.8.0.254", "2001:db8:9::100"}
	two := []string{"10.9.0.110", "10.9.0.111", "10.9.0.112"}
	for _, addr := range one {
		c.wantHolder(addr, both, "d-1")
	}
	for _, addr := range two {
		if have := c.holders(addr, both); len(have) != 1 {
			c.Errorf("%s is on %v", addr, have)
		}
	}
	// The master of instance two sends what the other receives.
	master := c.holders(two[0], both)[0]
	for d, have := range c.each(both, "ipvsadm -L --daemon") {
		want := "backup sync daemon (mcast=eth0, syncid=52"
		if d == master {
			want = "master sync daemon (mcast=eth0, syncid=52"
		}
		if !strings.Contains(have, want) {
			c.Errorf("%s has no %s:\n%s", d, want, have)
		}
	}

	c.sh("d-1", "kill $(cat /run/keepalived.pid)")
	for _, addr := range append(one, two...) {
		c.await("d-2", "it takes over "+addr, "ip -o addr show to "+addr+" | grep -q 'eth[01]'", 20)
	}
	feature{client: "client", requests: pairsRequests}.answered(c)
	c.plan(2)
	c.apply(0)
	c.plan(0)
	for _, addr := range one {
		c.wantHolder(addr, both, "d-1")
	}
	for _, addr := range two {
		c.wantHolder(addr, both, "d-2") // without preempt
	}
}

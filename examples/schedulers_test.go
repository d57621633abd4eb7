package examples_test

import (
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// vips are the VIPs of the services of testdata/schedulers. The real servers one, two and
// three have these weights, and none has 0.
var vips = map[string]string{
	"rr": "10.1.0.101", "wrr": "10.1.0.102", "lc": "10.1.0.103", "wlc": "10.1.0.104", "lblc": "10.1.0.105", "lblcr": "10.1.0.106",
	"dh": "10.1.0.107", "sh": "10.1.0.108", "sed": "10.1.0.109", "nq": "10.1.0.110", "fo": "10.1.0.111", "ovf": "10.1.0.112", "mh": "10.1.0.113",
}

// everyScheduler checks that each scheduler of the lab's kernel balances as it should.
func everyScheduler(c *cluster) {
	c.missingScheduler()
	c.apply(0)
	c.plan(0)
	c.shareRequests()
	c.shareConnections()
	c.hashAddresses()
	c.failover()
	c.destroy(0)
}

// missingScheduler checks that a plan names a scheduler that the kernel does not have.
func (c *cluster) missingScheduler() {
	c.Helper()
	kernel := strings.TrimSpace(c.sh("lvs", "uname -r"))
	plan := c.plan(1, "--var", "twos=true")
	if want := "its kernel " + kernel + " has no scheduler twos (module ip_vs_twos)"; !strings.Contains(plan, want) || !strings.Contains(plan, "# director lvs") {
		c.Errorf("the plan does not say %q:\n%s", want, plan)
	}
}

// shareRequests checks the schedulers that share by the number of requests.
func (c *cluster) shareRequests() {
	c.Helper()
	for name, want := range map[string]map[string]int{
		"rr":  {"one": 4, "two": 4, "three": 4},
		"wrr": {"one": 2, "two": 4, "three": 6},
		"fo":  {"three": 6},
	} {
		c.wantAnswers("client", "http://"+vips[name]+"/", want)
	}
}

// shareConnections checks the schedulers that share by open connections. It opens six one
// after the other, and closes them when all are answered.
func (c *cluster) shareConnections() {
	c.Helper()
	for name, want := range map[string]map[string]int{
		"lc":  {"one": 2, "two": 2, "three": 2},
		"wlc": {"one": 1, "two": 2, "three": 3},
		"sed": {"one": 1, "two": 2, "three": 3},
		// A server gets connections up to its weight and one more, then the next one does.
		"ovf": {"three": 4, "two": 2},
	} {
		if diff := cmp.Diff(want, count(c.hold(vips[name], 6))); diff != "" {
			c.Errorf("%s (-want +have):\n%s", name, diff)
		}
	}
	if have := count(c.hold(vips["nq"], 3)); len(have) != 3 {
		c.Errorf("nq leaves a server idle: %v", have)
	}
	for _, name := range []string{"lblc", "lblcr"} {
		have := count(c.hold(vips[name], 3))
		if len(have) != 1 || have["none"] > 0 {
			c.Errorf("%s spreads one destination: %v", name, have)
		}
	}
}

// hold opens n connections and returns the host that answers on each.
func (c *cluster) hold(vip string, n int) []string {
	c.Helper()
	const script = `bash <<'END'
for fd in $(seq 10 $((9 + %[2]d))); do
  eval "exec $fd<>/dev/tcp/%[1]s/80"
  printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >&$fd
  while read -r -t 5 -u $fd line && [ "$line" != $'\r' ]; do :; done
  read -r -t 5 -u $fd line
  echo "$line"
done
END`
	return strings.Fields(c.sh("client", fmt.Sprintf(script, vip, n)))
}

func count(words []string) map[string]int {
	counts := map[string]int{}
	for _, w := range words {
		counts[w]++
	}
	return counts
}

// hashAddresses checks the schedulers that choose by the client's address.
func (c *cluster) hashAddresses() {
	c.Helper()
	if have := c.bySource(vips["dh"]); len(count(have)) != 1 {
		c.Errorf("dh sends one destination to several servers: %v", have)
	}
	for _, name := range []string{"sh", "mh"} {
		first := c.bySource(vips[name])
		if diff := cmp.Diff(first, c.bySource(vips[name])); diff != "" {
			c.Errorf("%s sends a source elsewhere the second time (-first +second):\n%s", name, diff)
		}
		if len(count(first)) < 2 {
			c.Errorf("%s sends all sources to one server: %v", name, first)
		}
	}
	// When a server is removed, mh moves few clients beside those of that server.
	before := c.bySource(vips["mh"])
	gone := before[0]
	c.sh("lvs", fmt.Sprintf("ipvsadm -d -t %s:80 -r %s:80", vips["mh"], map[string]string{"one": "10.1.0.11", "two": "10.1.0.12", "three": "10.1.0.13"}[gone]))
	moved := 0
	for i, who := range c.bySource(vips["mh"]) {
		switch {
		case who == gone || who == "none":
			c.Errorf("mh sends source %d to %s", i, who)
		case before[i] != gone && who != before[i]:
			moved++
		}
	}
	if moved > 3 {
		c.Errorf("mh moved %d of the sources that had nothing to do with the server that left", moved)
	}
	c.apply(0)
}

// bySource sends one request from each of the client's addresses.
func (c *cluster) bySource(vip string) []string {
	c.Helper()
	script := "curl"
	for i := range 12 {
		script += fmt.Sprintf(" --next -sS -m 5 --interface 10.1.0.%d http://%s/", 200+i, vip)
	}
	return strings.Fields(c.sh("client", script))
}

// failover checks that fo uses the server with the next weight when the first is drained.
func (c *cluster) failover() {
	c.Helper()
	c.sh("lvs", fmt.Sprintf("ipvsadm -e -t %s:80 -r 10.1.0.13:80 -g -w 0", vips["fo"]))
	c.wantAnswers("client", "http://"+vips["fo"]+"/", map[string]int{"two": 4})
	c.apply(0)
	c.wantAnswers("client", "http://"+vips["fo"]+"/", map[string]int{"three": 4})
}

package examples_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestNothingLostUnderLoad changes running clusters while a client sends requests all the
// time. None may fail, except where the plan has said that some may.
func TestNothingLostUnderLoad(t *testing.T) {
	var topologies []string
	for _, l := range loads {
		topologies = append(topologies, l.folder(t))
	}
	for n, c := range startAll(t, topologies) {
		t.Run(loads[n].name, func(t *testing.T) { loads[n].run(c.in(t)) })
	}
}

var loads = []loadTest{
	{
		name: "dr and tun",
		common: `
director "director" {
  interface "eth0" { address = "10.9.0.2/24" }
  interface "eth1" { address = "10.9.0.3/24" }
}
real_server "rs" {
  for_each = { "1" = "10.9.0.11", "2" = "10.9.0.12", "3" = "10.9.0.13" }
  interface "eth0" { address = "${each.value}/24" }
}
client "client" {
  interface "eth0" { address = "10.9.0.10/24" }
}
`,
		everything: service("http", "80", "dr", `real_servers = ["rs"]`) + service("other", "8000", "dr", `real_servers = ["rs"]`),
		target:     "10.9.0.100:80",
		steps: []loadStep{
			{"two real servers", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`), nil, nil},
			{"a real server added", service("http", "80", "dr", `real_servers = ["rs"]`), []string{"+ server tcp 10.9.0.100:80 -> 10.9.0.13:80 dr weight 1"}, nil},
			{"drained by hand", service("http", "80", "dr", `real_servers = ["rs"]`), []string{"~ server tcp 10.9.0.100:80 -> 10.9.0.12:80 dr weight 1 -> dr weight 0", "Drain complete: rs-2 has no connections left"}, drainAndBack("rs-2")},
			{"drained and removed", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]
  drain = "10s"`), []string{"- server tcp 10.9.0.100:80 -> 10.9.0.13:80 dr weight 1"}, nil},
			{"weights changed", service("http", "80", "dr", `real_servers = { "rs-1" = 1, "rs-2" = 3 }`), []string{"~ server tcp 10.9.0.100:80 -> 10.9.0.12:80 dr weight 1 -> dr weight 3"}, nil},
			{"scheduler changed", service("http", "80", "dr", `real_servers = { "rs-1" = 1, "rs-2" = 3 }
  scheduler = "wrr"`), []string{"~ service tcp 10.9.0.100:80 wlc -> wrr"}, nil},
			{"persistence switched on", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]
  persistence { timeout = 30 }`), []string{"~ service tcp 10.9.0.100:80 wrr -> wlc persistent 30"}, nil},
			{"persistence switched off", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`), []string{"~ service tcp 10.9.0.100:80 wlc persistent 30 -> wlc"}, nil},
			{"DR to TUN", service("http", "80", "tun", `real_servers = ["rs-1", "rs-2"]`), []string{"~ server tcp 10.9.0.100:80 -> 10.9.0.11:80 dr weight 1 -> tun weight 1"}, nil},
			{"TUN to DR", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`), []string{"~ server tcp 10.9.0.100:80 -> 10.9.0.11:80 tun weight 1 -> dr weight 1"}, nil},
			{"a second service added", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`) + service("other", "8000", "dr", `real_servers = ["rs-1", "rs-2"]`), []string{"+ service tcp 10.9.0.100:8000 wlc"}, nil},
			{"the second service removed", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]`), []string{"- service tcp 10.9.0.100:8000 wlc"}, nil},
			{"the VIP moved to another device", service("http", "80", "dr", `real_servers = ["rs-1", "rs-2"]
  interface = "eth1"`), []string{"+ address 10.9.0.100/32 dev eth1"}, nil},
			{"hashed and persistent", service("http", "80", "dr", hashed), []string{"~ service tcp 10.9.0.100:80 wlc -> sh persistent 600"}, nil},
			{"drained by hand where clients stick", service("http", "80", "dr", hashed), []string{
				"~ sysctl net.ipv4.vs.expire_quiescent_template 0 -> 1",
				"~ service tcp 10.9.0.100:80 sh persistent 600 -> sh (sh-fallback) persistent 600",
			}, drainWhoServes},
		},
	},
	{
		name: "nat",
		common: `
director "director" {
  interface "eth0" { address = "10.8.0.1/24" }
  interface "eth1" { address = "10.9.0.1/24" }
}
real_server "rs" {
  for_each = { "1" = "10.8.0.11", "2" = "10.8.0.12" }
  interface "eth0" { address = "${each.value}/24" }
}
client "client" {
  interface "eth0" { address = "10.9.0.10/24" }
}
`,
		everything: natService("8080") + service("other", "8000", "nat", `real_server "rs-1" { port = 8081 }
  real_server "rs-2" { port = 8081 }`),
		target: "10.9.0.100:80",
		steps: []loadStep{
			{"port 8080", natService("8080"), nil, nil},
			{"port 8081", natService("8081"), []string{"- server tcp 10.9.0.100:80 -> 10.8.0.11:8080 nat weight 1"}, nil},
		},
	},
	behindRouter(),
}

// behindRouter changes the route of the real servers' replies in each step.
func behindRouter() loadTest {
	way := func(was, via string) []string {
		return []string{
			"~ route default via " + was + " dev eth0 -> via " + via + " dev eth0",
		}
	}
	services := func(mode string) string { return service("http", "80", mode, `real_servers = ["rs"]`) }
	return loadTest{
		name: "behind a router",
		common: `
director "director" {
  gateway = "10.9.0.254"
  interface "eth0" { address = "10.9.0.2/24" }
}
router "router" {
  interface "eth0" { address = "10.9.0.254/24" }
  interface "eth1" { address = "10.7.0.254/24" }
}
real_server "rs" {
  for_each = { "1" = "10.9.0.11", "2" = "10.9.0.12" }
  interface "eth0" { address = "${each.value}/24" }
}
client "client" {
  interface "eth0" { address = "10.7.0.10/24" }
}
`,
		everything: services("nat"),
		target:     "10.9.0.100:80",
		steps: []loadStep{
			{"NAT", services("nat"), nil, nil},
			{"NAT to DR", services("dr"), way("10.9.0.2", "10.9.0.254"), nil},
			{"DR to NAT", services("nat"), way("10.9.0.254", "10.9.0.2"), nil},
			{"NAT to TUN", services("tun"), way("10.9.0.2", "10.9.0.254"), nil},
			{"TUN to NAT", services("nat"), way("10.9.0.254", "10.9.0.2"), nil},
		},
	}
}

func service(name, port, mode, rest string) string {
	return `
virtual_server "` + name + `" {
  vip  = "10.9.0.100"
  port = ` + port + `
  mode = "` + mode + `"
  ` + rest + `
}
`
}

func natService(port string) string {
	return service("http", "80", "nat", `drain = "10s"
  real_server "rs-1" { port = `+port+` }
  real_server "rs-2" { port = `+port+` }`)
}

// loadRate is how many requests the client sends per second.
const loadRate = 80

// fewPorts makes the client use each of its ports again after 15 s, so that its connections
// meet those that a director remembers although they are closed.
const fewPorts = "echo 20000 21199 >/proc/sys/net/ipv4/ip_local_port_range"

// manyPorts is the kernel's default.
const manyPorts = "echo 32768 60999 >/proc/sys/net/ipv4/ip_local_port_range"

// loadTest is a cluster and the steps that change it under load.
type loadTest struct {
	name, common string
	// everything is a topology with all listeners that the steps use.
	everything string
	target     string
	steps      []loadStep
}

type loadStep struct {
	name, services string
	// want are lines of the step's plan, or how they begin, blanks squeezed; the
	// first step brings the cluster up and is not asked yet.
	want []string
	// do is what is done, and returns what is said of it; nil for an apply.
	do func(*cluster) string
}

// hashed is a service that always sends a client to the same real server.
const hashed = `real_servers = ["rs-1", "rs-2"]
  interface = "eth1"
  scheduler = "sh"
  persistence { timeout = 600 }`

// drainAndBack drains a real server, sees that nobody gets there, and ends it.
func drainAndBack(node string) func(*cluster) string {
	return func(c *cluster) string {
		out := c.lvsctl(0, "drain", "--lab", "--wait", "60s", c.topology, node)
		if plan := c.plan(0); !strings.Contains(plan, "drained on director: "+node+", by ") {
			c.Errorf("the plan does not say that %s is drained:\n%s", node, plan)
		}
		// From ports that are new to the director: where clients persist, a port that is
		// used again within two minutes meets its old entry (is_new_conn_expected in
		// net/netfilter/ipvs/ip_vs_core.c).
		c.sh("client", "echo 40000 60999 >/proc/sys/net/ipv4/ip_local_port_range")
		if have := c.ask("client", "http://10.9.0.100/", 6); have[node] > 0 {
			c.Errorf("%s is drained and answers: %v", node, have)
		}
		c.sh("client", fewPorts)
		return out + c.lvsctl(0, "undrain", "--lab", c.topology, node)
	}
}

// drainWhoServes drains the real server that the client is sent to.
func drainWhoServes(c *cluster) string {
	for node := range c.ask("client", "http://10.9.0.100/", 1) {
		return drainAndBack(node)(c)
	}
	return ""
}

// folder is a folder with the topology from which the lab is made.
func (l loadTest) folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), strings.ReplaceAll(l.name, " ", "-"))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	writeTopology(t, dir, l.common+l.everything)
	return dir
}

func (l loadTest) run(c *cluster) {
	t := c.T
	write := func(services string) { writeTopology(t, c.topology, l.common+services) }
	write(l.steps[0].services)
	c.apply(0)
	c.sh("client", fewPorts)
	for _, s := range l.steps[1:] {
		write(s.services)
		stop := c.load(l.target, loadRate)
		do := func(c *cluster) string { return c.apply(0) }
		if s.do != nil {
			do = s.do
		}
		out := do(c)
		have := stop()
		squeezed := "\n"
		for line := range strings.Lines(out) {
			squeezed += strings.Join(strings.Fields(line), " ") + "\n"
		}
		for _, want := range s.want {
			if !strings.Contains(squeezed, "\n"+want) {
				t.Errorf("%s: the plan does not say %q:\n%s", s.name, want, out)
			}
		}
		t.Logf("%s: %d requests, %d failed, %.0f a second, the slowest took %d ms, answers %v", s.name, have.Requests, have.Failures, have.Rate, have.Slowest, have.Answers)
		if have.Rate < 0.95*loadRate {
			t.Errorf("%s: %.1f requests a second are not the %d that this test promises", s.name, have.Rate, loadRate)
		}
		if have.Failures > 0 || have.Requests == 0 {
			t.Errorf("%s: %d of %d requests failed: %v", s.name, have.Failures, have.Requests, have.Errors)
			for _, host := range []string{"client", "director"} {
				t.Logf("neighbours of %s:\n%s", host, c.sh(host, "ip neigh"))
			}
			t.Logf("connections without an end:\n%s", c.sh("director", "ipvsadm -Lnc | grep -e SYN -e ESTAB | head -20; ipvsadm -Ln"))
		}
		c.plan(0)
	}
}

type loadResult struct {
	Requests, Failures int
	Errors, Answers    map[string]int
	Slowest            int64 `json:"slowest_ms"`
	Rate               float64
	First              int64 `json:"first_failed_ms"`
	Last               int64 `json:"last_failed_ms"`
}

// load begins to send so many requests a second from the client, and returns a function that
// ends that. It returns after the first request was answered or has failed.
func (c *cluster) load(target string, rate int) (stop func() loadResult) {
	c.Helper()
	cmd := exec.Command(program, "lab", "exec", c.topology, "client", "--", "/init", "lab", "load", "--rate", strconv.Itoa(rate), target)
	cmd.Dir = c.dir
	var out bytes.Buffer
	cmd.Stdout = &out
	stdin, err := cmd.StdinPipe()
	if err != nil {
		c.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		c.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	said := bufio.NewReader(stderr)
	if line, err := said.ReadString('\n'); line != "begun\n" {
		rest, _ := io.ReadAll(said) // further output
		c.Fatalf("the client does not begin: %v\n%s%s", err, line, rest)
	}
	return func() loadResult {
		c.Helper()
		_ = stdin.Close()
		rest, err := io.ReadAll(said)
		if err = errors.Join(err, cmd.Wait()); err != nil {
			c.Fatalf("the client failed: %v\n%s", err, rest)
		}
		var r loadResult
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			c.Fatalf("cannot read what the client counted: %v\n%s", err, out.String())
		}
		return r
	}
}

package examples_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A pair is a cluster of two directors, d1 and d2, that run keepalived; two real servers,
// rs-1 and rs-2; and a client on their LAN. Tests write its topology anew for each step.
type pair struct{ *cluster }

const (
	// pairRate is how many requests the client sends per second: enough to meet any gap, and
	// little work for the machine.
	pairRate = 25

	pairVIP      = "10.9.0.100"
	pairPassword = "secret"
	pairTarget   = pairVIP + ":80"
	pairURL      = "http://" + pairVIP + "/"
)

var pairDirectors = []string{"d1", "d2"}

// pairHosts are the hosts of a pair. DIRECTOR stands for attributes of both directors.
const pairHosts = `
director "d1" {
  DIRECTOR
  interface "eth0" { addresses = ["10.9.0.2/24", "2001:db8:9::2/64"] }
}
director "d2" {
  DIRECTOR
  interface "eth0" { addresses = ["10.9.0.3/24", "2001:db8:9::3/64"] }
}
real_server "rs" {
  for_each = { "1" = 11, "2" = 12 }
  interface "eth0" { addresses = ["10.9.0.${each.value}/24", "2001:db8:9::${each.value}/64"] }
}
client "client" {
  interface "eth0" { addresses = ["10.9.0.10/24", "2001:db8:9::10/64"] }
}
`

// pairInstance is a vrrp_instance with more attributes. A backup waits 9.7 s: the hosts
// share a machine, and when that stands still for some seconds, nobody shall take the
// master for dead.
func pairInstance(more string) string {
	return `
vrrp_instance "pair" {
  directors         = ["d1", "d2"]
  interface         = "eth0"
  virtual_router_id = 51
  auth_pass         = "` + pairPassword + `"
  advert_int        = "3s"
  ` + more + `
}
`
}

// pairService is a service of both directors. A server that is silent is out after 12 s,
// and a busy machine is not taken for a silent one.
func pairService(name, port, rest string) string {
	return service(name, port, "dr", `directors    = ["d1", "d2"]
  sorry_server = "127.0.0.1"
  health_check {
    tcp {}
    interval = "1s"
    timeout  = "3s"
    retries  = 2
  }
  `+rest)
}

// pairPlain is the topology that most tests begin with.
var pairPlain = pairHosts + pairInstance("") + pairService("http", "80", `real_servers = ["rs"]`)

// startPair brings the hosts up; nothing is applied. The client uses few ports, so that
// what a director remembers of closed connections is met at once.
func startPair(t *testing.T) pair {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pair")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p := pair{&cluster{T: t, topology: dir}}
	p.write(pairPlain + pairService("other", "8000", `real_servers = ["rs"]`))
	p.cluster = start(t, dir, besideOthers)
	p.passwords = []string{pairPassword, "hunter2"}
	p.write(pairPlain)
	p.sh("client", fewPorts)
	for _, d := range pairDirectors {
		p.sh(d, "ip -t monitor address >/root/monitor 2>&1 </dev/null &")
	}
	return p
}

// in is the pair for a subtest.
func (p pair) in(t *testing.T) pair { return pair{p.cluster.in(t)} }

// write makes a text the pair's topology.
func (p pair) write(text string) {
	p.Helper()
	writeTopology(p.T, p.topology, strings.ReplaceAll(text, "DIRECTOR", ""))
}

// holders are the directors that answer for an address.
func (c *cluster) holders(addr string, among []string) []string {
	c.Helper()
	var list []string
	for d, have := range c.each(among, "ip -o addr show to "+addr+" | grep -v ': lo ' || :") {
		if have != "" {
			list = append(list, d)
		}
	}
	slices.Sort(list)
	return list
}

// wantHolder sees that one director has an address, and no other.
func (c *cluster) wantHolder(addr string, among []string, want string) {
	c.Helper()
	if d := cmp.Diff([]string{want}, c.holders(addr, among)); d != "" {
		c.Errorf("%s is not where it should be (-want +have):\n%s", addr, d)
	}
}

// await waits on a host until a command succeeds, and fails after some seconds.
func (c *cluster) await(host, what, command string, seconds int) {
	c.Helper()
	loop := fmt.Sprintf("n=0; until { %s; }; do n=$((n + 1)); [ $n -lt %d ] || exit 1; sleep 0.2; done", command, 5*seconds)
	if _, err := c.shell(host, loop); err != nil {
		c.Fatalf("%s: not within %d s: %s\n%s", host, seconds, what, c.sh(host, "ip -o addr show; ipvsadm -S -n"))
	}
}

// under does steps while the client asks without pause, and returns what it counted.
func (c *cluster) under(target string, steps func()) loadResult {
	c.Helper()
	stop := c.load(target, pairRate)
	steps()
	have := stop()
	c.Logf("%d requests, %d failed, %.0f a second, the slowest took %d ms, answers %v, errors %v", have.Requests, have.Failures, have.Rate, have.Slowest, have.Answers, have.Errors)
	return have
}

// wantNoneLost does steps under load, and allows no request to fail.
func (c *cluster) wantNoneLost(target, what string, steps func()) {
	c.Helper()
	if have := c.under(target, steps); have.Failures > 0 || have.Requests == 0 {
		c.Errorf("%s: %d of %d requests failed: %v", what, have.Failures, have.Requests, have.Errors)
		for d, have := range c.each(pairDirectors, "grep -B 1 10.9.0.100 /root/monitor | tail -n 40; date; ipvsadm -Lnc | grep -c ESTAB; ipvsadm -Ln") {
			c.Logf("%s:\n%s", d, have)
		}
	}
}

// wantServed sees that the real servers answer. With wlc each one's share depends on the
// connections that there were before.
func (p pair) wantServed() {
	p.Helper()
	if have := p.ask("client", pairURL, 6); have["rs-1"]+have["rs-2"] != 6 {
		p.Errorf("answers of %s: %v", pairURL, have)
	}
}

// silent keeps a host's answers from both directors, so that their checks fail. heard ends
// that. What the host answers clients passes.
const (
	silent = "ip route add unreachable 10.9.0.2/31"
	heard  = "ip route del unreachable 10.9.0.2/31"
)

// TestPair takes one pair through its life. A step that fails leaves the pair to the next
// one, which brings it up anew.
func TestPair(t *testing.T) {
	p := startPair(t)
	for _, step := range []struct {
		name string
		run  func(pair)
	}{
		{"fresh", pairFresh},
		{"a real server drained", pairDrained},
		{"failed over", pairFailedOver},
		{"real servers down", pairDown},
		{"adverts dropped", pairDeaf},
		{"changed under load", pairChanged},
		{"another password under load", pairNewPassword},
		{"keepalived killed", pairKilled},
		{"lvsctl killed between the reloads", pairCutOff},
		{"keepalived killed by its reload", pairKilledByReload},
		{"two applies at once", pairTwoAtOnce},
		{"cut off and back", pairCutCable},
		{"destroyed", pairDestroyed},
		{"by hand and back", pairByHand},
		{"somebody's keepalived", pairForeign},
	} {
		t.Run(step.name, func(t *testing.T) { step.run(p.in(t)) })
	}
}

// bring makes the pair as pairPlain says, whatever became of it before.
func (p pair) bring() {
	p.Helper()
	p.write(pairPlain)
	p.apply(0)
}

func pairFresh(p pair) {
	p.bring()
	p.plan(0)
	p.wantHolder(pairVIP, pairDirectors, "d1")
	p.wantAnswers("client", pairURL, map[string]int{"rs-1": 5, "rs-2": 5})
	for d, have := range p.each(pairDirectors, "ipvsadm -S -n; stat -c %a /etc/keepalived/keepalived.conf; cat /var/lib/lvsctl/pair.json") {
		for _, want := range []string{"-a -t 10.9.0.100:80 -r 10.9.0.11:80 -g -w 1", "-a -t 10.9.0.100:80 -r 10.9.0.12:80 -g -w 1", "\n600\n"} {
			if !strings.Contains(have, want) {
				p.Errorf("%s has no %q:\n%s", d, want, have)
			}
		}
		if strings.Contains(have, pairPassword) {
			p.Errorf("the record of %s has the password", d)
		}
	}
	p.plan(0, "-v", "--commands", "--json")
}

// pairDrained drains a real server: keepalived's file has its weight too, so that neither a
// reload nor a check that succeeds again brings it back.
func pairDrained(p pair) {
	const weight = "ipvsadm -S -n | grep -q -e '-r 10.9.0.11:80 -g -w %s$'"
	everywhere := func(w string) {
		for _, d := range pairDirectors {
			p.await(d, "rs-1 has weight "+w, strings.Replace(weight, "%s", w, 1), 30)
		}
	}
	if out := p.lvsctl(0, "drain", "--lab", p.topology, "rs-1"); !strings.Contains(out, "Drain complete: rs-1 has no connections left") {
		p.Errorf("drain says\n%s", out)
	}
	if out := p.plan(0); strings.Count(out, "drained on d1, d2: rs-1, by ") != 1 {
		p.Errorf("the plan does not say that rs-1 is drained:\n%s", out)
	}
	everywhere("0")
	p.each(pairDirectors, "kill -HUP $(cat /run/keepalived.pid)")
	p.sh("rs-1", silent)
	for _, d := range pairDirectors {
		p.await(d, "rs-1 is out", "! ipvsadm -S -n | grep -q 10.9.0.11:80", 60)
	}
	p.sh("rs-1", heard)
	everywhere("0")
	p.plan(0)
	p.wantAnswers("client", pairURL, map[string]int{"rs-2": 6})

	// What the topology wants of keepalived beside is not done along with a drain.
	p.write(pairHosts + pairInstance("") + pairService("http", "80", `real_servers = { "rs-1" = 1, "rs-2" = 7 }`))
	if stdout, stderr, code := p.run("undrain", "--lab", p.topology, "rs-1"); code != 1 || !strings.Contains(stdout, "run lvsctl apply first") {
		p.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	p.write(pairPlain)
	p.lvsctl(0, "undrain", "--lab", p.topology, "rs-1")
	everywhere("1")
	p.plan(0)
	// wlc: rs-2 has had all connections meanwhile.
	p.wantAnswers("client", pairURL, map[string]int{"rs-1": 6})
	p.wantHolder(pairVIP, pairDirectors, "d1")
}

// pairFailedOver has d2 take over, and d1 again, while the client asks. With preempt the
// priorities stay exchanged meanwhile; without they are the topology's at once.
func pairFailedOver(p pair) {
	p.bring()
	failover := func(want string, args ...string) {
		p.wantNoneLost(pairTarget, "a failover", func() {
			if out := p.lvsctl(0, append([]string{"failover", "--lab", p.topology, "pair"}, args...)...); !strings.Contains(out, want) {
				p.Errorf("it does not say %q:\n%s", want, out)
			}
		})
	}
	state := func(holder, d1, d2 string, says bool) {
		p.wantHolder(pairVIP, pairDirectors, holder)
		if out := p.plan(0); strings.Contains(out, "failed over on d1, d2: pair to d2, by ") != says {
			p.Errorf("the plan says that it is failed over: want %v\n%s", says, out)
		}
		have := p.each(pairDirectors, "grep -o -e 'priority .*' -e nopreempt /etc/keepalived/keepalived.conf | tr '\\n' ' '; iptables -S INPUT | grep SYN || :")
		if d := cmp.Diff(map[string]string{"d1": d1, "d2": d2}, have); d != "" {
			p.Errorf("what is in the files (-want +have):\n%s", d)
		}
	}
	if out := p.lvsctl(0, "failover", "--lab", p.topology, "pair", "--dry-run"); !strings.Contains(out, "Failover possible: pair goes from d1 to d2, and stays there until") {
		p.Errorf("a dry run says\n%s", out)
	}
	p.wantHolder(pairVIP, pairDirectors, "d1")
	failover("Failover complete: pair is on d2, and stays there until 'lvsctl failover pair --to d1'.")
	p.each(pairDirectors, "kill -HUP $(cat /run/keepalived.pid)")
	state("d2", "priority 90 ", "priority 100 ", true)
	failover("Failover complete: pair is on d1.", "--to", "d1")
	state("d1", "priority 100 ", "priority 90 ", false)

	p.write(strings.Replace(pairPlain, "= 51", "= 51\n  preempt = false", 1))
	p.apply(0)
	failover("Failover complete: pair is on d2, and the priorities are the topology's.")
	state("d2", "priority 100 nopreempt ", "priority 90 nopreempt ", false)

	p.sh("d1", "echo '# by hand' >>/etc/keepalived/keepalived.conf")
	stdout, stderr, code := p.run("failover", "--lab", p.topology, "pair")
	if code != 1 || !strings.Contains(stderr, "vrrp_instance pair cannot go to d1 now; nothing was changed") {
		p.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	p.wantHolder(pairVIP, pairDirectors, "d2")
}

// pairDown takes the real servers out, first one, then both.
func pairDown(p pair) {
	p.bring()
	const gone = "! ipvsadm -S -n | grep -q 10.9.0.1%s:80"
	without := func(n string) {
		for _, d := range pairDirectors {
			p.await(d, "rs-"+n+" is out", strings.Replace(gone, "%s", n, 1), 60)
		}
	}
	p.sh("rs-1", silent)
	without("1")
	if out := p.plan(0); !strings.Contains(out, "down: tcp 10.9.0.100:80 -> 10.9.0.11:80") {
		p.Errorf("the plan does not say that rs-1 is down:\n%s", out)
	}
	p.wantAnswers("client", pairURL, map[string]int{"rs-2": 4})
	p.sh("rs-2", silent)
	without("2")
	p.plan(0)
	p.wantAnswers("client", pairURL, map[string]int{"d1": 4})
	p.each([]string{"rs-1", "rs-2"}, heard)
	for _, d := range pairDirectors {
		p.await(d, "both are back", "[ $(ipvsadm -S -n | grep -c '10.9.0.1[12]:80') = 2 ] && ! ipvsadm -S -n | grep -q 127.0.0.1", 60)
	}
	p.plan(0)
}

// pairDeaf drops the adverts: both directors hold the VIP then, and no change of either is
// let through until they hear each other again.
func pairDeaf(p pair) {
	p.bring()
	const drop, pass = "iptables -I INPUT -p 112 -j DROP", "iptables -D INPUT -p 112 -j DROP"
	p.sh("d2", drop)
	p.await("d2", "it has the VIP too", "ip -o addr show to 10.9.0.100 | grep -q eth0", 60)
	if out := p.plan(0); !strings.Contains(out, "! split brain: 10.9.0.100 of vrrp_instance pair is on d1 and d2") {
		p.Errorf("the plan does not name the split:\n%s", out)
	}
	p.write(pairHosts + pairInstance("") + pairService("http", "80", `real_servers = { "rs-1" = 1, "rs-2" = 2 }`))
	stdout, stderr, code := p.run("apply", "--lab", "--auto-approve", p.topology)
	if code != 4 || !strings.Contains(stderr, "they do not hear each other") {
		p.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	p.sh("d2", pass)
	p.await("d2", "it has given the VIP back", "! ip -o addr show to 10.9.0.100 | grep -q eth0", 60)
	p.write(pairPlain)
	p.plan(0)
	p.wantHolder(pairVIP, pairDirectors, "d1")
}

// pairChanged changes what keepalived edits, and what it does not, while the client asks.
func pairChanged(p pair) {
	p.bring()
	step := func(name, text string) {
		p.write(text)
		p.wantNoneLost(pairTarget, name, func() { p.apply(0) })
		p.plan(0)
		p.wantHolder(pairVIP, pairDirectors, "d1")
	}
	step("weights, scheduler and thresholds", pairHosts+pairInstance("")+pairService("http", "80", `scheduler = "wrr"
  real_server "rs-1" { weight = 3 }
  real_server "rs-2" {
    upper_threshold = 1000
    lower_threshold = 900
  }`))
	step("a second service and VIP", pairPlain+strings.Replace(pairService("other", "8000", `real_servers = ["rs"]`), "10.9.0.100", "10.9.0.101", 1))
	p.wantHolder("10.9.0.101", pairDirectors, "d1")
	step("back", pairPlain)
}

// pairKilled kills the master's keepalived at one blow: its VIP stays, and the backup has
// it too.
func pairKilled(p pair) {
	p.bring()
	p.sh("d1", "kill -STOP $(cat /run/keepalived.pid); kill -9 $(cat /run/vrrp.pid) $(cat /run/checkers.pid) $(cat /run/keepalived.pid)")
	p.await("d2", "it takes over", "ip -o addr show to 10.9.0.100 | grep -q eth0", 60)
	out := p.plan(2)
	for _, want := range []string{
		"! split brain: 10.9.0.100 of vrrp_instance pair is on d1 and d2; keepalived does not run on d1, and something left the address there",
		"! warning: keepalived does not run any more; it left 10.9.0.100 behind, which another director may hold too",
		"+ daemon    keepalived",
	} {
		if !strings.Contains(out, want) {
			p.Errorf("the plan does not say %q:\n%s", want, out)
		}
	}
	p.apply(0)
	p.plan(0)
	p.wantHolder(pairVIP, pairDirectors, "d1")
}

func pairDestroyed(p pair) {
	p.bring()
	p.destroy(0)
	for d, have := range p.each(pairDirectors, "ip -o addr show; ipvsadm -S -n; find /etc/keepalived /var/lib/lvsctl /run/*.pid 2>/dev/null || :") {
		for _, left := range []string{pairVIP, "-A", "keepalived.conf", ".json", "keepalived.pid"} {
			if strings.Contains(have, left) {
				p.Errorf("%s is left on %s:\n%s", left, d, have)
			}
		}
	}
	p.plan(2)
}

// pairByHand takes over what was set by hand on d1, with a VIP of the LAN's prefix length
// and a label, and gives it back.
func pairByHand(p pair) {
	p.write(pairPlain)
	p.destroy(0)
	const real = "for i in all lo; do echo 1 >/proc/sys/net/ipv4/conf/$i/arp_ignore; echo 2 >/proc/sys/net/ipv4/conf/$i/arp_announce; done; ip addr add 10.9.0.100/32 dev lo"
	p.each([]string{"rs-1", "rs-2"}, real)
	p.sh("d1", `ipvsadm -A -t 10.9.0.100:80 -s wlc
for rip in 10.9.0.11 10.9.0.12; do ipvsadm -a -t 10.9.0.100:80 -r $rip -g; done
ip addr add 10.9.0.100/24 dev eth0 label eth0:9; arping -q -c 1 -A -I eth0 10.9.0.100 || :`)
	p.wantServed()
	hosts := append([]string{"rs-1", "rs-2"}, pairDirectors...)
	const look = "{ " + snapshot + "} | awk '$1 == \"->\" { print $1, $2, $3, $4; next } { print }'" // without numbers of connections
	before := p.each(hosts, look)
	p.write(pairPlain)
	p.wantNoneLost(pairTarget, "taken over", func() { p.apply(0) })
	p.plan(0)
	p.wantHolder(pairVIP, pairDirectors, "d1")
	p.wantNoneLost(pairTarget, "given back", func() { p.destroy(0) })
	if d := cmp.Diff(before, p.each(hosts, look)); d != "" {
		p.Errorf("destroy does not give back the state before (-before +after):\n%s", d)
	}
	p.sh("d1", "ip addr del 10.9.0.100/24 dev eth0; ipvsadm -D -t 10.9.0.100:80")
	p.each([]string{"rs-1", "rs-2"}, "ip addr del 10.9.0.100/32 dev lo; for i in all lo; do echo 0 >/proc/sys/net/ipv4/conf/$i/arp_ignore; echo 0 >/proc/sys/net/ipv4/conf/$i/arp_announce; done")
}

// pairForeign takes over a keepalived that somebody else runs on d1, and gives it back.
func pairForeign(p pair) {
	p.write(pairPlain)
	p.destroy(0)
	const file = `# Written by hand, without a newline at its end
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 51
  priority 150
  authentication {
    auth_type PASS
    auth_pass hidden
  }
  virtual_ipaddress {
    10.9.0.77/32 dev eth0
  }
}
vrrp_instance VI_2 {
  interface eth0
  virtual_router_id 52
  priority 150
  virtual_ipaddress {
    10.9.0.78/32 dev eth0
  }
}`
	p.sh("d1", "cat >/etc/keepalived/keepalived.conf <<'END'\n"+file+"\nEND\ntruncate -s -1 /etc/keepalived/keepalived.conf; chmod 640 /etc/keepalived/keepalived.conf; /etc/init.d/keepalived start")
	p.await("d1", "it has its address", "ip -o addr show to 10.9.0.77 | grep -q eth0", 60)
	const look = "md5sum /etc/keepalived/*; stat -c %a /etc/keepalived/keepalived.conf; cat /run/keepalived.pid"
	before := p.sh("d1", look)
	p.write(pairPlain)
	out := p.plan(2, "-v")
	for _, want := range []string{"somebody else wrote this file", "what ends with it: vrrp_instance VI_2", "-vrrp_instance VI_1 {", "(sensitive)"} {
		if !strings.Contains(out, want) {
			p.Errorf("the plan does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "hidden") {
		p.Errorf("the plan shows somebody's password:\n%s", out)
	}
	p.apply(0)
	p.plan(0)
	p.wantHolder(pairVIP, pairDirectors, "d1")
	p.destroy(0)
	p.await("d1", "it has its address again", "ip -o addr show to 10.9.0.77 | grep -q eth0", 60)
	if d := cmp.Diff(before, p.sh("d1", look)); d != "" {
		p.Errorf("somebody's keepalived is not as it was (-before +after):\n%s", d)
	}
	p.sh("d1", "/etc/init.d/keepalived stop; rm /etc/keepalived/keepalived.conf")
}

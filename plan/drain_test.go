package plan_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// drainable is a service of two real servers on a director, with more of its own and
// of each real server's.
func drainable(service, a string) string {
	return fmt.Sprintf(`
lvsctl { name = "web" }
director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
}
real_server "a" {
  interface "eth0" { address = "10.1.0.11/24" }
  %s
}
real_server "b" {
  interface "eth0" { address = "10.1.0.12/24" }
}
virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "dr"
  real_servers = { a = 2, b = 3 }
  %s
}
`, a, service)
}

// drainCluster has a director that knows every scheduler.
func drainCluster() *cluster {
	c := newCluster()
	facts := live.Facts{Kernel: "6.1.0", Root: true, Schedulers: map[string]bool{}}
	for _, s := range []string{"rr", "wlc", "wrr", "sh", "mh", "dh"} {
		facts.Schedulers[s] = true
	}
	c.facts["lvs"] = facts
	return c
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// drain is an order to drain nodes of drainable.
func drain(nodes ...string) state.DrainOrder {
	o := state.DrainOrder{Drain: map[string]state.Drained{}}
	for _, n := range nodes {
		o.Drain[n] = state.Drained{
			Addresses: []netip.Addr{netip.MustParseAddr(map[string]string{"a": "10.1.0.11", "b": "10.1.0.12"}[n])},
			By:        "ops@laptop", Since: noon,
		}
	}
	return o
}

func undrain(nodes ...string) state.DrainOrder { return state.DrainOrder{Undrain: nodes} }

// order plans an order, carries it out, and remembers it.
func (c *cluster) order(t *testing.T, text string, o state.DrainOrder) *plan.Plan {
	t.Helper()
	inputs := c.inputs(t, c.wants(t, text), false)
	p := plan.Drain(topologyName, inputs, o)
	c.apply(t, p, func(*plan.Action) {})
	c.confirm(t, p, inputs)
	return p
}

// said are the lines of a plan, blanks squeezed.
func said(p *plan.Plan) []string {
	var list []string
	for _, l := range p.Lines(plan.Detail{}) {
		if text := strings.Join(strings.Fields(l.Text), " "); text != "" {
			list = append(list, text)
		}
	}
	return list
}

const (
	onA     = "tcp 10.1.0.100:80 -> 10.1.0.11:80"
	heading = "# director lvs (10.1.0.2)"
	aIsOut  = "drained on lvs: a, by ops@laptop since 2026-03-01 12:00 UTC"
)

// TestDrain drains a real server and ends it. In between a plan finds nothing to do and
// says what is drained; in the end everything is as it was.
func TestDrain(t *testing.T) {
	for name, c := range map[string]struct {
		service, a         string
		drained, undrained []string
	}{
		"weighted": {
			`scheduler = "wrr"`, "",
			[]string{
				heading,
				"~ server " + onA + " dr weight 2 -> dr weight 0",
				"~ file /etc/ipvsadm.rules 3 lines, changed",
				aIsOut,
			},
			[]string{
				heading,
				"~ server " + onA + " dr weight 0 -> dr weight 2",
				"~ file /etc/ipvsadm.rules 3 lines, changed",
			},
		},
		"persistent": {
			"scheduler = \"rr\"\npersistence { timeout = 600 }", "",
			[]string{
				heading,
				"~ sysctl net.ipv4.vs.expire_quiescent_template 0 -> 1",
				"~ server " + onA + " dr weight 2 -> dr weight 0",
				"~ file /etc/ipvsadm.rules 3 lines, changed",
				"~ file /etc/sysctl.d/zz-lvsctl.conf 1 line -> 2 lines",
				aIsOut,
			},
			[]string{
				heading,
				"~ server " + onA + " dr weight 0 -> dr weight 2",
				"~ sysctl net.ipv4.vs.expire_quiescent_template 1 -> 0",
				"~ file /etc/ipvsadm.rules 3 lines, changed",
				"~ file /etc/sysctl.d/zz-lvsctl.conf 2 lines -> 1 line",
			},
		},
		"hashed": {
			`scheduler = "sh"`, "",
			[]string{
				heading,
				"~ service tcp 10.1.0.100:80 sh -> sh (sh-fallback)",
				"~ server " + onA + " dr weight 2 -> dr weight 0",
				"~ file /etc/ipvsadm.rules 3 lines, changed",
				aIsOut,
			},
			[]string{
				heading,
				"~ server " + onA + " dr weight 0 -> dr weight 2",
				"~ service tcp 10.1.0.100:80 sh (sh-fallback) -> sh",
				"~ file /etc/ipvsadm.rules 3 lines, changed",
			},
		},
		"hashed with a fallback": {
			"scheduler = \"mh\"\nscheduler_flags = [\"mh-fallback\", \"mh-port\"]", "",
			[]string{
				heading,
				"~ server " + onA + " dr weight 2 -> dr weight 0",
				"~ file /etc/ipvsadm.rules 3 lines, changed",
				aIsOut,
			},
			[]string{
				heading,
				"~ server " + onA + " dr weight 0 -> dr weight 2",
				"~ file /etc/ipvsadm.rules 3 lines, changed",
			},
		},
		"in maintenance": {
			`scheduler = "rr"`, "maintenance = true",
			[]string{aIsOut, "in maintenance on lvs: a, by the topology"},
			[]string{
				heading,
				"! warning: " + onA + " keeps weight 0: maintenance = true in the topology",
				"in maintenance on lvs: a, by the topology",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := drainable(c.service, c.a)
			cl := drainCluster()
			cl.persists = true
			cl.bring(t, text)
			before, record := cl.hosts["lvs"].Dump(), cl.records["lvs"]

			drained := cl.order(t, text, drain("a"))
			if d := cmp.Diff(c.drained, said(drained)); d != "" {
				t.Errorf("drained: %s", d)
			}
			if refused := drained.Nodes[0].Refused; len(refused) > 0 {
				t.Errorf("it is refused: %q", refused)
			}
			cl.nothingToDo(t, text, slices.DeleteFunc(slices.Clone(c.drained), func(l string) bool {
				return !strings.Contains(l, "drained on") && !strings.Contains(l, "in maintenance")
			}))
			if again := cl.order(t, text, drain("a")); again.Count().Any() || again.Rewrites() {
				t.Errorf("drained twice: %q", said(again))
			}
			if d := cmp.Diff(c.undrained, said(cl.order(t, text, undrain("a")))); d != "" {
				t.Errorf("undrained: %s", d)
			}
			if d := cmp.Diff(before, cl.hosts["lvs"].Dump()); d != "" {
				t.Errorf("lvs is not as before: %s", d)
			}
			if d := cmp.Diff(record, cl.records["lvs"]); d != "" {
				t.Errorf("its record is not as before: %s", d)
			}
		})
	}
}

// nothingToDo plans the topology: there is nothing to do, and only the lines of want
// are said.
func (c *cluster) nothingToDo(t *testing.T, text string, want []string) {
	t.Helper()
	p := plan.Build(topologyName, c.inputs(t, c.wants(t, text), false))
	if d := cmp.Diff(want, said(p)); d != "" {
		t.Errorf("planned: %s", d)
	}
	if p.Count().Any() || p.Rewrites() {
		t.Errorf("planned: %s", p.Summary())
	}
}

// TestDrainTouchesNothingElse: what else differs on a director, and what the topology
// wants anew, is for an apply.
func TestDrainTouchesNothingElse(t *testing.T) {
	c := drainCluster()
	c.persists = true
	c.bring(t, drainable(`scheduler = "wrr"`, ""))
	c.exec(t, "lvs", "ipvsadm -e -t 10.1.0.100:80 -r 10.1.0.11:80 -i -w 7")
	c.exec(t, "lvs", "ipvsadm -a -t 10.1.0.100:80 -r 10.1.0.99:80 -g -w 1")
	c.exec(t, "lvs", "1 > /proc/sys/net/ipv4/vs/conn_reuse_mode")
	text := drainable(`scheduler = "rr"`+"\npersistence { timeout = 60 }", "")
	want := []string{
		heading,
		"~ server " + onA + " tun weight 7 -> tun weight 0",
		"~ file /etc/ipvsadm.rules 3 lines, changed",
		aIsOut,
	}
	if d := cmp.Diff(want, said(c.order(t, text, drain("a")))); d != "" {
		t.Error(d)
	}
	p := plan.Build(topologyName, c.inputs(t, c.wants(t, text), false))
	want = []string{
		heading,
		"~ sysctl net.ipv4.vs.conn_reuse_mode 1 -> 3 (drift)",
		"~ sysctl net.ipv4.vs.expire_quiescent_template 0 -> 1",
		"~ service tcp 10.1.0.100:80 wrr -> rr persistent 60",
		"~ server " + onA + " tun weight 0 -> dr weight 0 (drift)",
		"- server tcp 10.1.0.100:80 -> 10.1.0.99:80 dr weight 1 (drift)",
		"~ file /etc/ipvsadm.rules 3 lines, changed",
		"~ file /etc/sysctl.d/zz-lvsctl.conf 1 line -> 2 lines",
		aIsOut,
	}
	if d := cmp.Diff(want, said(p)); d != "" {
		t.Errorf("the plan after it: %s", d)
	}
	want = []string{
		heading,
		"~ server " + onA + " tun weight 0 -> tun weight 2",
		"~ file /etc/ipvsadm.rules 3 lines, changed",
	}
	if d := cmp.Diff(want, said(c.order(t, text, undrain("a")))); d != "" {
		t.Errorf("undrained: %s", d)
	}
}

// TestDrainOfOtherWeights: while a real server is drained the topology may change, and
// then that weight comes back.
func TestDrainOfOtherWeights(t *testing.T) {
	c := drainCluster()
	c.bring(t, drainable(`scheduler = "wrr"`, ""))
	c.order(t, drainable(`scheduler = "wrr"`, ""), drain("a"))
	text := strings.Replace(drainable(`scheduler = "wrr"`, ""), "a = 2", "a = 9", 1)
	c.nothingToDo(t, text, []string{aIsOut})
	c.exec(t, "lvs", "ipvsadm -e -t 10.1.0.100:80 -r 10.1.0.11:80 -g -w 5")
	p := plan.Build(topologyName, c.inputs(t, c.wants(t, text), false))
	want := []string{heading, "~ server " + onA + " dr weight 5 -> dr weight 0 (drift)", aIsOut}
	if d := cmp.Diff(want, said(p)); d != "" {
		t.Error(d)
	}
	want = []string{heading, "~ server " + onA + " dr weight 5 -> dr weight 0 (drift)", aIsOut}
	if d := cmp.Diff(want, said(c.order(t, text, drain("a")))); d != "" {
		t.Errorf("drained again: %s", d)
	}
	want = []string{heading, "~ server " + onA + " dr weight 0 -> dr weight 9"}
	if d := cmp.Diff(want, said(c.order(t, text, undrain("a")))); d != "" {
		t.Error(d)
	}
	c.nothingToDo(t, text, nil)
}

// TestDrainKept: who drained first, and since when, is kept; another drain joins it; a
// real server that leaves the topology is forgotten, and a destroy forgets all.
func TestDrainKept(t *testing.T) {
	c := drainCluster()
	text := drainable(`scheduler = "wrr"`, "")
	c.bring(t, text)
	c.order(t, text, drain("a"))
	later := drain("a", "b")
	for name, d := range later.Drain {
		d.By, d.Since = "other@desk", noon.Add(time.Hour)
		later.Drain[name] = d
	}
	p := c.order(t, text, later)
	want := []string{heading, "~ server tcp 10.1.0.100:80 -> 10.1.0.12:80 dr weight 3 -> dr weight 0", aIsOut, "drained on lvs: b, by other@desk since 2026-03-01 13:00 UTC"}
	if d := cmp.Diff(want, said(p)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"tcp 10.1.0.100:80 would have no real server left, and refuse every new client"}, p.Nodes[0].Refused); d != "" {
		t.Error(d)
	}
	without := strings.Replace(text, "a = 2, ", "", 1)
	c.bring(t, without)
	c.nothingToDo(t, without, []string{"drained on lvs: b, by other@desk since 2026-03-01 13:00 UTC"})
	c.bring(t, text)
	inputs := c.inputs(t, c.wants(t, text), true)
	p = plan.Build(topologyName, inputs)
	c.apply(t, p, func(*plan.Action) {})
	c.confirm(t, p, inputs)
	if r := c.records["lvs"]; !r.Empty() {
		t.Errorf("a destroy leaves %v", r)
	}
}

// TestDrainRefused: clients that nobody would serve are a danger that is said.
func TestDrainRefused(t *testing.T) {
	for name, c := range map[string]struct {
		service, kernel string
		nodes           []string
		want            []string
	}{
		"one of two":           {`scheduler = "rr"`, "6.1.0", []string{"a"}, nil},
		"both":                 {`scheduler = "rr"`, "6.1.0", []string{"a", "b"}, []string{"tcp 10.1.0.100:80 would have no real server left, and refuse every new client"}},
		"dh":                   {`scheduler = "dh"`, "6.1.0", []string{"a"}, []string{"tcp 10.1.0.100:80 would refuse the new clients that dh sends to 10.1.0.11:80"}},
		"sh":                   {`scheduler = "sh"`, "6.1.0", []string{"a"}, nil},
		"sh without fallbacks": {`scheduler = "sh"`, "3.10.0-1160.el7.x86_64", []string{"a"}, []string{"tcp 10.1.0.100:80 would refuse the new clients that sh sends to 10.1.0.11:80"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := drainable(c.service, "")
			cl := drainCluster()
			cl.bring(t, text)
			inputs := cl.inputs(t, cl.wants(t, text), false)
			for i := range inputs {
				inputs[i].Live.State.Kernel = c.kernel
			}
			p := plan.Drain(topologyName, inputs, drain(c.nodes...))
			if d := cmp.Diff(c.want, p.Nodes[0].Refused); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestDrainOfWhatWasThere: a director that nobody has applied the topology to, and that
// works as wanted all the same, is drained too, and all else of it stays its own.
func TestDrainOfWhatWasThere(t *testing.T) {
	c := drainCluster()
	c.persists = true
	text := drainable(`scheduler = "sh"`, "")
	c.bring(t, text)
	c.records["lvs"] = state.NewRecord(topologyName)
	before := c.hosts["lvs"].Dump()
	want := []string{
		heading,
		"~ service tcp 10.1.0.100:80 sh -> sh (sh-fallback)",
		"~ server " + onA + " dr weight 2 -> dr weight 0",
		aIsOut,
	}
	if d := cmp.Diff(want, said(c.order(t, text, drain("a")))); d != "" {
		t.Error(d)
	}
	want = []string{
		heading,
		"~ server " + onA + " dr weight 0 -> dr weight 2",
		"~ service tcp 10.1.0.100:80 sh (sh-fallback) -> sh",
	}
	if d := cmp.Diff(want, said(c.order(t, text, undrain("a")))); d != "" {
		t.Errorf("undrained: %s", d)
	}
	if d := cmp.Diff(before, c.hosts["lvs"].Dump()); d != "" {
		t.Error(d)
	}
}

// TestDrainCutOff: the record that an apply writes before its first change names
// nothing drained yet. A drain that dies, and whose director puts itself back, leaves
// nothing to do.
func TestDrainCutOff(t *testing.T) {
	text := drainable("scheduler = \"sh\"\npersistence { timeout = 60 }", "")
	c := drainCluster()
	c.persists = true
	c.bring(t, text)
	before := c.hosts["lvs"].Dump()
	cutOff := func(o state.DrainOrder) {
		c.records["lvs"] = plan.Drain(topologyName, c.inputs(t, c.wants(t, text), false), o).Nodes[0].Settled.Intent
	}
	cutOff(drain("a"))
	c.nothingToDo(t, text, nil)
	c.order(t, text, drain("a"))
	c.nothingToDo(t, text, []string{aIsOut})
	cutOff(undrain("a"))
	c.nothingToDo(t, text, []string{aIsOut})
	c.order(t, text, undrain("a"))
	c.nothingToDo(t, text, nil)
	if d := cmp.Diff(before, c.hosts["lvs"].Dump()); d != "" {
		t.Error(d)
	}
}

// TestDrainLost: a director that cannot be read, or not be changed, is named, and the
// others are drained.
func TestDrainLost(t *testing.T) {
	text := strings.Replace(farm(2, "dr", ""), `["lvs-1"]`, `["lvs"]`, 1)
	c := newCluster()
	c.bring(t, text)
	c.forbid("lvs-1")
	o := state.DrainOrder{Drain: map[string]state.Drained{"web-1": {Addresses: []netip.Addr{netip.MustParseAddr("10.1.1.1")}, By: "ops", Since: noon}}}
	p := c.order(t, text, o)
	if len(p.Blocked()) != 1 || p.Count().Nodes != 1 {
		t.Errorf("%q", said(p))
	}
	c.lost["lvs-1"] = true
	p = c.order(t, text, o)
	if len(p.Unreadable()) != 1 || p.Count().Any() {
		t.Errorf("%q", said(p))
	}
}

// TestMaintenance: a real server that the topology keeps new connections from has what
// a drained one has, and gives it back.
func TestMaintenance(t *testing.T) {
	const service = "scheduler = \"sh\"\npersistence { timeout = 60 }"
	c := drainCluster()
	c.bring(t, drainable(service, ""))
	before := c.hosts["lvs"].Dump()
	out := drainable(service, "maintenance = true")
	p := plan.Build(topologyName, c.inputs(t, c.wants(t, out), false))
	want := []string{
		heading,
		"~ sysctl net.ipv4.vs.expire_quiescent_template 0 -> 1",
		"~ service tcp 10.1.0.100:80 sh persistent 60 -> sh (sh-fallback) persistent 60",
		"~ server " + onA + " dr weight 2 -> dr weight 0",
		"in maintenance on lvs: a, by the topology",
	}
	if d := cmp.Diff(want, said(p)); d != "" {
		t.Error(d)
	}
	c.bring(t, out)
	c.nothingToDo(t, out, want[len(want)-1:])
	p = plan.Build(topologyName, c.inputs(t, c.wants(t, drainable(service, "")), false))
	want = []string{
		heading,
		"~ server " + onA + " dr weight 0 -> dr weight 2",
		"~ service tcp 10.1.0.100:80 sh (sh-fallback) persistent 60 -> sh persistent 60",
		"~ sysctl net.ipv4.vs.expire_quiescent_template 1 -> 0",
	}
	if d := cmp.Diff(want, said(p)); d != "" {
		t.Error(d)
	}
	c.bring(t, drainable(service, ""))
	if d := cmp.Diff(before, c.hosts["lvs"].Dump()); d != "" {
		t.Error(d)
	}
}

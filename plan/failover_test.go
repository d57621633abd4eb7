package plan_test

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

func failover(to string) plan.FailoverOrder {
	return plan.FailoverOrder{Instance: "pair", To: to, By: "ops@laptop", Since: noon}
}

// carryOut makes the directors as a plan has them. holder has the address then.
func (c *pairCluster) carryOut(t *testing.T, p *plan.Plan, holder string) {
	t.Helper()
	for _, n := range p.Nodes {
		text := n.Settled.Want.Texts[n.Settled.Want.Confs[keepalived.File].Hash].Text
		loaded, err := keepalived.Parse(keepalived.Text{Path: keepalived.File, Text: text}, func(string, string) ([]keepalived.Text, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		c.files[n.Name], c.runs[n.Name] = text, &loaded
		had := c.records[n.Name]
		c.records[n.Name] = state.Confirm(n.Settled, n.Settled.Want)
		if d := cmp.Diff(had.Set.Servers, c.records[n.Name].Set.Servers); d != "" {
			t.Errorf("%s: the record of what is no part of it has changed:\n%s", n.Name, d)
		}
		switch has := c.hosts[n.Name].Has(netip.MustParseAddr("10.1.0.100")); {
		case has && n.Name != holder:
			c.exec(t, n.Name, "ip -4 addr del 10.1.0.100/32 dev eth0")
		case !has && n.Name == holder:
			c.exec(t, n.Name, "ip -4 addr add 10.1.0.100/32 dev eth0")
		}
	}
}

// priorities are those of the file that a plan gives each director.
func priorities(p *plan.Plan) map[string]string {
	list := map[string]string{}
	for _, n := range p.Nodes {
		for line := range strings.Lines(n.Settled.Want.Texts[n.Settled.Want.Confs[keepalived.File].Hash].Text) {
			if word := strings.TrimSpace(line); strings.HasPrefix(word, "priority ") || word == "nopreempt" {
				list[n.Name] += word + ";"
			}
		}
	}
	return list
}

// TestFailover: with preempt the priorities are exchanged until a failover back, whatever
// is planned meanwhile; without, they are the topology's again after a second step.
func TestFailover(t *testing.T) {
	exchanged := map[string]string{"d1": "priority 90;", "d2": "priority 100;"}
	for _, preempts := range []bool{true, false} {
		text := plainPair
		topology := map[string]string{"d1": "priority 100;", "d2": "priority 90;"}
		if !preempts {
			text = pairOf("preempt = false\n  auth_pass = \"secret\"", `real_servers = ["a", "b"]`)
			topology = map[string]string{"d1": "priority 100;nopreempt;", "d2": "priority 90;nopreempt;"}
		}
		c := newPair()
		c.settle(t, text)
		p := plan.Failover(topologyName, c.inputs(t, text, false), failover(""))
		if have := sequence(p); have != "d2, d1 after d2" {
			t.Errorf("preempt %v: order %s", preempts, have)
		}
		if d := cmp.Diff(exchanged, priorities(p)); d != "" {
			t.Errorf("preempt %v: %s", preempts, d)
		}
		yields := func(node string) bool {
			do, undo := command(p, node)
			return strings.Contains(do, "lvsctl_yield 1.7 7 10.1.0.100 ") && !strings.Contains(undo, "lvsctl_yield")
		}
		if !yields("d1") || yields("d2") {
			t.Errorf("preempt %v: yields: d1 %v, d2 %v", preempts, yields("d1"), yields("d2"))
		}
		want := plan.Switchover{Instance: "pair", From: "d1", To: "d2", First: "d1", Kept: preempts, Settles: !preempts}
		if d := cmp.Diff(&want, p.Failover); d != "" || p.Instances[0].Master != "d2" {
			t.Errorf("preempt %v: %s, master %s", preempts, d, p.Instances[0].Master)
		}
		c.carryOut(t, p, "d2")

		if !preempts {
			o := failover("d2")
			o.Settles = true
			p = plan.Failover(topologyName, c.inputs(t, text, false), o)
			if have := sequence(p); have != "d1, d2 after d1" {
				t.Errorf("the second step's order: %s", have)
			}
			if strings.Contains(text_(p), "to whoever has the highest") || yields("d2") {
				t.Errorf("the second step moves something:\n%s", text_(p))
			}
			c.carryOut(t, p, "d2")
		} else if have := c.build(t, text); strings.Count(text_(have), "failed over on d1, d2: pair to d2, by ops@laptop since 2026-03-01 12:00 UTC") != 1 {
			t.Errorf("the plan does not say it:\n%s", text_(have))
		}
		if have := c.build(t, text); have.Count().Any() {
			t.Errorf("preempt %v: planned after it:\n%s", preempts, text_(have))
		}
		// Drains keep it too.
		d := plan.Drain(topologyName, c.inputs(t, text, false), drain("a"))
		for _, n := range d.Nodes {
			if after := state.Confirm(n.Settled, n.Settled.Want); len(after.FailedOver) != len(c.records[n.Name].FailedOver) {
				t.Errorf("preempt %v: after a drain %s has %v", preempts, n.Name, after.FailedOver)
			}
		}

		p = plan.Failover(topologyName, c.inputs(t, text, false), failover(""))
		if p.Failover.From != "d2" || p.Failover.To != "d1" || p.Failover.Kept {
			t.Errorf("preempt %v: back: %+v", preempts, p.Failover)
		}
		if preempts {
			c.carryOut(t, p, "d1")
			if d := cmp.Diff(topology, priorities(p)); d != "" {
				t.Errorf("back: %s", d)
			}
			for _, name := range []string{"d1", "d2"} {
				if f := c.records[name].FailedOver; f != nil {
					t.Errorf("%s still has %v", name, f)
				}
			}
			if have := c.build(t, text); have.Count().Any() || strings.Contains(text_(have), "failed over") {
				t.Errorf("planned after it was ended:\n%s", text_(have))
			}
		}
	}
}

// text_ is text with the nodes that are alike as one, as a person reads it.
func text_(p *plan.Plan) string {
	var b strings.Builder
	for _, l := range p.Lines(plan.Detail{}) {
		b.WriteString(strings.Join(strings.Fields(l.Text), " ") + "\n")
	}
	return b.String() + p.Summary()
}

// TestFailoverCutOff: where one director has the failover in its record and the other has
// not, a plan completes it.
func TestFailoverCutOff(t *testing.T) {
	c := newPair()
	c.settle(t, plainPair)
	p := plan.Failover(topologyName, c.inputs(t, plainPair, false), failover("d2"))
	p.Nodes = slices.DeleteFunc(p.Nodes, func(n plan.Node) bool { return n.Name == "d1" })
	c.carryOut(t, p, "")
	have := c.build(t, plainPair)
	if changes := sequence(have); changes != "d1" || priorities(have)["d1"] != "priority 90;" {
		t.Errorf("%s\n%s", changes, text(have))
	}
}

// TestFailoverRefused: what keeps a failover from being done.
func TestFailoverRefused(t *testing.T) {
	kept := func(to string) map[string]state.FailedOver {
		return map[string]state.FailedOver{"pair": {To: to, By: "ops@laptop", Since: noon}}
	}
	for name, c := range map[string]struct {
		before func(*testing.T, *pairCluster)
		change func(map[string]*plan.Input)
		text   string
		to     string
		want   string
	}{
		"nothing wrong":  {want: ""},
		"does not run":   {before: func(_ *testing.T, c *pairCluster) { delete(c.runs, "d2") }, want: "d2: keepalived does not run"},
		"in fault":       {change: func(in map[string]*plan.Input) { in["d2"].Live.Facts.Keepalived.Down = []string{"eth0"} }, want: "d2: eth0 has no carrier, so its keepalived is in fault"},
		"master's fault": {change: func(in map[string]*plan.Input) { in["d1"].Live.Facts.Keepalived.Down = []string{"eth0"} }},
		"server down": {
			before: func(t *testing.T, c *pairCluster) { c.exec(t, "d2", "ipvsadm -d -t 10.1.0.100:80 -r 10.1.0.12:80") },
			want:   "d2: tcp 10.1.0.100:80 -> 10.1.0.12:80 is down here, and up on d1",
		},
		"server down on both": {before: func(t *testing.T, c *pairCluster) {
			c.exec(t, "d1", "ipvsadm -d -t 10.1.0.100:80 -r 10.1.0.12:80")
			c.exec(t, "d2", "ipvsadm -d -t 10.1.0.100:80 -r 10.1.0.12:80")
		}},
		"another file":      {before: func(_ *testing.T, c *pairCluster) { c.files["d2"] += "# by hand\n" }, want: "d2: somebody has changed its /etc/keepalived/keepalived.conf since it was applied; run lvsctl apply first"},
		"another topology":  {text: pairOf(`auth_pass = "secret"`, `real_servers = { "a" = 1, "b" = 5 }`), want: "d1: the topology wants something else of its keepalived than was applied; run lvsctl apply first"},
		"not loaded":        {before: func(_ *testing.T, c *pairCluster) { c.runs["d2"] = changed(c.runs["d2"]) }, want: "d2: keepalived has not loaded its file; run lvsctl apply first"},
		"split brain":       {before: func(t *testing.T, c *pairCluster) { c.exec(t, "d2", "ip -4 addr add 10.1.0.100/32 dev eth0") }, want: "split brain: 10.1.0.100 of vrrp_instance pair is on d1 and d2"},
		"on none":           {before: func(t *testing.T, c *pairCluster) { c.exec(t, "d1", "ip -4 addr del 10.1.0.100/32 dev eth0") }, want: "nobody holds 10.1.0.100"},
		"does not take it":  {before: swap, to: "d1", want: "d1: it has the highest priority and does not take the addresses of vrrp_instance pair: its keepalived is in fault, or does not hear d2"},
		"an unknown record": {before: func(_ *testing.T, c *pairCluster) { c.remember("d1", kept("d7")) }},
	} {
		t.Run(name, func(t *testing.T) {
			pair := newPair()
			pair.settle(t, plainPair)
			if c.before != nil {
				c.before(t, pair)
			}
			if c.text == "" {
				c.text = plainPair
			}
			inputs := pair.inputs(t, c.text, false)
			byName := map[string]*plan.Input{}
			for i := range inputs {
				byName[inputs[i].Name] = &inputs[i]
			}
			if c.change != nil {
				c.change(byName)
			}
			p := plan.Failover(topologyName, inputs, failover(c.to))
			list := slices.Clone(p.Alarms)
			for _, n := range p.Nodes {
				for _, why := range n.Problems {
					list = append(list, n.Name+": "+why)
				}
			}
			have := strings.Join(list, "\n")
			if c.want == "" && have != "" || !strings.HasPrefix(have, c.want) {
				t.Errorf("have %q, want %q", have, c.want)
			}
			if c.want != "" && p.Alarms == nil && len(p.Actions) > 0 && p.Actions[0].Node == strings.Split(c.want, ":")[0] {
				t.Errorf("it is changed all the same: %v", p.Actions)
			}
		})
	}
}

// swap moves the address to d2, although d1 has the higher priority.
func swap(t *testing.T, c *pairCluster) {
	c.exec(t, "d1", "ip -4 addr del 10.1.0.100/32 dev eth0")
	c.exec(t, "d2", "ip -4 addr add 10.1.0.100/32 dev eth0")
}

func (c *pairCluster) remember(node string, f map[string]state.FailedOver) {
	r := c.records[node]
	r.FailedOver = maps.Clone(f)
	c.records[node] = r
}

// changed is a configuration with another priority.
func changed(c *keepalived.Config) *keepalived.Config {
	other := *c
	other.Instances = slices.Clone(c.Instances)
	other.Instances[0].Priority = 77
	return &other
}

// TestYieldsToNewOrder: where a topology names its directors in another order, an apply
// moves the addresses as a failover does.
func TestYieldsToNewOrder(t *testing.T) {
	c := newPair()
	c.settle(t, plainPair)
	p := c.build(t, strings.Replace(plainPair, `["d1", "d2"]`, `["d2", "d1"]`, 1))
	d1, undo := command(p, "d1")
	d2, _ := command(p, "d2")
	if have := sequence(p); have != "d2, d1 after d2" || !strings.Contains(d1, "lvsctl_yield 1.7 7 10.1.0.100 ") || strings.Contains(d2+undo, "lvsctl_yield") {
		t.Errorf("order %s, d1 %s undo %s, d2 %s", have, d1, undo, d2)
	}
	p = c.build(t, pairOf(`auth_pass = "secret"`, `real_servers = { "a" = 1, "b" = 5 }`))
	if d1, _ := command(p, "d1"); d1 == "" || strings.Contains(d1, "lvsctl_yield") {
		t.Errorf("a change that moves nothing: d1 %s", d1)
	}
}

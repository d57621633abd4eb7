package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
)

// without is a topology without the blocks of some nodes.
func without(text string, nodes ...string) string {
	for _, name := range nodes {
		for _, role := range []string{"director", "router", "real_server"} {
			before, rest, found := strings.Cut(text, role+" \""+name+"\" {\n")
			if found {
				_, after, _ := strings.Cut(rest, "\n}\n")
				text = before + after
			}
		}
	}
	return text
}

// withOrphans are the inputs of a topology, and those of nodes that an earlier one had.
func (c *cluster) withOrphans(t *testing.T, earlier, text string, destroy bool) []plan.Input {
	t.Helper()
	inputs := c.inputs(t, c.wants(t, text), destroy)
	have := map[string]bool{}
	for _, in := range inputs {
		have[in.Name] = true
	}
	for _, w := range c.wants(t, earlier) {
		in := survey.Input(w)
		if have[in.Name] {
			continue
		}
		in = survey.Orphan(in.Name, in.Member)
		in.Chosen = !c.leftOut[in.Name]
		if c.lost[in.Name] {
			in.Err = errLost
		} else {
			in.Live = c.read(t, in.Name)
		}
		inputs = append(inputs, in)
	}
	return inputs
}

// TestSafeWithOrphans deletes the blocks of nodes and looks at the whole cluster after
// every single action; whoever is gone from the topology is as before in the end.
func TestSafeWithOrphans(t *testing.T) {
	for mode := range map[string]bool{"nat": true, "dr": true, "tun": true} {
		earlier := onLAN(mode, "rr", "a", "b")
		for name, text := range map[string]string{
			"a real server":            without(onLAN(mode, "rr", "a"), "b"),
			"a router":                 without(onLAN(mode, "rr", "a", "b"), "gw"),
			"a real server and router": without(onLAN(mode, "wlc", "a"), "b", "gw"),
			"all real servers":         without(onLAN("", ""), "a", "b"),
		} {
			for _, destroy := range []bool{false, true} {
				t.Run(mode+", "+name, func(t *testing.T) {
					c := newCluster()
					c.wants(t, earlier)
					fresh := map[string][]string{}
					for n, h := range c.hosts {
						fresh[n] = withoutModules(h.Dump())
					}
					c.bring(t, earlier)
					inputs := c.withOrphans(t, earlier, text, destroy)
					p := plan.Build(topologyName, inputs)
					c.apply(t, p, func(done *plan.Action) { c.safe(t, done) })
					c.confirm(t, p, inputs)
					for _, in := range inputs {
						if !in.Orphan && !destroy {
							continue
						}
						if c.records[in.Name].Holds() {
							t.Errorf("%s still has something: %+v", in.Name, c.records[in.Name].Set)
						}
						if d := cmp.Diff(fresh[in.Name], withoutModules(c.hosts[in.Name].Dump())); d != "" && in.Role != "director" {
							t.Errorf("%s is not as before:\n%s", in.Name, d)
						}
					}
				})
			}
		}
	}
}

// withoutModules leaves out what a module brings, and stays.
func withoutModules(dump []string) []string {
	return slices.DeleteFunc(dump, func(line string) bool {
		return strings.HasPrefix(line, "module ") || strings.Contains(line, "tunl0")
	})
}

// TestOrphansInOrder: directors first stop sending to a node whose block is gone. One
// that is out of reach keeps nobody waiting, one that is left out does.
func TestOrphansInOrder(t *testing.T) {
	both := onLAN("dr", "rr", "a", "b")
	one := without(onLAN("dr", "rr", "a"), "b")
	clear := func(from int, why string) []string {
		list := keepsDR("b", from, why)
		for i := range list {
			list[i] = strings.TrimSuffix(list[i], ": ")
		}
		return list
	}
	needing := func(list []string, needs string) []string {
		list = slices.Clone(list)
		list[0] += needs
		return list
	}
	replaced := strings.NewReplacer(`"lvs"`, `"new"`, "10.1.0.2/", "10.1.0.3/").Replace(onLAN("nat", "rr", "a"))
	for _, c := range []struct {
		name, from, to string
		prepare        func(*cluster)
		want           []string
		summary        string
	}{
		{
			name: "a real server", from: both, to: one,
			want:    append([]string{"1 lvs remove server tcp 10.1.0.100:80 -> 10.1.0.12:80"}, needing(clear(2, ""), " needs [1]")...),
			summary: "Plan: 0 to add, 4 to change, 3 to destroy on 2 nodes.",
		},
		{
			name: "a real server that is left out", from: both, to: one,
			prepare: func(c *cluster) { c.leftOut["b"] = true },
			want:    []string{"1 lvs remove server tcp 10.1.0.100:80 -> 10.1.0.12:80"},
			summary: "Plan: 0 to add, 0 to change, 1 to destroy on 1 node.",
		},
		{
			name: "a real server that is out of reach", from: both, to: one,
			prepare: func(c *cluster) { c.lost["b"] = true },
			want:    []string{"1 lvs remove server tcp 10.1.0.100:80 -> 10.1.0.12:80"},
			summary: "Plan: 0 to add, 0 to change, 1 to destroy on 1 node. 1 node could not be read.",
		},
		{
			name: "a real server, and the director is left out", from: both, to: one,
			prepare: func(c *cluster) { c.leftOut["lvs"] = true },
			want:    clear(2, "lvs is left out"),
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 6 changes held back.",
		},
		{
			name: "a real server, and the director is out of reach", from: both, to: one,
			prepare: func(c *cluster) { c.lost["lvs"] = true },
			want:    clear(1, "lvs could not be read and may still send there"),
			summary: "Plan: 0 to add, 0 to change, 0 to destroy on 0 nodes. 6 changes held back. 1 node could not be read.",
		},
		{
			name: "the director that is dead has a successor at once", from: onLAN("nat", "rr", "a"), to: replaced,
			prepare: func(c *cluster) { c.lost["lvs"] = true },
			want: []string{
				"1 a change route default",
				"2 new add module ip_vs", "3 new change sysctl net.ipv4.ip_forward",
				"4 new change sysctl net.ipv4.conf.all.send_redirects", "5 new change sysctl net.ipv4.conf.default.send_redirects",
				"6 new change sysctl net.ipv4.conf.eth0.send_redirects", "7 new change sysctl net.ipv4.vs.conn_reuse_mode",
				"8 new add service tcp 10.1.0.100:80", "9 new add server tcp 10.1.0.100:80 -> 10.1.0.11:80 needs [1]",
				"10 new add address 10.1.0.100/32 dev eth0",
			},
			summary: "Plan: 4 to add, 6 to change, 0 to destroy on 2 nodes. 1 node could not be read.",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := newCluster()
			cl.bring(t, c.from)
			if c.prepare != nil {
				c.prepare(cl)
			}
			p := plan.Build(topologyName, cl.withOrphans(t, c.from, c.to, false))
			if d := cmp.Diff(c.want, shown(p)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.summary, p.Summary()); d != "" {
				t.Error(d)
			}
		})
	}
}

// names is what a plan has a node's record say.
func names(p *plan.Plan, node string) (others []string, rewrite bool) {
	for _, n := range p.Nodes {
		if n.Name == node {
			for i, m := range n.Members.Others {
				if m.Name != n.Members.Of[i] {
					others = append(others, m.Name+" of "+n.Members.Of[i])
				} else {
					others = append(others, m.Name)
				}
			}
			return others, n.Rewrite
		}
	}
	return nil, false
}

// TestNames is whom records name, and when they are written for that alone.
func TestNames(t *testing.T) {
	both := onLAN("dr", "rr", "a", "b")
	steady := func(t *testing.T) *cluster {
		c := newCluster()
		c.bring(t, both)
		return c
	}
	check := func(t *testing.T, p *plan.Plan, node string, rewrite bool, want ...string) {
		t.Helper()
		have, written := names(p, node)
		if d := cmp.Diff(want, have); d != "" {
			t.Errorf("%s names (-want +have):\n%s", node, d)
		}
		if written != rewrite {
			t.Errorf("%s is written for its names: %t, want %t", node, written, rewrite)
		}
	}
	build := func(inputs []plan.Input) *plan.Plan { return plan.Build(topologyName, inputs) }
	t.Run("at first", func(t *testing.T) {
		c := newCluster()
		p := build(c.inputs(t, c.wants(t, both), false))
		check(t, p, "lvs", false, "a", "b", "gw")
		check(t, p, "a", false, "lvs")
		check(t, p, "gw", false, "lvs")
	})
	t.Run("where nobody has anything", func(t *testing.T) {
		c := newCluster()
		p := build(c.inputs(t, c.wants(t, onLAN("", "")), false))
		check(t, p, "lvs", false)
		check(t, p, "a", false)
	})
	t.Run("afterwards", func(t *testing.T) {
		c := steady(t)
		p := build(c.inputs(t, c.wants(t, both), false))
		check(t, p, "lvs", false, "a", "b", "gw")
		if p.Rewrites() {
			t.Errorf("records are written with nothing to say: %+v", p.Nodes)
		}
		bare := c.records["lvs"]
		bare.Members = state.Membership{}
		kept := c.records["lvs"]
		c.records["lvs"] = bare // as an older lvsctl wrote it
		check(t, build(c.inputs(t, c.wants(t, both), false)), "lvs", true, "a", "b", "gw")
		c.records["lvs"] = kept
		if p = build(c.inputs(t, c.wants(t, strings.Replace(both, `"gw" {`, "\"gw\" {\n  ssh { port = 2222 }", 1)), false)); !p.Rewrites() {
			t.Error("nobody is told of another way to a node")
		}

		// What the topology is silent about is known until it is clean.
		one := without(onLAN("dr", "rr", "a"), "b")
		p = build(c.withOrphans(t, both, one, false))
		check(t, p, "lvs", false, "a", "b", "gw")
		check(t, p, "a", false, "lvs")
		c.lost["b"] = true
		p = build(c.withOrphans(t, both, one, false))
		check(t, p, "lvs", false, "a", "b", "gw")
		inputs := c.withOrphans(t, both, one, false)
		for i := range inputs {
			if inputs[i].Orphan {
				inputs[i].Forgotten, inputs[i].Err = true, nil
			}
		}
		p = build(inputs)
		check(t, p, "lvs", false, "a", "gw")
		if !p.Forgets() {
			t.Error("the plan does not say that it forgets b")
		}

		// A destroy of all but b leaves a record that knows of b.
		p = build(c.inputs(t, c.wants(t, both), true))
		check(t, p, "lvs", false, "a", "b", "gw")
	})
	t.Run("an orphan with nothing", func(t *testing.T) {
		c := steady(t)
		c.records["b"] = state.NewRecord(topologyName)
		p := build(c.withOrphans(t, both, without(onLAN("dr", "rr", "a"), "b"), false))
		check(t, p, "lvs", false, "a", "gw")
		lines := p.Lines(plan.Detail{})
		i := slices.IndexFunc(lines, func(l plan.Line) bool {
			return l.Text == "  # real_server b (10.1.0.12), no longer in the topology"
		})
		if i < 0 || lines[i+1].Text != "    it has nothing of this topology any more" {
			t.Errorf("the plan says:\n%v", lines)
		}
	})
	t.Run("the last director", func(t *testing.T) {
		c := steady(t)
		text := strings.NewReplacer(`"lvs"`, `"new"`, "10.1.0.2/", "10.1.0.3/").Replace(both)
		p := build(c.withOrphans(t, both, text, false))
		check(t, p, "new", false, "a", "b", "gw", "lvs")
		check(t, p, "a", true, "lvs", "new")
		check(t, p, "lvs", false, "a", "b", "gw", "new")
	})
	t.Run("a director that cannot be changed", func(t *testing.T) {
		c := newCluster()
		wants := c.wants(t, both)
		c.breakBase("lvs")
		p := build(c.inputs(t, wants, false))
		check(t, p, "lvs", false, "a", "b", "gw")
		if n := p.Nodes[0]; n.Name != "lvs" || !n.NamesOnly {
			t.Errorf("it does not learn who is changed: %+v", n)
		}
		c.forbid("lvs")
		if n := build(c.inputs(t, wants, false)).Nodes[0]; n.NamesOnly {
			t.Error("a record is to be written by somebody who may not")
		}
	})
	t.Run("no director any more", func(t *testing.T) {
		c := steady(t)
		text := without(onLAN("", ""), "lvs")
		p := build(c.withOrphans(t, both, text, false))
		check(t, p, "lvs", false, "a", "b", "gw")
		check(t, p, "a", false, "b", "gw", "lvs")
		check(t, p, "b", false, "a", "gw", "lvs")
		warned := func(p *plan.Plan) bool {
			return strings.Contains(fmt.Sprint(p.Lines(plan.Detail{})), "may be named by its record alone")
		}
		if warned(p) {
			t.Error("it warns of what it knows")
		}
		c.lost["lvs"] = true
		if p = build(c.withOrphans(t, both, text, false)); !warned(p) {
			t.Errorf("it does not say what is not known:\n%v", p.Lines(plan.Detail{}))
		}
		// Where another one knows all, nothing is lost with it.
		other := strings.NewReplacer(`"lvs"`, `"new"`, "10.1.0.2/", "10.1.0.3/").Replace(both)
		c.wants(t, other)
		knows := state.NewRecord(topologyName)
		knows.Members.Mark = "M"
		c.records["new"] = knows
		if p = build(c.withOrphans(t, both, other, false)); warned(p) {
			t.Error("it warns although another director knows all")
		}
	})
	t.Run("another topology of this name", func(t *testing.T) {
		c := steady(t)
		warned := func(text string) bool {
			for _, n := range build(c.withOrphans(t, both, text, false)).Nodes {
				if strings.Contains(fmt.Sprint(n.Warnings), "if it is another one, give one of them another name") {
					return n.Name == "lvs"
				}
			}
			return false
		}
		other := strings.NewReplacer(`"a"`, `"c"`, `"b"`, `"d"`, "10.1.0.11", "10.1.0.13", "10.1.0.12", "10.1.0.14", vip, "10.1.0.77").Replace(without(both, "gw"))
		if !warned(other) {
			t.Error("it does not say that the record may be another one's")
		}
		for name, text := range map[string]string{
			"the same":                   both,
			"another VIP":                strings.Replace(both, vip, "10.1.0.77", 1),
			"other servers of a service": strings.Replace(other, "10.1.0.77", vip, 1),
			"a server that stays":        strings.Replace(other, "10.1.0.13", "10.1.0.11", 1),
		} {
			if warned(text) {
				t.Errorf("it warns of %s", name)
			}
		}
	})
	t.Run("two names of one host", func(t *testing.T) {
		c := steady(t)
		inputs := c.withOrphans(t, both, without(onLAN("dr", "rr", "a"), "b"), false)
		for i := range inputs {
			if inputs[i].Orphan {
				alias := inputs[i].Member
				alias.Name, alias.Host = "bee", "bee"
				inputs[i].Aliases = []state.Member{alias}
			}
		}
		check(t, build(inputs), "lvs", false, "a", "b", "bee of b", "gw")
	})
}

// TestGoldenOrphans is how nodes are shown that the topology no longer has.
func TestGoldenOrphans(t *testing.T) {
	c := newCluster()
	servers := []string{"a", "b", "c", "d"}
	earlier := onLAN("dr", "rr", servers...)
	for i, name := range servers[2:] {
		earlier = strings.Replace(earlier, "virtual_server", fmt.Sprintf("real_server %q {\n  interface \"eth0\" { address = \"10.1.0.1%d/24\" }\n}\nvirtual_server", name, i+3), 1)
	}
	c.bring(t, earlier)
	c.lost["c"] = true
	inputs := c.withOrphans(t, earlier, without(onLAN("dr", "rr", "a"), "b", "gw"), false)
	for i := range inputs {
		switch in := &inputs[i]; in.Name {
		case "d":
			in.Forgotten, in.Live = true, nil
		case "gw":
			in.Live.Record = state.NewRecord(topologyName)
		case "b":
			in.Address = "10.1.0.12:2222 via bastion"
		}
	}
	checkGolden(t, "orphans", plan.Build(topologyName, inputs))
}

package plan_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// pairText is a topology of two directors that share a VIP. MORE stands for attributes of
// the vrrp_instance, SERVICE for those of the service.
const pairText = `
lvsctl { name = "web" }
director "d1" {
  interface "eth0" { address = "10.1.0.2/24" }
}
director "d2" {
  interface "eth0" { address = "10.1.0.3/24" }
}
real_server "a" {
  interface "eth0" { address = "10.1.0.11/24" }
}
real_server "b" {
  interface "eth0" { address = "10.1.0.12/24" }
}
vrrp_instance "pair" {
  directors         = ["d1", "d2"]
  interface         = "eth0"
  virtual_router_id = 51
  MORE
}
virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "dr"
  scheduler    = "wrr"
  directors    = ["d1", "d2"]
  sorry_server = "127.0.0.1"
  SERVICE
}
`

func pairOf(more, service string) string {
	return strings.NewReplacer("MORE", more, "SERVICE", service).Replace(pairText)
}

var plainPair = pairOf(`auth_pass = "secret"`, `real_servers = ["a", "b"]`)

// pairCluster is a pair whose keepalived is as some topology wants it, or not there.
type pairCluster struct {
	*cluster
	version keepalived.Version
	// runs is what each director's keepalived has loaded, files the text on its disk.
	runs  map[string]*keepalived.Config
	files map[string]string
	// pair is what else was read of d1's keepalived.
	pair live.Keepalived
}

func newPair() *pairCluster {
	return &pairCluster{cluster: newCluster(), version: keepalived.Version{2, 2, 7}, runs: map[string]*keepalived.Config{}, files: map[string]string{}}
}

// inputs are the cluster's, with what was read of keepalived.
func (c *pairCluster) inputs(t *testing.T, text string, destroy bool) []plan.Input {
	t.Helper()
	inputs := c.cluster.inputs(t, c.wants(t, text), destroy)
	for i := range inputs {
		in := &inputs[i]
		if in.Live == nil || in.Role != "director" {
			continue
		}
		k := &in.Live.Facts.Keepalived
		if in.Name == "d1" {
			*k = c.pair
		}
		k.Version, k.Installed = c.version, true
		s := in.Live.State
		s.Packages["keepalived"] = state.Package{}
		if file, there := c.files[in.Name]; there {
			hash := keepalived.Hash(file)
			s.Confs[keepalived.File] = state.Conf{Hash: hash, Mode: "0600"}
			s.Texts[hash] = live.ConfText(file)
			k.Foreign = !strings.HasPrefix(file, keepalived.Header)
			k.File, _ = keepalived.Parse(keepalived.Text{Path: keepalived.File, Text: file}, func(string, string) ([]keepalived.Text, error) { return nil, nil })
		}
		if loaded := c.runs[in.Name]; loaded != nil {
			k.Loaded = *loaded
			s.Keepalived[state.KeepalivedName] = state.Keepalived{Loaded: keepalived.Hash(keepalived.Strip(loaded.Render(c.version)))}
			s.Governed = live.Governs(*loaded)
		}
	}
	return inputs
}

// settle makes the nodes as a topology wants them, keepalived included; d1 is master.
func (c *pairCluster) settle(t *testing.T, text string) {
	t.Helper()
	inputs := c.inputs(t, text, false)
	p := plan.Build(topologyName, inputs)
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.Kind == state.KindConf || a.Kind == state.KindKeepalived || a.Kind == state.KindPackage {
			continue
		}
		for _, command := range a.Do {
			if err := c.hosts[a.Node].Exec(command); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, in := range inputs {
		if in.Keepalived != nil {
			file := in.Keepalived.Render(c.version)
			loaded, err := keepalived.Parse(keepalived.Text{Path: keepalived.File, Text: file}, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.runs[in.Name], c.files[in.Name] = &loaded, file
		}
	}
	c.exec(t, "d1", "ip -4 addr add 10.1.0.100/32 dev eth0")
	inputs = c.inputs(t, text, false)
	for i, in := range inputs {
		for _, n := range p.Nodes {
			if n.Name == in.Name {
				after := inputs[i].Live.State
				c.records[in.Name] = state.Confirm(state.Settle(after, n.Want, n.Settled.Intent, in.Exclusive), after)
			}
		}
	}
}

func (c *pairCluster) build(t *testing.T, text string) *plan.Plan {
	t.Helper()
	return plan.Build(topologyName, c.inputs(t, text, false))
}

// text is a plan as a person reads it.
func text(p *plan.Plan) string {
	var b strings.Builder
	for _, l := range p.Lines(plan.Detail{Each: true}) {
		b.WriteString(strings.Join(strings.Fields(l.Text), " ") + "\n")
	}
	return b.String() + p.Summary()
}

// sequence is the order in which directors are changed: each with the director whose
// actions it waits for.
func sequence(p *plan.Plan) string {
	node := map[int]string{}
	var list []string
	waits := map[string]string{}
	for _, a := range p.Actions {
		node[a.ID] = a.Node
		if !slices.Contains(list, a.Node) && strings.HasPrefix(a.Node, "d") {
			list = append(list, a.Node)
		}
		for _, id := range a.Needs {
			if n := node[id]; n != a.Node && strings.HasPrefix(n, "d") && strings.HasPrefix(a.Node, "d") {
				waits[a.Node] = n
			}
		}
	}
	for i, d := range list {
		if waits[d] != "" {
			list[i] = d + " after " + waits[d]
		}
	}
	return strings.Join(list, ", ")
}

// command is what a director's keepalived is changed with, and undoes that.
func command(p *plan.Plan, node string) (do, undo string) {
	for _, a := range p.Actions {
		if a.Node == node && a.Kind == state.KindKeepalived {
			return fmt.Sprint(a.Do), fmt.Sprint(a.Undo)
		}
	}
	return "", ""
}

func TestPairFirst(t *testing.T) {
	c := newPair()
	p := c.build(t, plainPair)
	if have := sequence(p); have != "d1, d2 after d1" {
		t.Errorf("order: %s", have)
	}
	for _, a := range p.Actions {
		if a.Kind == state.KindAddress && strings.HasPrefix(a.Node, "d") {
			t.Errorf("%s gets an address that keepalived moves: %s", a.Node, a.Key)
		}
		for _, command := range slices.Concat(a.Do, a.Undo) {
			if strings.Contains(command.String(), "secret") {
				t.Errorf("a command has the password: %s", command)
			}
		}
	}
	if p.Alarms != nil {
		t.Errorf("alarms: %q", p.Alarms)
	}
	if do, undo := command(p, "d1"); !strings.Contains(do, "lvsctl_keepalived /etc/keepalived/keepalived.conf 0600 ") || !strings.Contains(undo, "lvsctl_keepalived_away leave - 10.1.0.100/32 eth0 -") {
		t.Errorf("d1's commands: %s, undo %s", do, undo)
	}
}

// TestPairElection sees which changes of a pair are waited for until a master is elected.
func TestPairElection(t *testing.T) {
	services := `real_servers = { "a" = 1, "b" = 5 }`
	for name, c := range map[string]struct {
		text  string
		waits bool
	}{
		"a weight":   {pairOf(`auth_pass = "secret"`, services), false},
		"a password": {pairOf(`auth_pass = "other"`, services), true},
	} {
		cluster := newPair()
		cluster.settle(t, plainPair)
		for _, n := range cluster.build(t, c.text).Nodes {
			if n.Role == "director" && n.Election > 0 != c.waits {
				t.Errorf("%s: %s waits for %s", name, n.Name, n.Election)
			}
		}
	}
}

// TestPairRunning changes a pair that runs, and finds what is wrong with it.
func TestPairRunning(t *testing.T) {
	const same = "No changes. All 4 nodes match the topology."
	for _, c := range []struct {
		name string
		// before is done to a pair that is as it should be; text is the topology then.
		before func(t *testing.T, c *pairCluster)
		text   string
		want   []string // lines of the plan, or parts of them
		not    []string
		order  string
	}{
		{name: "as wanted", want: []string{same}},
		{
			name:  "another weight",
			text:  pairOf(`auth_pass = "secret"`, `real_servers = { "a" = 1, "b" = 5 }`),
			want:  []string{"~ server tcp 10.1.0.100:80 -> 10.1.0.12:80 dr weight 1 -> dr weight 5", "~ config /etc/keepalived/keepalived.conf mode 0600, changed", "~ daemon keepalived configuration "},
			order: "d2, d1 after d2",
		},
		{
			name: "a weight changed by hand",
			before: func(t *testing.T, c *pairCluster) {
				c.exec(t, "d1", "ipvsadm -e -t 10.1.0.100:80 -r 10.1.0.12:80 -g -w 7")
			},
			want: []string{"~ server tcp 10.1.0.100:80 -> 10.1.0.12:80 dr weight 7 -> dr weight 1 (drift)", "Plan: 0 to add, 1 to change, 0 to destroy on 1 node."},
		},
		{
			name: "a real server down, the sorry server not needed",
			before: func(t *testing.T, c *pairCluster) {
				c.exec(t, "d1", "ipvsadm -d -t 10.1.0.100:80 -r 10.1.0.12:80")
			},
			want: []string{"down: tcp 10.1.0.100:80 -> 10.1.0.12:80", same},
		},
		{
			name: "all real servers down, the sorry server answers",
			before: func(t *testing.T, c *pairCluster) {
				c.exec(t, "d1", "ipvsadm -d -t 10.1.0.100:80 -r 10.1.0.12:80")
				c.exec(t, "d1", "ipvsadm -d -t 10.1.0.100:80 -r 10.1.0.11:80")
				c.exec(t, "d1", "ipvsadm -a -t 10.1.0.100:80 -r 127.0.0.1:80 -g -w 1")
			},
			want: []string{"down: tcp 10.1.0.100:80 -> 10.1.0.11:80", "down: tcp 10.1.0.100:80 -> 10.1.0.12:80", same},
		},
		{
			name: "the VIP on both",
			before: func(t *testing.T, c *pairCluster) {
				c.exec(t, "d2", "ip -4 addr add 10.1.0.100/32 dev eth0")
			},
			want: []string{"! split brain: 10.1.0.100 of vrrp_instance pair is on d1 and d2; their files agree, so adverts do not arrive", same},
		},
		{
			name: "the VIP on both, because the files differ",
			before: func(t *testing.T, c *pairCluster) {
				c.exec(t, "d2", "ip -4 addr add 10.1.0.100/32 dev eth0")
				other := *c.runs["d2"]
				other.Instances = slices.Clone(other.Instances)
				other.Instances[0].RouterID = 50
				c.runs["d2"], c.files["d2"] = &other, other.Render(c.version)
			},
			want: []string{"is on d1 and d2; virtual_router_id is not the same on both", "~ daemon keepalived", "vrrp_instance pair is another one to keepalived 2.2.7 once virtual_router_id is different: its addresses are off for up to 3.7s", "on 1 node."},
		},
		{
			name: "the VIP on none",
			before: func(t *testing.T, c *pairCluster) {
				c.exec(t, "d1", "ip -4 addr del 10.1.0.100/32 dev eth0")
			},
			want: []string{"! nobody holds 10.1.0.100 of vrrp_instance pair, though keepalived runs", same},
		},
		{
			name:   "the VIP on none that was read",
			before: func(_ *testing.T, c *pairCluster) { c.lost["d1"] = true },
			not:    []string{"nobody holds"},
		},
		{
			name: "keepalived is gone from one",
			before: func(_ *testing.T, c *pairCluster) {
				delete(c.runs, "d1")
			},
			want:  []string{"! warning: keepalived does not run any more; it left 10.1.0.100 behind, which another director may hold too", "+ daemon keepalived configuration", "(drift)"},
			order: "d1",
		},
		{
			name:  "another password, on both at once",
			text:  pairOf(`auth_pass = "other"`, `real_servers = ["a", "b"]`),
			want:  []string{"! auth_pass of vrrp_instance pair is different: all its directors are reloaded within two adverts, or each would be master"},
			not:   []string{"secret", "other"},
			order: "d2, d1",
		},
		{
			name:   "another password, with one director left out",
			before: func(_ *testing.T, c *pairCluster) { c.leftOut["d2"] = true },
			text:   pairOf(`auth_pass = "other"`, `real_servers = ["a", "b"]`),
			want:   []string{"! its keepalived has to be changed at the same time as d2's, which is left out: until both have the change, both would be master", "1 node cannot be changed."},
		},
		{
			name:   "another password, with one director that could not be read",
			before: func(_ *testing.T, c *pairCluster) { c.lost["d1"] = true },
			text:   pairOf(`auth_pass = "other"`, `real_servers = ["a", "b"]`),
			want:   []string{"! its keepalived has to be changed at the same time as d1's, which could not be read"},
		},
		{
			name: "a firewall and SELinux",
			before: func(_ *testing.T, c *pairCluster) {
				c.pair.Firewall, c.pair.SELinux = "firewalld", true
			},
			want: []string{
				"! warning: its firewall (firewalld) seems to let no VRRP in, and a director that hears no other becomes master too; allow IP protocol 112: firewall-cmd --permanent --add-rich-rule='rule protocol value=\"vrrp\" accept' && firewall-cmd --reload",
				"! warning: SELinux lets keepalived connect only to the ports of its policy",
			},
		},
		{
			name: "a file that an old version misreads",
			before: func(_ *testing.T, c *pairCluster) {
				c.version = keepalived.Version{1, 3, 5}
			},
			text: pairOf(`advert_int = "1s"`, "real_servers = [\"a\", \"b\"]\n  health_check {\n    tcp {}\n    interval = \"500ms\"\n  }"),
			want: []string{"fractions of a second in checks (interval 500ms), which came with 2.1.0; write whole seconds", "keepalived 1.3.5 does not notice when something deletes an address of its own"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair()
			p.settle(t, plainPair)
			if c.before != nil {
				c.before(t, p)
			}
			if c.text == "" {
				c.text = plainPair
			}
			built := p.build(t, c.text)
			have := text(built)
			for _, want := range c.want {
				if !strings.Contains(have, want) {
					t.Errorf("it does not say %q:\n%s", want, have)
				}
			}
			for _, not := range c.not {
				if strings.Contains(have, not) {
					t.Errorf("it says %q:\n%s", not, have)
				}
			}
			if c.order != "" && sequence(built) != c.order {
				t.Errorf("order: want %s, have %s", c.order, sequence(built))
			}
		})
	}
}

// TestPairByHand takes a pair over that was set by hand, and gives it back.
func TestPairByHand(t *testing.T) {
	c := newPair()
	c.wants(t, plainPair)
	for _, line := range []string{
		"ip -4 addr add 10.1.0.100/24 dev eth0 label eth0:1",
		"ipvsadm -A -t 10.1.0.100:80 -s wrr",
		"ipvsadm -a -t 10.1.0.100:80 -r 10.1.0.11:80 -g -w 1",
	} {
		c.exec(t, "d2", line)
	}
	p := c.build(t, plainPair)
	if have := sequence(p); have != "d2, d1 after d2" {
		t.Errorf("who has the VIP is not first: %s", have)
	}
	do, undo := command(p, "d2")
	if !strings.Contains(do, " +10.1.0.100") || !strings.Contains(undo, "away keep + 10.1.0.100/24 eth0 eth0:1 - 10.1.0.100/32 eth0 -") {
		t.Errorf("d2's commands: %s, undo %s", do, undo)
	}
	if do, _ := command(p, "d1"); strings.Contains(do, "10.1.0.100") {
		t.Errorf("d1 has nothing to take over: %s", do)
	}

	// The record is written before the first change, and knows what was there.
	for _, n := range p.Nodes {
		c.records[n.Name] = n.Settled.Intent
	}
	before := c.records["d2"].Before.Addresses
	want := map[state.AddressKey]state.Address{{Prefix: netip.MustParsePrefix("10.1.0.100/24"), Dev: "eth0"}: {Label: "eth0:1"}}
	if d := cmp.Diff(want, before, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Errorf("what the record of d2 gives back (-want +have):\n%s", d)
	}
}

// TestPairDestroyed gives a pair back whose VIP d2 had by hand, while d1 is master.
func TestPairDestroyed(t *testing.T) {
	c := newPair()
	c.settle(t, plainPair)
	r := c.records["d2"]
	r.Before.Addresses[state.AddressKey{Prefix: netip.MustParsePrefix("10.1.0.100/24"), Dev: "eth0"}] = state.Address{Label: "eth0:1"}
	p := plan.Build(topologyName, c.inputs(t, plainPair, true))
	if have := sequence(p); have != "d1, d2 after d1" {
		t.Errorf("who gets the VIP back is not last: %s", have)
	}
	if do, undo := command(p, "d2"); !strings.Contains(do, "away keep + 10.1.0.100/24 eth0 eth0:1 - 10.1.0.100/32 eth0 -") || !strings.Contains(undo, " +10.1.0.100") {
		t.Errorf("d2's commands: %s, undo %s", do, undo)
	}
	if do, _ := command(p, "d1"); !strings.Contains(do, "away leave - 10.1.0.100/32 eth0 -") {
		t.Errorf("d1's command: %s", do)
	}
	for _, a := range p.Actions {
		if a.Kind == state.KindAddress && strings.HasPrefix(a.Node, "d") {
			t.Errorf("%s: %s %s", a.Node, a.Op, a.Key)
		}
	}
}

// TestPairLeaving sees which addresses an apply takes away: none of a pair that stays, and
// of one that ends all that nobody gets back.
func TestPairLeaving(t *testing.T) {
	vip := netip.MustParseAddr("10.1.0.100")
	const other = `real_servers = { "a" = 1, "b" = 5 }`
	c := newPair()
	c.settle(t, plainPair)
	if c.build(t, pairOf(`auth_pass = "secret"`, other)).Leaving()[vip] {
		t.Error("the VIP leaves with another weight")
	}
	if !plan.Build(topologyName, c.inputs(t, plainPair, true)).Leaving()[vip] {
		t.Error("the VIP does not leave with the pair")
	}
}

// TestPairForeign plans over a keepalived.conf that is not lvsctl's.
func TestPairForeign(t *testing.T) {
	const somebodys = "vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 7\n  priority 100\n  authentication {\n    auth_pass hidden\n  }\n  virtual_ipaddress {\n    10.1.0.77/32 dev eth0\n  }\n}\ninclude /etc/keepalived/more.conf\n"
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"somebody's": {somebodys, []string{"! somebody else wrote this file; it is kept beside as /etc/keepalived/keepalived.conf.before-lvsctl, and comes back with a destroy; what ends with it: vrrp_instance VI_1", "~ config /etc/keepalived/keepalived.conf"}},
		"packaged":   {"! Configuration File for keepalived\nglobal_defs {\n  notification_email {\n    acassen@firewall.loc\n  }\n}\n", []string{"~ config /etc/keepalived/keepalived.conf"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair()
			p.files["d1"] = c.file
			built := p.build(t, plainPair)
			have := text(built)
			for _, want := range c.want {
				if !strings.Contains(have, want) {
					t.Errorf("it does not say %q:\n%s", want, have)
				}
			}
			if name == "packaged" && strings.Contains(have, "somebody else") {
				t.Errorf("the packaged sample counts as somebody's:\n%s", have)
			}
			for _, l := range built.Lines(plan.Detail{Files: true, Each: true}) {
				if strings.Contains(l.Text, "hidden") {
					t.Errorf("the difference shows a password: %s", l.Text)
				}
			}
		})
	}
}

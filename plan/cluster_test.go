package plan_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/persist"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/state/statetest"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/roles/rolestest"
	"github.com/lvsctl/lvsctl/topology"
)

// A cluster is the nodes of a topology as models (statetest.Node), with the record that
// lvsctl keeps of each.
type cluster struct {
	hosts   map[string]*statetest.Node
	records map[string]state.Record
	facts   map[string]live.Facts
	// Nodes in lost cannot be read. Nodes in leftOut are not chosen.
	lost, leftOut map[string]bool
	connections   map[string]state.Connections // by server key, on every director
	// persists makes the nodes Debians with systemd and ifupdown, so that plans have
	// files for the next boot.
	persists bool
}

func newCluster() *cluster {
	return &cluster{
		hosts: map[string]*statetest.Node{}, records: map[string]state.Record{}, facts: map[string]live.Facts{},
		lost: map[string]bool{}, leftOut: map[string]bool{}, connections: map[string]state.Connections{},
	}
}

// exec runs a command line on a node, as a person would.
func (c *cluster) exec(t *testing.T, node, line string) {
	t.Helper()
	command := shell.Cmd(strings.Fields(line)...)
	if value, key, ok := strings.Cut(line, " > "); ok {
		command = shell.Command{Args: []string{"printf", `%s\n`, value}, To: key}
	}
	if err := c.hosts[node].Exec(command); err != nil {
		t.Fatal(err)
	}
}

// wants returns what a topology wants of its nodes. It adds nodes that are new, with
// their own addresses.
func (c *cluster) wants(t *testing.T, text string) []roles.Want {
	t.Helper()
	wants := rolestest.Wants(t, text)
	for _, w := range wants {
		if c.hosts[w.Node.Name] == nil {
			c.boot(t, w.Node)
		}
	}
	return wants
}

func (c *cluster) boot(t *testing.T, node *topology.Node) {
	t.Helper()
	n := statetest.New()
	n.Manager = "apt-get"
	n.Files["/etc/hosts"] = "127.0.0.1 localhost\n"
	if c.persists {
		n.Init, n.Units["ipvsadm"] = state.InitSystemd, true
		n.Files["/etc/default/ipvsadm"] = "AUTO=\"false\"\n"
	}
	c.hosts[node.Name] = n
	c.records[node.Name] = state.NewRecord(topologyName)
	for _, i := range node.Interfaces {
		n.AddLink(i.Name, true)
		for _, p := range i.Addresses {
			family := "-4"
			if p.Addr().Is6() {
				family = "-6"
			}
			c.exec(t, node.Name, "ip "+family+" addr add "+p.String()+" dev "+i.Name)
		}
	}
}

// forbid makes the SSH user of a node one who may change nothing.
func (c *cluster) forbid(node string) {
	c.facts[node] = live.Facts{Kernel: "6.1.0", Schedulers: map[string]bool{"rr": true, "wlc": true, "wrr": true}}
}

// breakBase removes a node's own addresses. It can be read then, and cannot be changed.
func (c *cluster) breakBase(node string) {
	n := c.hosts[node]
	n.Addresses = slices.DeleteFunc(n.Addresses, func(a statetest.Address) bool { return !a.Prefix.IsSingleIP() })
}

// inputs returns the plan's input for every node. A destroy wants nothing.
func (c *cluster) inputs(t *testing.T, wants []roles.Want, destroy bool) []plan.Input {
	t.Helper()
	var list []plan.Input
	for _, w := range wants {
		name := w.Node.Name
		if destroy {
			w = survey.Nothing(w)
		}
		in := survey.Input(w)
		in.Chosen = !c.leftOut[name]
		if !c.persists {
			in.Persist = ""
		}
		for k, r := range in.Ranges {
			r.Filename = filepath.Base(r.Filename)
			in.Ranges[k] = r
		}
		if c.lost[name] {
			in.Err = errLost
		} else {
			in.Live = c.read(t, name)
		}
		list = append(list, in)
	}
	return list
}

var errLost = &remote.Error{Kind: remote.KindUnreachable, Summary: "no route to host"}

func (c *cluster) read(t *testing.T, name string) *live.Node {
	t.Helper()
	s, err := c.hosts[name].Read(state.Wanted{
		Topology: topologyName, Own: persist.Own(topologyName), Units: persist.Units(topologyName),
		Packages: []string{"ipvsadm", "iptables", "ip6tables"}, Modules: []string{"ip_vs", "ipip", "ip6_tunnel"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for k := range s.Servers {
		if open, ok := c.connections[k.String()]; ok {
			s.Connections[k] = open
		}
	}
	facts, known := c.facts[name]
	if !known {
		facts = live.Facts{Kernel: "6.1.0", Root: true, Schedulers: map[string]bool{"rr": true, "wlc": true, "wrr": true}}
	}
	s.Kernel = facts.Kernel
	facts.Boot = persist.Boot{Ifupdown: true, Table: persist.TableDebian}
	return &live.Node{State: s, Record: c.records[name], Facts: facts}
}

// apply does a plan action by action, and calls look after each.
func (c *cluster) apply(t *testing.T, p *plan.Plan, look func(done *plan.Action)) {
	t.Helper()
	done := map[int]bool{}
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.Held != "" {
			continue
		}
		for _, id := range a.Needs {
			if !done[id] {
				t.Fatalf("action %d needs %d, which was not done before", a.ID, id)
			}
		}
		for _, command := range a.Do {
			if err := c.hosts[a.Node].Exec(command); err != nil {
				t.Fatalf("%s: %v", a.Node, err)
			}
		}
		done[a.ID] = true
		look(a)
	}
}

// confirm writes each node's record as an apply does in the end.
func (c *cluster) confirm(t *testing.T, p *plan.Plan, inputs []plan.Input) {
	t.Helper()
	for _, in := range inputs {
		if in.Live == nil || !in.Chosen {
			continue
		}
		for _, n := range p.Nodes {
			if n.Name == in.Name && n.Usable() {
				after := c.read(t, in.Name).State
				c.records[in.Name] = state.Confirm(n.Settle(after, n.Settled.Intent), after)
			}
		}
	}
	for _, n := range p.Nodes {
		if n.Members.Self.Host != "" && n.Chosen && n.Usable() {
			c.name(n)
		}
	}
}

// name writes into a node's record which others hold something in the end.
func (c *cluster) name(n plan.Node) {
	r := c.records[n.Name]
	r.Members = n.Members.Membership
	r.Members.Others = nil
	for i, m := range n.Members.Others {
		if of := n.Members.Of[i]; c.lost[of] || c.records[of].Holds() {
			r.Members.Others = append(r.Members.Others, m)
		}
	}
	if r.Empty() {
		r = state.NewRecord(topologyName)
	}
	c.records[n.Name] = r
}

// bring plans and applies a topology.
func (c *cluster) bring(t *testing.T, text string) {
	t.Helper()
	inputs := c.inputs(t, c.wants(t, text), false)
	p := plan.Build(topologyName, inputs)
	c.apply(t, p, func(*plan.Action) {})
	c.confirm(t, p, inputs)
}

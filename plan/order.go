package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Order between nodes.
//
// Terms. A director sends to a real server while its table has an entry for it. An
// action is held if it must not be done now; it stays in the plan and says why. A
// director stands still if it is not changed by this plan: it could not be read,
// cannot be changed (Problems), or is left out.
//
// Premise. Each node is changed by itself and may fail by itself, and a director
// never stops sending because we wish it. So at every moment of an apply, and
// whichever node fails in it, each director sends only to real servers that can
// answer.
//
// Rules, with the action on the left needing those on the right:
//
//	an entry that is new, or reaches its     the real server's Ready actions; held
//	real server by another method            where that is not and cannot be ready
//	a real server's first Clear action       every action on an entry for it, on any
//	                                         director
//	a router's first Clear action            every action of every director
//
// A director that stands still keeps what it uses: its actions count for these
// rules and are held, and so is all that needs them. One that could not be read
// may use more than its topology says, see unread.
//
// A node's later Clear actions follow its first one, and Persist comes last of
// all. What a held action keeps from being true is not written for the next boot.
//
// Example. b leaves the service of lvs. b's actions (routes, VIP, ARP settings go)
// need lvs's "remove server b". With lvs in need of a kernel module that is not
// there, "remove server b" is not done, and b keeps all it has: "held back: lvs
// cannot be changed".

// order puts the actions of all nodes into one list and ties them together.
func (p *Plan) order(inputs []Input) {
	u := newUnread(inputs)
	stuck := p.changeModes(inputs, u)
	position := map[string]int{}
	for i, in := range inputs {
		position[in.Name] = i
	}
	slices.SortStableFunc(p.Actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(position[a.Node], position[b.Node]))
	})
	for i := range p.Actions {
		p.Actions[i].ID = i + 1
	}
	d := newDependencies(p, inputs, u, stuck)
	for i := range p.Actions {
		d.add(&p.Actions[i])
	}
	p.holdDependents()
	p.dropStandingStill()
}

// standsStill says why a node that was read is not changed; "" if it is.
func (n Node) standsStill() string {
	switch {
	case !n.Chosen:
		return n.Name + " is left out"
	case len(n.Problems) > 0:
		return n.Name + " cannot be changed"
	}
	return ""
}

// dependencies finds what each action needs, by the rules at the top.
type dependencies struct {
	inputs map[string]*Input
	nodes  map[string]*Node
	owner  map[netip.Addr]string // of each node's own address
	// ready is the last action that makes a node ready; sends are the directors'
	// actions on entries for a real server; done is a director's last action.
	ready map[string]int
	sends map[string][]int
	done  map[string]int
	// begun marks the nodes whose first Clear action was seen.
	begun map[string]bool
	// stuck says why a real server's replies cannot take another way.
	stuck  map[string]string
	unread unread
}

func newDependencies(p *Plan, inputs []Input, u unread, stuck map[string]string) *dependencies {
	d := &dependencies{
		inputs: map[string]*Input{}, nodes: map[string]*Node{}, owner: map[netip.Addr]string{},
		ready: map[string]int{}, sends: map[string][]int{}, done: map[string]int{},
		begun: map[string]bool{}, stuck: stuck, unread: u,
	}
	for i := range inputs {
		in := &inputs[i]
		d.inputs[in.Name], d.nodes[in.Name] = in, &p.Nodes[i]
		for _, k := range in.Base {
			d.owner[k.Prefix.Addr()] = in.Name
		}
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		switch {
		case a.Stage == Ready:
			d.ready[a.Node] = a.ID
		case a.Stage == Send || a.Stage == Stop:
			d.done[a.Node] = a.ID
			if k, ok := a.Key.(state.ServerKey); ok {
				name := d.owner[k.Addr.Addr()]
				d.sends[name] = append(d.sends[name], a.ID)
			}
		}
	}
	return d
}

// add gives an action what it needs, or says why it is held.
func (d *dependencies) add(a *Action) {
	a.Held = d.nodes[a.Node].standsStill()
	k, entry := a.Key.(state.ServerKey)
	switch {
	case a.Held != "":
	case entry && d.reachedAnew(a.Node, k):
		d.needServer(a, k.Addr.Addr())
	case a.Stage == Clear && !d.begun[a.Node]:
		d.begun[a.Node] = true
		d.needDirectors(a)
	}
}

// reachedAnew reports whether a director's entry for a real server is new, or
// sends packets there by another method. A weight alone asks nothing of the real
// server.
func (d *dependencies) reachedAnew(director string, k state.ServerKey) bool {
	s := d.nodes[director].Settled
	want, wanted := s.Want.Servers[k]
	return wanted && want.Forward != s.Have.Servers[k].Forward
}

func (d *dependencies) needServer(a *Action, rip netip.Addr) {
	name, known := d.owner[rip]
	if !known || d.inputs[name].Role == director {
		return
	}
	n := d.nodes[name]
	switch {
	case n.Unreadable != nil:
		a.Held = name + " could not be read"
	case len(n.Problems) > 0:
		a.Held = name + " cannot be changed"
	case d.stuck[name] != "":
		a.Held = d.stuck[name]
	case d.ready[name] == 0:
	case !n.Chosen:
		a.Held = name + " is left out and not ready"
	default:
		a.Needs = append(a.Needs, d.ready[name])
	}
}

func (d *dependencies) needDirectors(a *Action) {
	if d.inputs[a.Node].Role != realServer {
		for _, id := range d.done {
			a.Needs = append(a.Needs, id)
		}
	}
	a.Needs = append(a.Needs, d.sends[a.Node]...)
	slices.Sort(a.Needs)
	a.Needs = slices.Compact(a.Needs)
	a.Held = d.unread.user(d.inputs[a.Node], d.nodes[a.Node].Settled)
}

// holdDependents extends what is held to what depends on it: an action's needs, on
// a real server or router everything after the first thing it has to keep, and on
// every node what would bring back what is not there.
func (p *Plan) holdDependents() {
	held := map[int]string{}       // by action
	keeps := map[string]string{}   // by node: from its first held Clear action on
	partial := map[string]string{} // by node: something of it is held
	for i := range p.Actions {
		a := &p.Actions[i]
		for _, id := range a.Needs {
			if a.Held == "" && held[id] != "" {
				a.Held = held[id]
			}
		}
		if a.Stage == Clear && a.Held == "" {
			a.Held = keeps[a.Node]
		}
		if a.Stage == Persist && a.Held == "" {
			a.Held = partial[a.Node]
		}
		if a.Held != "" {
			held[a.ID], partial[a.Node] = a.Held, a.Held
			if a.Stage == Clear {
				keeps[a.Node] = a.Held
			}
		}
	}
}

// dropStandingStill drops the actions of nodes that are not changed. They were
// there only for what depends on them.
func (p *Plan) dropStandingStill() {
	still := map[string]bool{}
	for _, n := range p.Nodes {
		still[n.Name] = n.standsStill() != ""
	}
	kept := map[int]bool{}
	p.Actions = slices.DeleteFunc(p.Actions, func(a Action) bool {
		kept[a.ID] = !still[a.Node]
		return still[a.Node]
	})
	for i := range p.Actions {
		a := &p.Actions[i]
		a.Needs = slices.DeleteFunc(a.Needs, func(id int) bool { return !kept[id] })
	}
}

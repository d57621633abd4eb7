package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Order between nodes.
//
// Terms. A director sends to a real server while its table has an entry for it. An action
// is held back if it must not be done now. It stays in the plan, which says why. A
// director is unchanged if this plan does not change it: because it could not be read,
// cannot be changed (Problems), or is left out.
//
// Premise. Each node is changed by itself and may fail by itself. A director that fails
// goes on sending by its table. So at every moment of an apply, and whichever node fails,
// each director must send only to real servers that can answer.
//
// Rules. The action on the left needs those on the right:
//
//	an entry that is new, or gets another    the real server's Ready actions; held
//	forwarding method or tunnel                        back if the server is not and cannot be
//	                                         made ready
//	a real server's first Clear action       every action on an entry for it, on any
//	                                         director
//	a router's first Clear action            every action of every director
//	a paired director's action               every action of the one before it, see
//	                                         pair.go
//
// An unchanged director keeps what it uses: its actions are planned for these rules, but
// are held back, and so are all that need them. A director that could not be read may use
// more than its topology says, see unread.
//
// A node's later Clear actions follow its first one. Persist comes last of all. If an
// action of a node is held back, the node's files for the next boot are too, because they
// would bring what is not so now.
//
// Example. The real server b leaves the service of the director lvs. b's Clear actions
// (its route, VIP and ARP settings go) need lvs's action "remove server b". If lvs lacks
// a kernel module, it cannot be changed. Then "remove server b" is not done, and b keeps
// everything: "held back: lvs cannot be changed".

// order puts the actions of all nodes into one list in a safe order, and sets their Needs
// and Held.
func (p *Plan) order(inputs []Input) {
	u := newUnread(inputs)
	stuck := p.changeModes(inputs, u)
	position := map[string]int{}
	for i, in := range inputs {
		position[in.Name] = i
	}
	after := p.oneByOne(inputs, position)
	slices.SortStableFunc(p.Actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(position[a.Node], position[b.Node]))
	})
	for i := range p.Actions {
		p.Actions[i].ID = i + 1
	}
	d := newDependencies(p, inputs, u, stuck)
	d.after = after
	for i := range p.Actions {
		d.add(&p.Actions[i])
	}
	p.holdDependents()
	p.dropUnchanged()
}

// whyUnchanged says why the plan does not change a node that was read, or returns "" if
// it does.
func (n Node) whyUnchanged() string {
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
	owner  map[netip.Addr]string // the node that has the address
	// By a node's name, IDs of actions: ready is the last one that makes the node ready,
	// sends are those of all directors on entries for the real server, done is the last
	// one of the director.
	ready map[string]int
	sends map[string][]int
	done  map[string]int
	// begun marks the nodes whose first Clear action was added.
	begun map[string]bool
	// stuck says, by real server, why its default route cannot be changed.
	stuck  map[string]string
	unread unread
	// after names the director that is changed before a paired one.
	after map[string]string
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

// add sets what an action needs, or why it is held back.
func (d *dependencies) add(a *Action) {
	a.Held = d.nodes[a.Node].whyUnchanged()
	k, entry := a.Key.(state.ServerKey)
	switch {
	case a.Held != "":
	case entry && d.newOrOtherMethod(a.Node, k):
		d.needServer(a, k.Addr.Addr())
	case a.Stage == Clear && !d.begun[a.Node]:
		d.begun[a.Node] = true
		d.needDirectors(a)
	}
	if id := d.done[d.after[a.Node]]; a.Held == "" && id != 0 && (a.Stage == Send || a.Stage == Stop) {
		a.Needs = append(a.Needs, id)
		slices.Sort(a.Needs)
	}
}

// newOrOtherMethod reports whether a director's entry for a real server is new, or gets
// another forwarding method or tunnel. For another weight the real server needs nothing.
func (d *dependencies) newOrOtherMethod(director string, k state.ServerKey) bool {
	s := d.nodes[director].Settled
	want, wanted := s.Want.Servers[k]
	have := s.Have.Servers[k]
	return wanted && (want.Forward != have.Forward || want.Tunnel != have.Tunnel)
}

// needServer lets an action on an entry wait for the real server at rip, or holds it
// back. The server is known unless the entry is for an address outside the topology.
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

// needDirectors lets a node's first Clear action wait for all directors that use the node,
// or holds it back if a director that could not be read may use it.
func (d *dependencies) needDirectors(a *Action) {
	if d.inputs[a.Node].Role != realServer {
		for _, id := range d.done {
			a.Needs = append(a.Needs, id)
		}
	}
	a.Needs = append(a.Needs, d.sends[a.Node]...)
	slices.Sort(a.Needs)
	a.Needs = slices.Compact(a.Needs)
	a.Held = d.unread.possibleUser(d.inputs[a.Node], d.nodes[a.Node].Settled)
}

// holdDependents holds back what depends on an action that is held back: the actions that
// need it, on its node all later Clear actions, and the node's files for the next boot.
func (p *Plan) holdDependents() {
	// Each says why something is held back.
	held := map[int]string{}       // by the ID of the action
	keeps := map[string]string{}   // by node, from its first Clear action that is held back
	partial := map[string]string{} // by node, from its first action that is held back
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

// dropUnchanged drops the actions of nodes that the plan does not change. They were
// planned only for the actions that need them.
func (p *Plan) dropUnchanged() {
	unchanged := map[string]bool{}
	for _, n := range p.Nodes {
		unchanged[n.Name] = n.whyUnchanged() != ""
	}
	kept := map[int]bool{}
	p.Actions = slices.DeleteFunc(p.Actions, func(a Action) bool {
		kept[a.ID] = !unchanged[a.Node]
		return unchanged[a.Node]
	})
	for i := range p.Actions {
		a := &p.Actions[i]
		a.Needs = slices.DeleteFunc(a.Needs, func(id int) bool { return !kept[id] })
	}
}

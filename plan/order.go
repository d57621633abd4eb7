package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Stage is when an action runs, among all nodes. Traffic is sent somewhere only
// once it can be answered there, and nothing is taken apart that traffic is
// still sent to:
type Stage int

// The stages of an apply.
const (
	// Ready: real servers and routers get what they need to answer.
	Ready Stage = iota
	// Send: directors add and edit services, then servers, then VIPs.
	Send
	// Stop: directors take away VIPs, then servers, then services.
	Stop
	// Clear: real servers and routers give back what they no longer need, and what
	// the other nodes' old connections needed goes: see turn.
	Clear
	// Persist: every node that is as wanted is told to be so after a reboot.
	Persist
)

func stageOf(role string, kind state.Kind, unmake bool) Stage {
	switch {
	case kind.Persistent():
		return Persist
	case role == director && unmake:
		return Stop
	case role == director:
		return Send
	case unmake:
		return Clear
	}
	return Ready
}

const director = "director"

// orderWithin sorts one node's actions: makers in the order of creation, then
// what goes away in reverse, then what comes back in the order of creation.
func orderWithin(role string, actions []Action) {
	rank := kindRanks(role)
	key := func(a Action) (int, int) {
		switch {
		case a.Stage == Ready || a.Stage == Send || a.Stage == Persist && a.Op != state.Remove:
			return 0, rank[a.Kind]
		case a.Op == state.Add:
			return 2, rank[a.Kind]
		}
		return 1, -rank[a.Kind]
	}
	// Stable: within a kind the differ's order stands.
	slices.SortStableFunc(actions, func(a, b Action) int {
		ap, ar := key(a)
		bp, br := key(b)
		return cmp.Or(cmp.Compare(ap, bp), cmp.Compare(ar, br))
	})
}

// kindRanks is the order of creation. On a director addresses come last: a VIP
// attracts traffic as soon as it is there.
func kindRanks(role string) map[state.Kind]int {
	ranks := map[state.Kind]int{}
	for i, k := range state.Kinds() {
		ranks[k] = i
	}
	if role == director {
		ranks[state.KindAddress] = len(ranks)
	}
	return ranks
}

// compareInputs is the order nodes are shown in.
func compareInputs(a, b Input) int {
	return cmp.Or(cmp.Compare(roleRank(a.Role), roleRank(b.Role)), cmp.Compare(a.Name, b.Name))
}

func roleRank(role string) int {
	return slices.Index([]string{"director", "router", "real_server"}, role)
}

// order puts the actions of all nodes into one list and ties them together.
func (p *Plan) order(inputs []Input) {
	p.turn(inputs)
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
	t := newTies(p, inputs)
	for i := range p.Actions {
		t.tie(&p.Actions[i])
	}
	p.hold()
	p.leaveOut(inputs)
}

// ties are the rules between nodes:
//
//   - a server that is new, or reached another way, needs its real server ready;
//   - a real server gives nothing back before the directors' entries for it are
//     gone or changed, a router nothing before the directors are done.
type ties struct {
	inputs map[string]*Input
	nodes  map[string]*Node
	owner  map[netip.Addr]string
	// ready is the last action that makes a node ready; sends are the directors'
	// actions on entries for a real server; done is a director's last action.
	ready map[string]int
	sends map[string][]int
	done  map[string]int
	// unseen are the directors that could not be read, by the real servers they
	// may send to.
	unseen map[string]string
	// first marks the nodes whose first Clear action was tied: the others follow
	// it anyway.
	first map[string]bool
}

func newTies(p *Plan, inputs []Input) *ties {
	t := &ties{
		inputs: map[string]*Input{}, nodes: map[string]*Node{}, owner: map[netip.Addr]string{},
		ready: map[string]int{}, sends: map[string][]int{}, done: map[string]int{},
		unseen: map[string]string{}, first: map[string]bool{},
	}
	for i := range inputs {
		in := &inputs[i]
		t.inputs[in.Name], t.nodes[in.Name] = in, &p.Nodes[i]
		for _, k := range in.Base {
			t.owner[k.Prefix.Addr()] = in.Name
		}
		if in.Role == director && in.Err != nil {
			for _, name := range in.Servers {
				t.unseen[name] = in.Name
			}
		}
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		switch {
		case a.Stage == Ready:
			t.ready[a.Node] = a.ID
		case a.Stage == Send || a.Stage == Stop:
			t.done[a.Node] = a.ID
			if k, ok := a.Key.(state.ServerKey); ok {
				name := t.owner[k.Addr.Addr()]
				t.sends[name] = append(t.sends[name], a.ID)
			}
		}
	}
	return t
}

func (t *ties) tie(a *Action) {
	if !t.inputs[a.Node].Chosen {
		a.Held = a.Node + " is left out"
	}
	k, entry := a.Key.(state.ServerKey)
	switch {
	case a.Held != "":
	case entry && t.reachedAnew(a.Node, k):
		t.tieServer(a, k.Addr.Addr())
	case a.Stage == Clear && !t.first[a.Node]:
		t.first[a.Node] = true
		t.tieClear(a)
	}
}

// reachedAnew reports whether a director's entry for a real server is new, or
// sends packets there by another method. A weight alone asks nothing of the real
// server.
func (t *ties) reachedAnew(director string, k state.ServerKey) bool {
	s := t.nodes[director].Settled
	want, wanted := s.Want.Servers[k]
	return wanted && want.Forward != s.Have.Servers[k].Forward
}

func (t *ties) tieServer(a *Action, rip netip.Addr) {
	name, known := t.owner[rip]
	if !known || t.inputs[name].Role == director {
		return
	}
	n := t.nodes[name]
	switch {
	case n.Unreadable != nil:
		a.Held = name + " could not be read"
	case len(n.Problems) > 0:
		a.Held = name + " cannot be changed"
	case t.ready[name] == 0:
	case !n.Chosen:
		a.Held = name + " is left out and not ready"
	default:
		a.Needs = append(a.Needs, t.ready[name])
	}
}

func (t *ties) tieClear(a *Action) {
	if t.inputs[a.Node].Role != "real_server" {
		for _, id := range t.done {
			a.Needs = append(a.Needs, id)
		}
	}
	a.Needs = append(a.Needs, t.sends[a.Node]...)
	slices.Sort(a.Needs)
	a.Needs = slices.Compact(a.Needs)
	if name, ok := t.unseen[a.Node]; ok {
		a.Held = name + " could not be read and may still send there"
	}
}

// hold extends what is held back to what depends on it: an action's needs, on a
// real server everything after the first thing it has to keep, and on every node
// what would bring back what is not there.
func (p *Plan) hold() {
	held := map[int]string{}
	kept := map[string]string{}
	partial := map[string]string{}
	for i := range p.Actions {
		a := &p.Actions[i]
		for _, id := range a.Needs {
			if a.Held == "" && held[id] != "" {
				a.Held = held[id]
			}
		}
		if a.Stage == Clear && a.Held == "" {
			a.Held = kept[a.Node]
		}
		if a.Stage == Persist && a.Held == "" {
			a.Held = partial[a.Node]
		}
		if a.Held != "" {
			held[a.ID], partial[a.Node] = a.Held, a.Held
			if a.Stage == Clear {
				kept[a.Node] = a.Held
			}
		}
	}
}

// leaveOut drops the actions of nodes that were not chosen. They were there
// only for what depends on them.
func (p *Plan) leaveOut(inputs []Input) {
	chosen := map[string]bool{}
	for _, in := range inputs {
		chosen[in.Name] = in.Chosen
	}
	kept := map[int]bool{}
	p.Actions = slices.DeleteFunc(p.Actions, func(a Action) bool {
		kept[a.ID] = chosen[a.Node]
		return !chosen[a.Node]
	})
	for i := range p.Actions {
		a := &p.Actions[i]
		a.Needs = slices.DeleteFunc(a.Needs, func(id int) bool { return !kept[id] })
	}
}

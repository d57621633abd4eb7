package plan

import (
	"fmt"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Counts are the numbers of actions of a plan. Nodes is the number of nodes that they are
// on. Held actions are in none of the others.
type Counts struct{ Add, Change, Destroy, Nodes, Held int }

// Any reports whether there is anything to do.
func (c Counts) Any() bool { return c.Add+c.Change+c.Destroy > 0 }

// Count counts the actions that are to be done, and the nodes they are on.
func (p *Plan) Count() Counts {
	var t changeCounts
	for _, a := range p.Actions {
		t.add(a.Node, a.Op, a.Held != "")
	}
	return t.Counts
}

// changeCounts counts changes one by one.
type changeCounts struct {
	Counts
	nodes map[string]bool
}

func (t *changeCounts) add(node string, op state.Op, held bool) {
	switch {
	case held:
		t.Held++
		return
	case op == state.Add:
		t.Add++
	case op == state.Edit:
		t.Change++
	case op == state.Remove:
		t.Destroy++
	}
	if t.nodes == nil {
		t.nodes = map[string]bool{}
	}
	t.nodes[node] = true
	t.Nodes = len(t.nodes)
}

// The last line of a plan and that of a saved one are made from the same counts, of a Plan
// or of a Document, so that a saved plan cannot show another line than its changes make.

// nodeCounts counts the chosen nodes. blocked ones were read but have problems.
type nodeCounts struct{ chosen, unreadable, blocked int }

// count counts a node. One that the topology no longer has cannot match it, so it counts
// only if something is the matter with it.
func (n *nodeCounts) count(unreadable, blocked, orphan bool) {
	if orphan && !unreadable && !blocked {
		return
	}
	n.chosen++
	switch {
	case unreadable:
		n.unreadable++
	case blocked:
		n.blocked++
	}
}

// summary is the last line of a plan whose actions are counted in c.
func (n nodeCounts) summary(c Counts) string {
	tail := ""
	if n.unreadable > 0 {
		tail += " " + plural.Of(n.unreadable, "node") + " could not be read."
	}
	if n.blocked > 0 {
		tail += " " + plural.Of(n.blocked, "node") + " cannot be changed."
	}
	if c.Held > 0 {
		tail = " " + plural.Of(c.Held, "change") + " held back." + tail
	}
	good := n.chosen - n.unreadable - n.blocked
	switch {
	case c.Any() || c.Held > 0:
		return fmt.Sprintf("Plan: %d to add, %d to change, %d to destroy on %s.%s", c.Add, c.Change, c.Destroy, plural.Of(c.Nodes, "node"), tail)
	case good == 0 && n.chosen > 0:
		return "Nothing could be planned." + tail
	case good < n.chosen:
		return fmt.Sprintf("No changes on the %s that could be planned.%s", plural.Of(good, "node"), tail)
	case good == 1:
		return "No changes. The node matches the topology."
	}
	return fmt.Sprintf("No changes. All %s match the topology.", plural.Of(good, "node"))
}

package plan

import (
	"regexp"
	"slices"
)

// saved names a change in a file.
type saved struct{ node, kind, key string }

func (c *DocumentItem) ref() saved { return saved{c.Node, c.Kind, c.Key} }

// Restrict cuts a plan down to what a saved one has. What the saved plan has and
// this one has not is as wanted already. A node is refused where it is neither
// as that was planned on nor as it wants, and where the saved plan is silent
// about a danger that there is now: nobody has approved it.
func (p *Plan) Restrict(s Saved) {
	changes := map[saved]*DocumentItem{}
	for i := range s.Changes {
		changes[s.Changes[i].ref()] = &s.Changes[i]
	}
	stale := staleNodes{}
	changed := map[string]bool{}
	p.Actions = slices.DeleteFunc(p.Actions, func(a Action) bool {
		now := a.document()
		c, ok := changes[now.ref()]
		if !ok {
			return true
		}
		changed[a.Node] = true
		switch {
		case !c.is(&now):
			e := stale.of(a.Node)
			e.Conflicts = append(e.Conflicts, c.conflict(a.Change))
		case a.Risk != "" && c.Risk == "":
			stale.unsaid(a.Node, now.Kind+" "+now.Key+" "+string(a.Risk))
		}
		return false
	})
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if changed[n.Name] {
			stale.compare(n, s.node(n.Name))
		}
		n.Stale = stale[n.Name]
	}
	p.keepNeeds()
	for i := range p.Actions {
		a := &p.Actions[i]
		held := changes[saved{a.Node, string(a.Kind), a.Key.String()}].HeldBack
		switch {
		case stale[a.Node] != nil:
			a.Held = a.Node + " was changed since the plan was made"
		case a.Held == "" && held != "":
			a.Held = held
		}
	}
}

// keepNeeds forgets needs of actions that are no longer there.
func (p *Plan) keepNeeds() {
	kept := map[int]bool{}
	for _, a := range p.Actions {
		kept[a.ID] = true
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		a.Needs = slices.DeleteFunc(a.Needs, func(id int) bool { return !kept[id] })
	}
}

// is reports whether a saved change is just the one that is due now, in all that
// a person is shown of it but its danger, which can grow or shrink by the minute.
func (c *DocumentItem) is(now *DocumentItem) bool {
	return c.Action == now.Action && c.Before == now.Before && c.After == now.After &&
		c.Reason == now.Reason && c.Diff == now.Diff &&
		slices.Equal(c.Commands, now.Commands) && slices.Equal(c.Inverse, now.Inverse)
}

// node is what a saved plan says of a node.
func (d Document) node(name string) DocumentNode {
	i := slices.IndexFunc(d.Nodes, func(n DocumentNode) bool { return n.Name == name })
	if i < 0 {
		return DocumentNode{}
	}
	return d.Nodes[i]
}

// staleNodes are the nodes that are refused.
type staleNodes map[string]*StaleError

func (s staleNodes) of(node string) *StaleError {
	if s[node] == nil {
		s[node] = &StaleError{Node: node}
	}
	return s[node]
}

func (s staleNodes) unsaid(node, danger string) {
	e := s.of(node)
	e.Unsaid = append(e.Unsaid, danger)
}

// compare holds a node against what its saved plan says of it.
func (s staleNodes) compare(now *Node, then DocumentNode) {
	if then.Role != now.Role || then.Address != now.Address {
		s.unsaid(now.Name, "it is "+now.Role+" "+now.Name+" ("+now.Address+")")
	}
	said := map[string]bool{}
	for _, w := range then.Warnings {
		said[withoutNumbers(w)] = true
	}
	for _, w := range now.Warnings {
		if !said[withoutNumbers(w)] {
			s.unsaid(now.Name, w)
		}
	}
}

var number = regexp.MustCompile(`[0-9]+`)

// withoutNumbers is a warning whose counts and seconds do not matter.
func withoutNumbers(text string) string { return number.ReplaceAllString(text, "#") }

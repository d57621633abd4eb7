package plan

import (
	"regexp"
	"slices"
)

// changeKey identifies a change in a document, which holds no typed keys.
type changeKey struct{ node, kind, key string }

func (c *DocumentItem) ref() changeKey { return changeKey{c.Node, c.Kind, c.Key} }

// Restrict drops from a new plan the actions that a saved one does not have. A change that
// only the saved plan has needs no action: the node is as wanted by now.
//
// It sets Stale on a node that is neither as the saved plan found it nor as that wants
// it, and on one with a danger that the saved plan does not show: nobody has approved
// that. The actions of such a node are held back.
func (p *Plan) Restrict(s Saved) {
	changes := map[changeKey]*DocumentItem{}
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
		case !c.sameAs(&now):
			e := stale.of(a.Node)
			e.Conflicts = append(e.Conflicts, c.conflict(a.Change))
		case a.Risk != "" && withoutNumbers(string(a.Risk)) != withoutNumbers(string(c.Risk)):
			stale.notShown(a.Node, now.Kind+" "+now.Key+" "+string(a.Risk))
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
	p.dropLostNeeds()
	for i := range p.Actions {
		a := &p.Actions[i]
		held := changes[changeKey{a.Node, string(a.Kind), a.Key.String()}].HeldBack
		switch {
		case stale[a.Node] != nil:
			a.Held = a.Node + " was changed since the plan was made"
		case a.Held == "" && held != "":
			a.Held = held
		}
	}
}

// dropLostNeeds drops from Needs the IDs of actions that are no longer in the plan.
func (p *Plan) dropLostNeeds() {
	kept := map[int]bool{}
	for _, a := range p.Actions {
		kept[a.ID] = true
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		a.Needs = slices.DeleteFunc(a.Needs, func(id int) bool { return !kept[id] })
	}
}

// sameAs reports whether a saved change is the same as the one of the new plan, in everything
// that a person is shown except its risk: that holds numbers which change all the time.
func (c *DocumentItem) sameAs(now *DocumentItem) bool {
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

// staleNodes are the errors of the nodes that are refused, by name.
type staleNodes map[string]*StaleError

func (s staleNodes) of(node string) *StaleError {
	if s[node] == nil {
		s[node] = &StaleError{Node: node}
	}
	return s[node]
}

func (s staleNodes) notShown(node, danger string) {
	e := s.of(node)
	e.NotShown = append(e.NotShown, danger)
}

// compare refuses a node whose role or address the saved plan shows otherwise, and one
// with a warning that the saved plan does not show.
func (s staleNodes) compare(now *Node, then DocumentNode) {
	if then.Role != now.Role || then.Address != now.Address {
		s.notShown(now.Name, "it is "+now.Role+" "+now.Name+" ("+now.Address+")")
	}
	said := map[string]bool{}
	for _, w := range then.Warnings {
		said[withoutNumbers(w)] = true
	}
	for _, w := range now.Warnings {
		if !said[withoutNumbers(w)] {
			s.notShown(now.Name, w)
		}
	}
}

var (
	// number is a number, or an address.
	number = regexp.MustCompile(`[0-9a-fA-F]*[0-9:.][0-9a-fA-F:.]*`)
	// counted is what follows a number: of one and of several it is called the same.
	counted = regexp.MustCompile(`# ((?:[a-z]+ )?[a-z]+?)s?\b`)
)

// withoutNumbers replaces the numbers and addresses in a warning or a risk: counts and
// seconds may differ, and an SSH session's addresses are its client's.
func withoutNumbers(text string) string {
	return counted.ReplaceAllString(number.ReplaceAllString(text, "#"), "# $1")
}

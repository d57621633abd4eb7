package plan

import (
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Nodes that change between a plan and its apply.
//
// A plan holds for the node as it was read. Before the first change the node is read again
// under its lock, and planned again. If a change that comes out is another one than the
// planned one, somebody was there meanwhile, and that node is left alone.

// StaleError is the error of a node that has changed since it was read for the plan.
type StaleError struct {
	Node      string // its name
	Conflicts []Conflict
	// NotShown are dangers and warnings that a saved plan does not show.
	NotShown []string
}

// Conflict is an entry with three values in words: the one that the plan was made from,
// the one that it wants, and the one that was found now.
type Conflict struct {
	Kind, Key            string
	Planned, Want, Found string
}

func (e *StaleError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s was changed since the plan was made; nothing was changed there now", e.Node)
	for _, c := range e.Conflicts {
		fmt.Fprintf(&b, "\n  %s %s: planned on %s, wanted %s, found %s", c.Kind, c.Key, c.Planned, c.Want, c.Found)
	}
	for _, danger := range e.NotShown {
		fmt.Fprintf(&b, "\n  the plan does not say: %s", danger)
	}
	b.WriteString("\nMake a new plan.")
	return b.String()
}

// Agrees reports whether a change that was found now is the one that was planned.
func (a *Action) Agrees(now state.Change) bool {
	return now.Op == a.Op && now.Before == a.Before && now.After == a.After && now.BeforeText == a.BeforeText && now.AfterText == a.AfterText
}

// Conflict compares a planned action with the change that would be needed now.
func (a *Action) Conflict(now state.Change) Conflict {
	planned := a.document()
	return planned.conflict(now)
}

func (c *DocumentItem) conflict(now state.Change) Conflict {
	return Conflict{
		Kind: c.Kind, Key: c.Key,
		Planned: OrAbsent(c.Action == state.Add, c.Before),
		Want:    OrAbsent(c.Action == state.Remove, c.After),
		Found:   OrAbsent(now.Op == state.Add, now.Before),
	}
}

// OrAbsent is an entry's value in a sentence: "absent" if there is none, "there" if the
// entry has no value.
func OrAbsent(absent bool, value string) string {
	switch {
	case absent:
		return "absent"
	case value == "":
		return "there"
	}
	return live.Said(value)
}

package plan

import (
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// StaleError says that a node is not as it was when it was planned for.
type StaleError struct {
	Node      string
	Conflicts []Conflict
	// Unsaid are dangers of which a saved plan says nothing.
	Unsaid []string
}

// Conflict is one entry with its three values, as a person reads them.
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
	for _, danger := range e.Unsaid {
		fmt.Fprintf(&b, "\n  the plan does not say: %s", danger)
	}
	b.WriteString("\nMake a new plan.")
	return b.String()
}

// Agrees reports whether a change is the one that was planned.
func (a *Action) Agrees(now state.Change) bool {
	return now.Op == a.Op && now.Before == a.Before && now.After == a.After && now.BeforeText == a.BeforeText && now.AfterText == a.AfterText
}

// Conflict is a planned action against what would have to change now.
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

// OrAbsent is a value in a sentence.
func OrAbsent(absent bool, value string) string {
	switch {
	case absent:
		return "absent"
	case value == "":
		return "there"
	}
	return value
}

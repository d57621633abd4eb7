package state

import (
	"slices"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Op is what a change does to an entry.
type Op string

// The operations, by the names in plans and JSON.
const (
	Add    Op = "add"
	Edit   Op = "change"
	Remove Op = "remove"
)

// Symbol is the operation's sign in a plan: +, ~ or -.
func (o Op) Symbol() string {
	switch o {
	case Add:
		return "+"
	case Edit:
		return "~"
	}
	return "-"
}

// Change is one difference between two States, with the commands that make it and the
// ones that undo it.
type Change struct {
	Op Op
	Ref
	// Before and After are the entry's values in words. Before is "" for an addition,
	// After for a removal.
	Before, After string
	// BeforeText and AfterText are the contents of a file.
	BeforeText, AfterText string
	Do, Undo              []shell.Command
	// Quiesce are commands that run before the first entry of a batch is removed. They
	// stop new traffic to this one, so that the servers of a batch drain at the same
	// time.
	Quiesce []shell.Command
}

// Diff lists the changes that turn have into want, by kind in order of creation, and
// sorted within each. An entry that is only in have is removed. So have must hold only
// what the plan may touch, as [Settled.Have] does.
func Diff(have, want *State) []Change {
	var changes []Change
	for _, k := range kinds {
		changes = append(changes, k.diff(have, want)...)
	}
	return changes
}

func (t *table[K, V]) diff(haveState, wantState *State) []Change {
	have, want := *t.of(haveState), *t.of(wantState)
	var keys []K
	for k, v := range want {
		if old, ok := have[k]; !ok || old != v {
			keys = append(keys, k)
		}
	}
	if t.unmake != nil {
		for k := range have {
			if _, ok := want[k]; !ok {
				keys = append(keys, k)
			}
		}
	}
	slices.SortFunc(keys, t.compare)

	changes := make([]Change, 0, len(keys))
	for _, k := range keys {
		before, had := have[k]
		after, wanted := want[k]
		c := Change{Ref: t.ref(k)}
		switch {
		case !had:
			c.Op, c.After = Add, t.value(after)
			c.Do, c.Undo = t.make(wantState, k, after), t.undo(haveState, k, after)
		case !wanted:
			c.Op, c.Before = Remove, t.value(before)
			if t.quiesce != nil {
				c.Quiesce = t.quiesce(wantState, k, before)
			}
			c.Do, c.Undo = t.unmake(wantState, k, before), t.make(haveState, k, before)
		default:
			c.Op, c.Before, c.After = Edit, t.value(before), t.value(after)
			c.Do, c.Undo = t.replace(wantState, k, before, after), t.replace(haveState, k, after, before)
		}
		if t.text != nil {
			c.BeforeText, c.AfterText = t.text(haveState, before), t.text(wantState, after)
		}
		changes = append(changes, c)
	}
	return changes
}

// undo returns the commands that remove a new entry again. There are none for a kind that
// lvsctl never removes.
func (t *table[K, V]) undo(to *State, k K, v V) []shell.Command {
	if t.unmake == nil {
		return nil
	}
	return t.unmake(to, k, v)
}

func (t *table[K, V]) replace(to *State, k K, from, v V) []shell.Command {
	if t.edit != nil {
		return t.edit(to, k, from, v)
	}
	return append(t.unmake(to, k, from), t.make(to, k, v)...)
}

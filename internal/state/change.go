package state

import (
	"slices"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Op is what happens to one entry.
type Op string

// The operations, as they stand in plans and in JSON.
const (
	Add    Op = "add"
	Edit   Op = "change"
	Remove Op = "remove"
)

// Symbol is the sign that people know the operation by, as in a plan.
func (o Op) Symbol() string {
	switch o {
	case Add:
		return "+"
	case Edit:
		return "~"
	}
	return "-"
}

// Change is one difference, with the commands that close it and those that
// undo it. It is data: nothing in it knows SSH, colours or ownership.
type Change struct {
	Op Op
	Ref
	// Before and After are the entry's values as a person reads them; Before is ""
	// for an addition, After for a removal.
	Before, After string
	// BeforeText and AfterText are a file's, in full.
	BeforeText, AfterText string
	Do, Undo              []shell.Command
	// Quiesce goes before all of a batch's steps: it keeps new traffic from what
	// is about to leave, so that everything leaves at the same time.
	Quiesce []shell.Command
}

// Diff lists what turns have into want, kind by kind in order of creation,
// sorted within each. Every entry of have counts: [Settle] first.
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

// undo takes a new entry away again. One of a kind that lvsctl never takes away
// stays.
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

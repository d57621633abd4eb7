package state

import (
	"maps"
	"slices"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// kind is one sort of thing on a node, whatever its entries' types are.
type kind interface {
	kindName() string
	init(*State)
	settle(to *Settled, live, want *State, old Record, exclusive bool)
	diff(have, want *State) []Change
	confirm(to *Record, final *State, s Settled)
	count(*State) int
	without(s *State, refs map[Ref]bool)
}

// table is a kind: one map of the State, and all that is known of its entries.
type table[K, V comparable] struct {
	name string
	// permanent entries are made and then left for good: no record names them.
	permanent bool
	// fixed entries come and go with their device or module: one that is not
	// there can be changed once it is, but not restored.
	fixed bool
	// of points at the kind's map in a State.
	of func(*State) *map[K]V
	// compare orders entries within the kind: the order they are made in.
	compare func(a, b K) int
	// key and value are an entry as a person reads it.
	key   func(K) string
	value func(V) string
	// text, if set, is the value in full, where value only sums it up.
	text func(V) string
	// make, edit and unmake are the commands for one entry on the way to a State.
	// A nil edit unmakes and makes; a nil unmake means that entries are never
	// taken away.
	make   func(to *State, k K, v V) []shell.Command
	edit   func(to *State, k K, from, v V) []shell.Command
	unmake func(to *State, k K, v V) []shell.Command
	// quiesce, if set, is what goes before unmake, and before that of every other
	// entry.
	quiesce func(to *State, k K, v V) []shell.Command
	// adopt, if set, bends wanted entries to live ones that serve as well, and
	// fills in have with what is not there yet but will be. live is the node
	// whole, have what of it the plan may touch.
	adopt func(live *State, old Record, have, want map[K]V)
	// claim, if set, reports whether the plan removes a live entry that is not
	// wanted, whoever made it, and keeps it away.
	claim func(want *State, old Record, exclusive bool, k K) bool
	// side, if set, names entries that change by themselves when k does.
	side func(live *State, k K) []K
	// was, if set, is what an entry was before the record's entries were made, where
	// the live value comes of them.
	was func(old Record, k K, live V) V
	// late, if set, reports whether a claimed entry can only have come after what
	// the record says we set: then it is drift, and nothing to put back.
	late func(set *State, k K) bool
	// held, if set, reports whether an entry that was recorded only for its old
	// value still has its cause in want.
	held func(want *State, k K) bool
}

func (t *table[K, V]) kindName() string { return t.name }

func (t *table[K, V]) init(s *State) { *t.of(s) = map[K]V{} }

// Ref names one entry of any kind.
type Ref struct{ Kind, Key string }

// Change is one difference, with the commands that close it and those that
// undo it. It is data: nothing in it knows SSH, colours or ownership.
type Change struct {
	Op   Op
	Kind string
	// Key is the entry's identity, Before and After its values, all as a person
	// reads them; Before is "" for an addition, After for a removal.
	Key, Before, After string
	// BeforeText and AfterText are a file's, in full.
	BeforeText, AfterText string
	Do, Undo              []shell.Command
	// Quiesce goes before all of a batch's steps: it keeps new traffic from what
	// is about to leave, so that everything leaves at the same time.
	Quiesce []shell.Command
	// Server is set on changes to servers of a virtual service, for ordering
	// against the real server it names.
	Server *ServerChange
}

// Ref names the entry that changes.
func (c Change) Ref() Ref { return Ref{c.Kind, c.Key} }

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
		c := Change{Kind: t.name, Key: t.key(k)}
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
			c.BeforeText, c.AfterText = t.text(before), t.text(after)
		}
		if sk, ok := any(k).(ServerKey); ok {
			c.Server = serverChange(sk, any(before), any(after))
		}
		changes = append(changes, c)
	}
	return changes
}

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

// Clone returns a State that shares nothing with s.
func (s *State) Clone() *State {
	c := *s
	c.Sysctls = maps.Clone(s.Sysctls)
	c.Packages = maps.Clone(s.Packages)
	c.Modules = maps.Clone(s.Modules)
	c.Links = maps.Clone(s.Links)
	c.Addresses = maps.Clone(s.Addresses)
	c.Routes = maps.Clone(s.Routes)
	c.Rules = maps.Clone(s.Rules)
	c.Blocks = maps.Clone(s.Blocks)
	c.Files = maps.Clone(s.Files)
	c.Units = maps.Clone(s.Units)
	c.Timeouts = maps.Clone(s.Timeouts)
	c.Daemons = maps.Clone(s.Daemons)
	c.Services = maps.Clone(s.Services)
	c.Servers = maps.Clone(s.Servers)
	return &c
}

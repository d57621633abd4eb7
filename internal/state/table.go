package state

import (
	"maps"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// kind is a table without its type parameters, so that kinds can list all tables.
type kind interface {
	is() Kind
	init(*State)
	clone(to, from *State)
	become(s, have, want *State)
	graft(to, a, b, is *State) []Ref
	note(to *Settled, after Record)
	count(*State) int
	without(s *State, refs map[Ref]bool)
	adopt(to, from *Record)
	shared(a, b *State) []Ref
	diff(have, want *State) []Change
	wants(Settled) bool
	settle(to *Settled, live, want *State, old Record, exclusive bool)
	confirm(to *Record, final *State, s Settled)
}

// table is everything that is known of a kind: its map in the State, and how its entries
// are compared and changed. Fields that are nil are explained at each.
type table[K, V comparable] struct {
	kind     Kind
	lifetime lifetime
	// of returns the kind's map in a State.
	of func(*State) *map[K]V
	// compare is the order in which entries are made.
	compare func(a, b K) int
	// key returns the [Ref.Key] of an entry, and value its value in words. text returns
	// the value in full, for kinds whose value is only a summary; else it is nil.
	key   func(K) Key
	value func(V) string
	text  func(in *State, v V) string

	// make, edit and unmake return the commands for one entry. to is the whole State
	// that the commands lead to. If edit is nil, an entry is changed by unmake and make.
	// If unmake is nil, entries are never removed.
	make   func(to *State, k K, v V) []shell.Command
	edit   func(to *State, k K, from, v V) []shell.Command
	unmake func(to *State, k K, v V) []shell.Command
	// quiesce returns commands that run before any entry of the batch is removed. It may
	// be nil.
	quiesce func(to *State, k K, v V) []shell.Command

	// fit adapts the wanted entries to the node before they are compared. It may be nil.
	// If a live entry does what the wanted one should, it replaces that in want. If an
	// entry will appear along with its device or module, have gets the value that it
	// will start with. live is the whole node, have is what the plan may touch.
	fit func(live *State, old Record, have, want map[K]V)
	// possible reports whether the node accepts an old value where there is no entry
	// now. If not, the value stays in the record. nil means that it always does.
	possible func(live *State, v V) bool
	// foreign decides about live entries that are neither wanted nor recorded. nil means
	// that they are left alone.
	foreign *foreignRule[K]
	// effects describes how the kernel changes entries along with others. nil means that
	// it does not.
	effects *sideEffects[K, V]
}

// lifetime is how entries of a kind begin and end.
type lifetime int

const (
	// The zero value is for entries that are added and removed. permanent entries are
	// added and never removed, so no record names them.
	permanent lifetime = iota + 1
	// given entries appear and disappear with their device or module. Their value can be
	// changed and restored, but an entry that is not there cannot be added.
	given
)

// foreignRule decides about entries that somebody else made.
type foreignRule[K comparable] struct {
	// removed reports whether the plan removes such an entry.
	removed func(want *State, old Record, exclusive bool, k K) bool
	// drift reports whether such an entry must have come after set, which is the
	// record's. Then it is drift, and will not be restored later. nil means never.
	drift func(set *State, k K) bool
}

// sideEffects describes a kind of which the kernel changes some entries when another one
// is written.
type sideEffects[K, V comparable] struct {
	// of returns the entries that change when k is written.
	of func(live *State, k K) []K
	// before returns the value that k had before the record's entries were written. live
	// is its value now, which may be an effect of them.
	before func(old Record, k K, live V) V
	// caused reports whether want still has the entry along with which k changed.
	caused func(want *State, k K) bool
	// same returns another key of the same variable of the kernel, if there is one. While
	// one of the two is wanted, the other one is not restored.
	same func(k K) (K, bool)
}

func (t *table[K, V]) is() Kind { return t.kind }

func (t *table[K, V]) init(s *State) { *t.of(s) = map[K]V{} }

func (t *table[K, V]) clone(to, from *State) { *t.of(to) = maps.Clone(*t.of(from)) }

// become replaces the entries of have in s by those of want.
func (t *table[K, V]) become(s, have, want *State) {
	for k := range *t.of(have) {
		delete(*t.of(s), k)
	}
	maps.Copy(*t.of(s), *t.of(want))
}

// graft gives to the entries of is that differ between a and b, and returns them.
func (t *table[K, V]) graft(to, a, b, is *State) []Ref {
	var refs []Ref
	one := func(k K) {
		refs = append(refs, t.ref(k))
		if v, ok := (*t.of(is))[k]; ok {
			(*t.of(to))[k] = v
		} else {
			delete(*t.of(to), k)
		}
	}
	of, other := *t.of(a), *t.of(b)
	for k, v := range of {
		if w, ok := other[k]; !ok || w != v {
			one(k)
		}
	}
	for k := range other {
		if _, ok := of[k]; !ok {
			one(k)
		}
	}
	return refs
}

// note adds those entries of a record that are in to.Only: all to what is confirmed,
// and to the intent those that it has not yet, with what they were.
func (t *table[K, V]) note(to *Settled, after Record) {
	set, before := *t.of(to.Intent.Set), *t.of(to.Intent.Before)
	for k, v := range *t.of(after.Set) {
		if !to.Only[t.ref(k)] {
			continue
		}
		(*t.of(to.Confirms))[k] = v
		if _, known := set[k]; known {
			continue
		}
		set[k] = v
		if b, had := (*t.of(after.Before))[k]; had {
			before[k] = b
		}
	}
}

func (t *table[K, V]) count(s *State) int { return len(*t.of(s)) }

// wants reports whether an entry of the kind is wanted that a record would hold.
func (t *table[K, V]) wants(s Settled) bool {
	if t.lifetime == permanent {
		return false
	}
	for k := range *t.of(s.Want) {
		if !s.Restored[t.ref(k)] {
			return true
		}
	}
	return false
}

func (t *table[K, V]) ref(k K) Ref { return Ref{t.kind, t.key(k)} }

// without removes the entries in refs from s.
func (t *table[K, V]) without(s *State, refs map[Ref]bool) {
	if len(refs) == 0 {
		return
	}
	maps.DeleteFunc(*t.of(s), func(k K, _ V) bool { return refs[t.ref(k)] })
}

package state

import (
	"maps"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// kind is one sort of thing on a node, whatever its entries' types are.
type kind interface {
	is() Kind
	init(*State)
	clone(to, from *State)
	become(s, have, want *State)
	count(*State) int
	without(s *State, refs map[Ref]bool)
	adopt(to, from *Record)
	shared(a, b *State) []Ref
	diff(have, want *State) []Change
	settle(to *Settled, live, want *State, old Record, exclusive bool)
	confirm(to *Record, final *State, s Settled)
}

// table is a kind: one map of the State, and all that is known of its entries.
type table[K, V comparable] struct {
	kind     Kind
	lifetime lifetime
	// of points at the kind's map in a State.
	of func(*State) *map[K]V
	// compare orders entries within the kind: the order they are made in.
	compare func(a, b K) int
	// key is what a [Ref] holds of an entry, and value its value as a person reads
	// it. text is the value in full, for kinds whose value only sums it up.
	key   func(K) Key
	value func(V) string
	text  func(in *State, v V) string

	// make, edit and unmake are the commands for one entry on the way to a State.
	// A nil edit unmakes and makes; a nil unmake means that entries are never
	// taken away.
	make   func(to *State, k K, v V) []shell.Command
	edit   func(to *State, k K, from, v V) []shell.Command
	unmake func(to *State, k K, v V) []shell.Command
	// quiesce, if set, is what goes before unmake, and before that of every other
	// entry.
	quiesce func(to *State, k K, v V) []shell.Command

	// fit, if set, fits the wanted entries to the node before they are compared. A
	// live entry that serves as well as the wanted one is wanted as it is; have
	// gets the value that an entry will start with once its device or module is
	// there. live is the node whole, have what of it the plan may touch.
	fit func(live *State, old Record, have, want map[K]V)
	// possible, if set, reports whether the node takes an old value back in a place
	// that is empty now. One that it does not take stays in the record.
	possible func(live *State, v V) bool
	// foreign, if set, decides about live entries that nobody wants and no record
	// names. Without it they are left alone.
	foreign *foreignRule[K]
	// effects, if set, says how a change of one entry changes others by itself.
	effects *sideEffects[K, V]
}

// lifetime is how entries of a kind come to be and end. With the zero value they
// are made and taken away.
type lifetime int

const (
	// The zero value is for entries that are made and taken away. permanent entries
	// are made and then left for good: no record names them.
	permanent lifetime = iota + 1
	// given entries come and go with their device or module. Their value can be
	// changed and restored, but one that is not there cannot be made.
	given
)

// foreignRule decides about entries that somebody else made.
type foreignRule[K comparable] struct {
	// removed reports whether the plan removes such an entry and keeps it away.
	removed func(want *State, old Record, exclusive bool, k K) bool
	// drift, if set, reports whether the entry can only have come after set, which
	// is what the record says we set. Then it is drift, and nothing to put back
	// later.
	drift func(set *State, k K) bool
}

// sideEffects is for a kind where the kernel changes some entries when another is
// written.
type sideEffects[K, V comparable] struct {
	// of names the entries that change when k is written.
	of func(live *State, k K) []K
	// before is the value that an entry had before the record's entries were
	// written, where the live value may come of them.
	before func(old Record, k K, live V) V
	// caused reports whether want still holds the entry by which k changed.
	caused func(want *State, k K) bool
	// same is another key of the very thing that k stands for, if there is one. What
	// is wanted under the one is not brought back under the other.
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

func (t *table[K, V]) count(s *State) int { return len(*t.of(s)) }

func (t *table[K, V]) ref(k K) Ref { return Ref{t.kind, t.key(k)} }

// without takes the entries out of s that refs name.
func (t *table[K, V]) without(s *State, refs map[Ref]bool) {
	if len(refs) == 0 {
		return
	}
	maps.DeleteFunc(*t.of(s), func(k K, _ V) bool { return refs[t.ref(k)] })
}

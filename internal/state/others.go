package state

import (
	"maps"
	"slices"
)

// Records of several topologies on one node.
//
// Each topology has a record of its own there, and two of them may want the same:
// a kernel parameter, a VIP with two ports. What another record holds too is not
// taken away when this topology gives it up, and is no longer this one's; the
// record that holds it last knows what was there before. For that the second who
// comes takes over what the first has noted (rememberBefore).

// Adopt makes what another topology's record holds a part of this one, as if this
// topology had set it then.
func (r *Record) Adopt(other Record) {
	for _, k := range kinds {
		k.adopt(r, &other)
	}
}

func (t *table[K, V]) adopt(to, from *Record) {
	set, before := *t.of(to.Set), *t.of(to.Before)
	olderSet, older := *t.of(from.Set), *t.of(from.Before)
	for k, v := range olderSet {
		if _, ours := set[k]; !ours {
			set[k] = v
		}
		delete(before, k) // it was set by then
	}
	maps.Copy(before, older)
}

// heldBy is the first other record that holds an entry.
func (t *table[K, V]) heldBy(r Record, k K) (before V, had, held bool) {
	for _, o := range r.Others {
		if _, held := (*t.of(o.Set))[k]; held {
			before, had := (*t.of(o.Before))[k]
			return before, had, true
		}
	}
	return before, false, false
}

// Sole reports whether an entry of a kind is one topology's by nature, as a VIP or a
// virtual server is and a kernel parameter is not.
func (k Kind) Sole() bool {
	switch k {
	case KindAddress, KindRule, KindRoute, KindService, KindServer, KindDaemon:
		return true
	}
	return false
}

// Shared are the entries of a State that another one has too, in order: of those
// kinds that are one topology's by nature.
func Shared(a, b *State) []Ref {
	var list []Ref
	for _, k := range kinds {
		if k.is().Sole() {
			list = append(list, k.shared(a, b)...)
		}
	}
	return list
}

func (t *table[K, V]) shared(a, b *State) []Ref {
	var list []Ref
	for _, k := range slices.SortedFunc(maps.Keys(*t.of(a)), t.compare) {
		if _, ok := (*t.of(b))[k]; ok {
			list = append(list, t.ref(k))
		}
	}
	return list
}

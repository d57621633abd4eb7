package state

import (
	"maps"
	"slices"
)

// Records of several topologies on one node.
//
// Each topology has its own record, and two of them may want the same entry: a kernel
// parameter, or a VIP with two ports. When one topology gives up an entry that another
// record holds too, the entry stays, and leaves only the first one's record. The last
// record that holds it restores the old value. It can, because a second topology takes
// the old value from the first one's record (rememberBefore).
//
// Example. a wants ip_forward = 1 where it was 0, then b wants it too. a is destroyed:
// ip_forward stays 1, as b's record holds it. b is destroyed: ip_forward returns to 0.

// Adopt adds another topology's record to this one, as if this topology had set its
// entries at that time.
func (r *Record) Adopt(other Record) {
	for _, k := range kinds {
		k.adopt(r, &other)
	}
	for node, d := range other.Drained {
		if _, ours := r.Drained[node]; !ours {
			r.drain(node, d)
		}
	}
	for name, f := range other.FailedOver {
		if _, ours := r.FailedOver[name]; !ours {
			r.FailedOver = maps.Clone(r.FailedOver)
			if r.FailedOver == nil {
				r.FailedOver = map[string]FailedOver{}
			}
			r.FailedOver[name] = f
		}
	}
	r.Members.adopt(other.Members)
}

// adopt takes over whom the other record names. Its mark counts too.
func (m *Membership) adopt(other Membership) {
	if other.Mark != "" {
		m.Adopted = append(m.Adopted, other.Mark)
	}
	if m.Self.Name == "" {
		m.Self = other.Self
	}
	m.Others = append(m.Others, other.Others...)
	slices.SortFunc(m.Others, Member.Compare)
	m.Others = slices.CompactFunc(m.Others, Member.Equal)
}

func (t *table[K, V]) adopt(to, from *Record) {
	set, before := *t.of(to.Set), *t.of(to.Before)
	olderSet, older := *t.of(from.Set), *t.of(from.Before)
	for k, v := range olderSet {
		if _, ours := set[k]; !ours {
			set[k] = v
		}
		delete(before, k) // what this record saw was the other topology's value
	}
	maps.Copy(before, older)
}

// inOtherRecord reports whether another topology's record holds an entry (held). before is
// the old value there, and had whether there is one.
func (t *table[K, V]) inOtherRecord(r Record, k K) (before V, had, held bool) {
	for _, o := range r.Others {
		if _, held := (*t.of(o.Set))[k]; held {
			before, had := (*t.of(o.Before))[k]
			return before, had, true
		}
	}
	return before, false, false
}

// SingleOwner reports whether an entry of a kind normally belongs to one topology alone,
// as a VIP or a virtual server does. Two topologies often want the same kernel parameter.
func (k Kind) SingleOwner() bool {
	switch k {
	case KindAddress, KindRule, KindRoute, KindService, KindServer, KindDaemon:
		return true
	}
	return false
}

// Shared returns the entries of a that b has too, sorted, of those kinds that have a
// single owner. If two records share one, they may be the same topology's under two names.
func Shared(a, b *State) []Ref {
	var list []Ref
	for _, k := range kinds {
		if k.is().SingleOwner() {
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

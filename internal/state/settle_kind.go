package state

import "maps"

// settling is one kind of a node that is being settled.
type settling[K, V comparable] struct {
	*table[K, V]
	to         *Settled // the result
	liveState  *State
	wantState  *State
	old        Record
	exclusive  bool
	live       map[K]V // the kind's map in liveState
	have, want map[K]V // the kind's maps in to.Have and to.Want
}

func (t *table[K, V]) settle(to *Settled, live, want *State, old Record, exclusive bool) {
	s := settling[K, V]{
		table: t, to: to, liveState: live, wantState: want, old: old, exclusive: exclusive,
		live: *t.of(live), have: *t.of(to.Have), want: *t.of(to.Want),
	}
	maps.Copy(s.want, *t.of(want))
	for k := range s.want {
		s.touch(k)
	}
	if t.fit != nil {
		t.fit(live, old, s.have, s.want)
	}
	if t.lifetime != permanent {
		s.intend()
	}
	s.findDrift()
	wanted := maps.Clone(s.want) // restore adds old values to s.want
	s.removeForeign(wanted)
	s.restore(wanted)
}

// touch makes an entry part of the plan. So it does with those that change along with it,
// so that an undo sets them back too.
func (s *settling[K, V]) touch(k K) {
	if v, ok := s.live[k]; ok {
		s.have[k] = v
	}
	if s.effects == nil {
		return
	}
	for _, other := range s.effects.of(s.liveState, k) {
		s.touch(other)
	}
}

// intend fills the record of intent: with the wanted entries, and with the present value
// of those that are touched for the first time.
func (s *settling[K, V]) intend() {
	set, before := *s.of(s.to.Intent.Set), *s.of(s.to.Intent.Before)
	maps.Copy(set, *s.of(s.old.Set))
	maps.Copy(before, *s.of(s.old.Before))
	for k, v := range s.want {
		if _, known := set[k]; !known {
			s.rememberBefore(set, before, k)
		}
		set[k] = v
	}
}

// rememberBefore stores in before the present value of an entry that is touched for the
// first time, and those of the entries that change along with it.
func (s *settling[K, V]) rememberBefore(set, before map[K]V, k K) {
	// If it has changed along with another entry of this topology, before has the value
	// from before that. If another topology has set it, the old value is in its record.
	if _, noted := before[k]; !noted {
		if v, had, held := s.inOtherRecord(s.old, k); held {
			if had {
				before[k] = v
			}
		} else if v, ok := s.have[k]; ok {
			if s.effects != nil {
				v = s.effects.before(s.old, k, v)
			}
			before[k] = v
		}
	}
	if s.effects == nil {
		return
	}
	for _, other := range s.effects.of(s.liveState, k) {
		_, ours := set[other]
		_, noted := before[other]
		if v, ok := s.live[other]; ok && !ours && !noted {
			before[other] = v
		}
	}
}

// findDrift finds the entries that were set to the wanted value, and now have another one.
func (s *settling[K, V]) findDrift() {
	set := *s.of(s.old.Set)
	for k, v := range s.want {
		h, there := s.have[k]
		if old, ok := set[k]; ok && old == v && (!there || h != v) {
			s.to.Drifted[s.ref(k)] = true
		}
	}
}

// inTheWay reports whether a foreign entry with this key is removed. If it is, an old
// value of the entry cannot be set back now, and stays in the record.
func (s *settling[K, V]) inTheWay(k K) bool {
	return s.foreign != nil && s.foreign.removed(s.wantState, s.old, s.exclusive, k)
}

// removeForeign makes the foreign entries that are in the way part of the plan. They are
// removed, because they are not wanted.
func (s *settling[K, V]) removeForeign(wanted map[K]V) {
	set := *s.of(s.old.Set)
	for k := range s.live {
		if _, ok := wanted[k]; ok || !s.inTheWay(k) {
			continue
		}
		s.touch(k)
		if _, ours := set[k]; ours {
			continue
		}
		if s.foreign.drift != nil && s.foreign.drift(s.old.Set, k) {
			s.to.Drifted[s.ref(k)] = true
			continue
		}
		(*s.of(s.to.Intent.Before))[k] = s.live[k]
	}
}

// release leaves an entry to another topology whose record holds it too.
func (s *settling[K, V]) release(k K) {
	delete(*s.of(s.to.Intent.Set), k)
	delete(*s.of(s.to.Intent.Before), k)
	s.to.Released = append(s.to.Released, s.ref(k))
}

// restore makes the recorded entries that are no longer wanted part of the plan. They are
// removed or set back, unless another topology's record holds them too.
func (s *settling[K, V]) restore(wanted map[K]V) {
	set, before := *s.of(s.old.Set), *s.of(s.old.Before)
	restoreOne := func(k K) {
		if _, _, held := s.inOtherRecord(s.old, k); held && !s.inTheWay(k) {
			s.release(k)
			return
		}
		s.touch(k)
		_, there := s.live[k]
		possible := func(b V) bool { return s.possible == nil || s.possible(s.liveState, b) }
		if b, had := before[k]; had && !s.inTheWay(k) && (there || s.lifetime != given && possible(b)) {
			s.want[k] = b
		}
		s.to.Restored[s.ref(k)] = true
	}
	for k := range set {
		if _, ok := wanted[k]; !ok && !s.wantedByAnotherName(wanted, k) {
			restoreOne(k)
		}
	}
	for k := range before {
		_, ours := set[k]
		_, stillWanted := wanted[k]
		caused := s.effects != nil && s.effects.caused(s.wantState, k)
		if !ours && !stillWanted && !caused && !s.inTheWay(k) {
			restoreOne(k)
		}
	}
}

// wantedByAnotherName reports whether another key of the same variable is wanted.
func (s *settling[K, V]) wantedByAnotherName(wanted map[K]V, k K) bool {
	if s.effects == nil {
		return false
	}
	other, ok := s.effects.same(k)
	_, is := wanted[other]
	return ok && is
}

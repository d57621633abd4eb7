package state

import "maps"

// settling is one kind of a node while it is settled.
type settling[K, V comparable] struct {
	*table[K, V]
	to         *Settled
	liveState  *State
	wantState  *State
	old        Record
	exclusive  bool
	live       map[K]V
	have, want map[K]V // to's
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
	wanted := maps.Clone(s.want) // before old values come back
	s.removeForeign(wanted)
	s.restore(wanted)
}

// touch makes an entry part of the plan, and with it those that change along with
// it, so that an undo puts them back too.
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

// intend completes the record with the wanted entries, and with what those that
// are touched for the first time were until now.
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

// rememberBefore notes what an entry is that we are about to touch for the first
// time, and what those are that will change along with it.
func (s *settling[K, V]) rememberBefore(set, before map[K]V, k K) {
	// Where something else of ours changed it, it is noted already: what it was
	// before that counts.
	if _, noted := before[k]; !noted {
		if v, had, held := s.heldBy(s.old, k); held {
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

// findDrift finds the entries that were set to what is wanted still, and differ.
func (s *settling[K, V]) findDrift() {
	set := *s.of(s.old.Set)
	for k, v := range s.want {
		h, there := s.have[k]
		if old, ok := set[k]; ok && old == v && (!there || h != v) {
			s.to.Drifted[s.ref(k)] = true
		}
	}
}

// inTheWay reports whether a foreign entry is removed. An old value in such a
// place does not come back, and stays in the record.
func (s *settling[K, V]) inTheWay(k K) bool {
	return s.foreign != nil && s.foreign.removed(s.wantState, s.old, s.exclusive, k)
}

// removeForeign makes the foreign entries that are in the way part of the plan.
// Not being wanted, they are removed.
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

// release leaves an entry to the other topology that holds it too.
func (s *settling[K, V]) release(k K) {
	delete(*s.of(s.to.Intent.Set), k)
	delete(*s.of(s.to.Intent.Before), k)
	s.to.Released = append(s.to.Released, s.ref(k))
}

// restore makes the recorded entries that are no longer wanted part of the plan.
// They become what they were.
func (s *settling[K, V]) restore(wanted map[K]V) {
	set, before := *s.of(s.old.Set), *s.of(s.old.Before)
	one := func(k K) {
		if _, _, held := s.heldBy(s.old, k); held && !s.inTheWay(k) {
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
			one(k)
		}
	}
	for k := range before {
		_, ours := set[k]
		_, stillWanted := wanted[k]
		caused := s.effects != nil && s.effects.caused(s.wantState, k)
		if !ours && !stillWanted && !caused && !s.inTheWay(k) {
			one(k)
		}
	}
}

func (s *settling[K, V]) wantedByAnotherName(wanted map[K]V, k K) bool {
	if s.effects == nil {
		return false
	}
	other, ok := s.effects.same(k)
	_, is := wanted[other]
	return ok && is
}

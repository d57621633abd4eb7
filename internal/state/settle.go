package state

import "maps"

// Settled is a node's case made simple: what of it may be touched, and what
// that is to become. After settling, nobody needs to ask again who owns what.
type Settled struct {
	// Have is the part of the live State that the plan may touch.
	Have *State
	// Want is the whole of what Have is to become: the wanted entries, bent to
	// live ones that serve as well, and the old values of recorded entries that
	// are no longer wanted. What is in Have and not in Want goes.
	Want *State
	// Intent is the record to write before the first change: should the apply
	// die half-way, what was there before is known.
	Intent Record
	// Restored holds the entries that are no longer wanted: they go, or return to
	// what they were.
	Restored map[Ref]bool
	// Drifted holds the entries that were as wanted when the topology was last
	// applied, and are not now.
	Drifted map[Ref]bool
}

// Wanted is the part of Want that is there because it is wanted, without the old
// values that come back.
func (s Settled) Wanted() *State {
	w := s.Want.Clone()
	for _, k := range kinds {
		k.without(w, s.Restored)
	}
	return w
}

// Settle decides what a plan may touch: what is wanted, what the record says we
// set, foreign servers inside a wanted service and, on an exclusive director,
// every other service. The rest of the live State never enters. It changes none
// of its arguments.
func Settle(live, want *State, old Record, exclusive bool) Settled {
	return SettleLasting(live, want, old, exclusive, nil)
}

// SettleLasting is [Settle] where what lasts depends on the rest: complete, if
// set, is told what all other kinds came to, and returns want with the entries of
// the kinds that are [Kind.Persistent].
func SettleLasting(live, want *State, old Record, exclusive bool, complete func(Settled) *State) Settled {
	s := Settled{
		Have:     New(),
		Want:     New(),
		Intent:   NewRecord(old.Topology),
		Restored: map[Ref]bool{},
		Drifted:  map[Ref]bool{},
	}
	s.Want.Drain = want.Drain
	for _, k := range kinds {
		if complete != nil && k.is().Persistent() {
			want, complete = complete(s), nil
		}
		k.settle(&s, live, want, old, exclusive)
	}
	return s
}

func (t *table[K, V]) settle(to *Settled, liveState, wantState *State, old Record, exclusive bool) {
	live, set, before := *t.of(liveState), *t.of(old.Set), *t.of(old.Before)
	have, want := *t.of(to.Have), *t.of(to.Want)
	maps.Copy(want, *t.of(wantState))
	var touch func(K)
	touch = func(k K) {
		if v, ok := live[k]; ok {
			have[k] = v
		}
		if t.effects == nil {
			return
		}
		for _, s := range t.effects.of(liveState, k) {
			touch(s) // so that an undo puts it back too
		}
	}
	for k := range want {
		touch(k)
	}
	if t.fit != nil {
		t.fit(liveState, old, have, want)
	}
	if t.lifetime != permanent {
		t.intend(to.Intent, liveState, have, want, old)
	}
	// An old value whose place is taken stays away, and stays recorded.
	taken := func(k K) bool {
		return t.foreign != nil && t.foreign.removed(wantState, old, exclusive, k)
	}
	restore := func(k K) {
		touch(k)
		_, there := live[k]
		if b, had := before[k]; had && !taken(k) && (there || t.lifetime != given) {
			want[k] = b
		}
		to.Restored[t.ref(k)] = true
	}
	for k, v := range want {
		h, there := have[k]
		if s, ok := set[k]; ok && s == v && (!there || h != v) {
			to.Drifted[t.ref(k)] = true
		}
	}
	wanted := maps.Clone(want)
	for k := range live {
		if _, ok := wanted[k]; ok || !taken(k) {
			continue
		}
		touch(k)
		if _, ours := set[k]; ours {
			continue
		}
		if t.foreign.drift == nil || !t.foreign.drift(old.Set, k) {
			(*t.of(to.Intent.Before))[k] = live[k]
			continue
		}
		to.Drifted[t.ref(k)] = true
	}
	for k := range set {
		if _, ok := wanted[k]; !ok {
			restore(k)
		}
	}
	for k := range before {
		_, ours := set[k]
		if _, ok := wanted[k]; ok || ours || taken(k) || t.effects != nil && t.effects.caused(wantState, k) {
			continue
		}
		restore(k)
	}
}

// intend completes the record with the wanted entries, and with what those that
// are touched for the first time were until now.
func (t *table[K, V]) intend(intent Record, live *State, have, want map[K]V, old Record) {
	set, before := *t.of(intent.Set), *t.of(intent.Before)
	maps.Copy(set, *t.of(old.Set))
	maps.Copy(before, *t.of(old.Before))
	for k, v := range want {
		if _, known := set[k]; !known {
			// What it was before something else of ours changed it counts.
			if _, kept := before[k]; !kept {
				if h, ok := have[k]; ok {
					if t.effects != nil {
						h = t.effects.before(old, k, h)
					}
					before[k] = h
				}
			}
			if t.effects != nil {
				for _, s := range t.effects.of(live, k) {
					_, ours := set[s]
					_, kept := before[s]
					if v, ok := (*t.of(live))[s]; ok && !ours && !kept {
						before[s] = v
					}
				}
			}
		}
		set[k] = v
	}
}

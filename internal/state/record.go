package state

import "maps"

// Record is what lvsctl keeps on each node for each topology: what it set
// there, and what was there before. It is what makes a removal exact, and what
// tells drift from a new wish.
type Record struct {
	// Sysctls lists every key the record names, so that a shell can read them all
	// before anything parses the rest. It is the first line after the brace.
	Sysctls  string `json:"sysctls"`
	Version  int    `json:"version"`
	Topology string `json:"topology"`
	// Set is what the topology holds on the node.
	Set *State `json:"set"`
	// Before is what entries of Set were when they were first touched, and what
	// else changed along with them; an entry that was not there is absent.
	Before *State `json:"before"`
}

// RecordVersion is the format this program writes. A record of a later one is
// refused: reading it wrongly could take away what is not ours.
const RecordVersion = 1

// NewRecord returns an empty record.
func NewRecord(topology string) Record {
	return Record{Version: RecordVersion, Topology: topology, Set: New(), Before: New()}
}

// Empty reports whether the record holds nothing.
func (r Record) Empty() bool {
	for _, k := range kinds {
		if k.count(r.Set) > 0 {
			return false
		}
	}
	return true
}

// Confirm is the record to leave behind once changes were made: of what was
// intended, what is now as wanted and what is not yet as it was before. s was
// settled from final, the node as read afterwards.
func Confirm(s Settled, final *State) Record {
	r := NewRecord(s.Intent.Topology)
	for _, k := range kinds {
		k.confirm(&r, final, s)
	}
	return r
}

// Promise is a record of everything but what lasts as it is, and of that as it
// was intended: the one to write before files are.
func (s Settled) Promise(live *State) Record {
	r := Confirm(s, live)
	for to, from := range map[*State]*State{r.Set: s.Intent.Set, r.Before: s.Intent.Before} {
		to.Blocks, to.Files, to.Units = maps.Clone(from.Blocks), maps.Clone(from.Files), maps.Clone(from.Units)
	}
	return r
}

// Kept is the live State with what lasts as it is wanted: after the files were
// written.
func (s Settled) Kept(live *State) *State {
	k := live.Clone()
	keep(k.Blocks, s.Have.Blocks, s.Want.Blocks)
	keep(k.Files, s.Have.Files, s.Want.Files)
	keep(k.Units, s.Have.Units, s.Want.Units)
	return k
}

func keep[K comparable, V any](live, have, want map[K]V) {
	for k := range have {
		delete(live, k)
	}
	maps.Copy(live, want)
}

func (t *table[K, V]) confirm(to *Record, final *State, s Settled) {
	live, want, set, before := *t.of(final), *t.of(s.Want), *t.of(s.Intent.Set), *t.of(s.Intent.Before)
	for k, v := range set {
		f, there := live[k]
		w, wanted := want[k]
		b, had := before[k]
		asWanted := wanted && there && f == w && !s.Restored[t.ref(k)]
		asBefore := there == had && f == b
		gone := t.lifetime == given && !there && !wanted // with its device or module
		if !asWanted && (asBefore || gone) {
			continue
		}
		(*t.of(to.Set))[k] = v
		if had {
			(*t.of(to.Before))[k] = b
		}
	}
	// What changed along with an entry, or made way for one, is remembered as long
	// as that is held, and until it is as before.
	for k, b := range before {
		_, ours := (*t.of(to.Set))[k]
		f, there := live[k]
		held := t.effects != nil && t.effects.caused(to.Set, k)
		if !ours && (held || f != b && (there || t.lifetime != given)) {
			(*t.of(to.Before))[k] = b
		}
	}
}

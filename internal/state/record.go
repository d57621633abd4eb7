package state

import "maps"

// Record is what lvsctl keeps on each node for each topology: what it set
// there, and what was there before. By it a removal is exact, and drift is told
// from a change of the topology.
type Record struct {
	// Sysctls lists every key the record names, so that a shell can read them all
	// before anything parses the rest. It is the first line after the brace.
	Sysctls  string `json:"sysctls"`
	Version  int    `json:"version"`
	Topology string `json:"topology"`
	// Exclusive reports that the node's virtual services were all to be this topology's.
	Exclusive bool `json:"exclusive,omitempty"`
	// Set is what the topology holds on the node.
	Set *State `json:"set"`
	// Before is what entries of Set were when they were first touched, and what
	// else changed along with them; an entry that was not there is absent.
	Before *State `json:"before"`
	// Others are the records that other topologies have on the node.
	Others []Record `json:"-"`
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
	r.Exclusive = s.Intent.Exclusive
	for _, k := range kinds {
		k.confirm(&r, final, s)
	}
	maps.Copy(r.Before.Addresses, s.Ceded)
	return r
}

// RecordBeforeFiles is the record to write before the files for the next boot are
// written: of everything else it says what was confirmed, of the files what is
// intended. live is the node as it was confirmed.
func (s Settled) RecordBeforeFiles(live *State) Record {
	r := Confirm(s, live)
	for _, k := range kinds {
		if k.is().Persistent() {
			k.clone(r.Set, s.Intent.Set)
			k.clone(r.Before, s.Intent.Before)
		}
	}
	return r
}

// RecordAfterFiles is the record to write once the files are written. They are
// not read again: the shell's functions that write them fail where they cannot.
func (s Settled) RecordAfterFiles(live *State) Record {
	after := live.Clone()
	for _, k := range kinds {
		if k.is().Persistent() {
			k.become(after, s.Have, s.Want)
		}
	}
	return Confirm(s, after)
}

// confirm is [Confirm] of one kind.
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
	// as that entry is ours, and until it is as before.
	for k, b := range before {
		_, ours := (*t.of(to.Set))[k]
		f, there := live[k]
		caused := t.effects != nil && t.effects.caused(to.Set, k)
		if !ours && (caused || f != b && (there || t.lifetime != given)) {
			(*t.of(to.Before))[k] = b
		}
	}
}

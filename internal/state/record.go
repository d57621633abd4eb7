package state

import (
	"slices"
	"time"
)

// Record is a file that lvsctl keeps on each node for each topology. It holds what the
// topology has set there, and what was there before. With it lvsctl can remove exactly
// that, and can tell drift from a change of the topology.
type Record struct {
	// Sysctls are the keys of all kernel parameters in the record, joined by blanks. The
	// script that reads a node takes them from the file's second line, because it has no
	// JSON parser.
	Sysctls  string `json:"sysctls"`
	Version  int    `json:"version"` // RecordVersion
	Topology string `json:"topology"`
	// Applied is the apply that wrote the record.
	Applied Applied `json:"applied,omitzero"`
	// Exclusive is set if all virtual services of the node should be this topology's.
	Exclusive bool `json:"exclusive,omitempty"`
	// Members are the nodes of the topology, as far as the record names them.
	Members Membership `json:"members,omitzero"`
	// Set are the entries that the topology has set.
	Set *State `json:"set"`
	// Before are the old values of the entries of Set, and of those that changed along
	// with them or were removed for them. An entry that did not exist is not in it.
	Before *State `json:"before"`
	// Drained are the real servers that people keep new connections from, by node.
	Drained map[string]Drained `json:"drained,omitempty"`
	// FailedOver are the instances whose addresses people keep on another director, by name.
	FailedOver map[string]FailedOver `json:"failed_over,omitempty"`
	// Others are the records of other topologies on the node.
	Others []Record `json:"-"`
}

// Applied is who applied a topology to a node, and when by the clock of the machine that
// lvsctl ran on. It is zero in a record of an lvsctl that did not write it.
type Applied struct {
	By string    `json:"by"` // user@host
	At time.Time `json:"at"` // UTC, in whole seconds
}

// RecordVersion is the version of the format that this program writes. It refuses records
// of a later version: if it misread one, it could remove what others own.
const RecordVersion = 1

// NewRecord returns an empty record.
func NewRecord(topology string) Record {
	return Record{Version: RecordVersion, Topology: topology, Set: New(), Before: New()}
}

// holds reports whether the record has an entry of some kind.
func (r Record) holds(some func(kind) bool) bool {
	return slices.ContainsFunc(kinds, func(k kind) bool { return some(k) && k.count(r.Set) > 0 })
}

// Holds reports whether the topology has set anything on the node, or somebody has
// drained a real server there.
func (r Record) Holds() bool {
	if len(r.Drained) > 0 {
		return true
	}
	for _, k := range kinds {
		if k.count(r.Set) > 0 {
			return true
		}
	}
	return false
}

// Empty reports whether there is nothing to keep: a director's record may hold nothing
// and know of others that do.
func (r Record) Empty() bool {
	return !r.Holds() && (r.Members.Self.Role != Director || len(r.Members.Others) == 0)
}

// Confirm returns the record to write after the changes. final is the node as it was read
// afterwards, and s was settled from it. The record has the entries of s.Intent except
// those that are as they were before, and are not wanted.
func Confirm(s Settled, final *State) Record {
	r := NewRecord(s.Intent.Topology)
	r.Exclusive = s.Intent.Exclusive
	r.Drained, r.FailedOver = s.Drained, s.FailedOver
	r.Members = s.Intent.Members
	for _, k := range kinds {
		k.confirm(&r, final, s)
	}
	r.keepCeded(s.Ceded)
	return r
}

// RecordBeforeFiles returns the record to write before the files for the next boot. It
// has all other entries as confirmed, and the files as intended. live is the node as it
// was confirmed.
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

// RecordAfterFiles returns the record to write after the files for the next boot. The
// files need not be read again, because the commands that write them report errors.
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
	if s.Confirms != nil {
		set = *t.of(s.Confirms)
	}
	others := func(k K) bool { return s.Only != nil && !s.Only[t.ref(k)] }
	for k, v := range set {
		if others(k) {
			(*t.of(to.Set))[k] = v
			continue
		}
		f, there := live[k]
		w, wanted := want[k]
		b, had := before[k]
		asWanted := wanted && there && f == w && !s.Restored[t.ref(k)]
		asBefore := there == had && f == b
		gone := t.lifetime == given && !there && !wanted // it went with its device or module
		if !asWanted && (asBefore || gone) {
			continue
		}
		(*t.of(to.Set))[k] = v
		if had {
			(*t.of(to.Before))[k] = b
		}
	}
	// An entry that changed along with another one, or was removed for it, stays in Before
	// while that other one is in Set, and after that until it is as before.
	for k, b := range before {
		if others(k) {
			(*t.of(to.Before))[k] = b
			continue
		}
		_, ours := (*t.of(to.Set))[k]
		f, there := live[k]
		caused := t.effects != nil && t.effects.caused(to.Set, k)
		if !ours && (caused || f != b && (there || t.lifetime != given)) {
			(*t.of(to.Before))[k] = b
		}
	}
}

package state

import "slices"

// Ownership: what a plan may touch.
//
// Terms. live is what was read from a node, want is what the topology asks for. The
// record is a file on the node. It holds the entries that this topology has set there
// (Set), and the values that they had before the topology first touched them (Before). An
// entry of Set that is not in Before did not exist. An entry is foreign if it is neither
// wanted nor recorded.
//
// Premise. A node is used by others too: by its distribution, by people who log in, by
// other topologies. So a plan may touch an entry only if the topology wants it or the
// record has it. A foreign entry is never part of a plan. If an entry was already as
// wanted before the first apply, Before holds it, and it stays when the topology no longer
// asks for it.
//
// Cases, by where an entry is found:
//
//	want  Set  Before  what happens to it
//	yes   no   no      It is added or changed to what is wanted. Set gets it, and
//	                   Before gets its old value, if there was any.
//	yes   yes  any     It is changed to what is wanted if it differs. If Set has the
//	                   wanted value, somebody else changed the entry: drift.
//	no    yes  no      It is removed.
//	no    yes  yes     It is set back to the value in Before.
//	no    no   yes     It changed along with an entry of the topology (sideEffects),
//	                   or was removed for one (foreignRule). It is set back when
//	                   that other entry is no longer wanted.
//	no    no   no      It is foreign and left alone, unless the kind's foreignRule
//	                   removes it: a server in a wanted service, a netfilter rule
//	                   with this topology's comment, any service on an exclusive
//	                   director. Then Before gets it.
//
// Two lifetimes differ. A permanent entry is not recorded. A given entry is not set back
// if its device or module is gone.
//
// Example. The topology wants net.ipv4.conf.all.arp_ignore = 1 and the VIP on lo. The node
// has arp_ignore = 0 and no VIP. The first apply records Set {arp_ignore 1, VIP} and
// Before {arp_ignore 0}. Later somebody deletes the VIP. The next plan adds it, and calls
// that drift. Then both leave the topology. The VIP is in Set and not in Before, so it is
// removed; arp_ignore is set back to 0. If the node had had arp_ignore = 2 from the start,
// that would do what 1 should (fit): Set and Before would both hold 2, and nothing would
// ever change.

// Settled is what a plan may touch on a node, and what that should become. Code that has
// it need not ask who owns an entry.
type Settled struct {
	// Have is the part of the live State that the plan may touch.
	Have *State
	// Want is what Have should become: the wanted entries, adapted to live ones that do
	// the same, and the old values of recorded entries that are no longer wanted. An
	// entry that is in Have and not in Want is removed.
	Want *State
	// Intent is the record to write before the first change. With it the old values are
	// known even if the apply is killed half-way.
	Intent Record
	// Drained are the real servers that people keep new connections from, once this is
	// confirmed. Until then Intent has those that the node's record has: an apply that
	// dies leaves them as they were.
	Drained map[string]Drained
	// FailedOver is the same of instances that are kept on another director.
	FailedOver map[string]FailedOver
	// Confirms is what the record holds as Set once this is confirmed, and Only the
	// entries that are a part of it: the others stay in the record as they are. Both are
	// nil for what Intent says, and all entries.
	Confirms *State
	Only     map[Ref]bool
	// Restored are the entries that are no longer wanted. They are removed, or set back
	// to their old values.
	Restored map[Ref]bool
	// Drifted are the entries that were as wanted after the last apply, and are not now.
	Drifted map[Ref]bool
	// Released are the entries that are no longer wanted and that another topology's
	// record holds too. They stay.
	Released []Ref
	// Ceded holds what addresses were that keepalived moves from now on.
	Ceded map[AddressKey]Address
}

// Wanted is Want without the old values that are set back.
func (s Settled) Wanted() *State {
	w := s.Want.Clone()
	for _, k := range kinds {
		k.without(w, s.Restored)
	}
	return w
}

// Wants reports whether there are wanted entries that a record would hold.
func (s Settled) Wants() bool {
	return slices.ContainsFunc(kinds, func(k kind) bool { return k.wants(s) })
}

// Settle decides what a plan may touch, as the top of this file says. old is the record on
// the node. exclusive removes every virtual service that is not wanted. Settle changes
// none of its arguments.
func Settle(live, want *State, old Record, exclusive bool) Settled {
	return SettleWithFiles(live, want, old, exclusive, nil)
}

// SettleWithFiles is [Settle] for a plan with files for the next boot. They depend on what
// all other kinds were settled to. files is called with that, and returns want with the
// entries of the kinds that are [Kind.Persistent]. It may be nil.
func SettleWithFiles(live, want *State, old Record, exclusive bool, files func(Settled) *State) Settled {
	s := Settled{
		Have:     New(),
		Want:     New(),
		Intent:   NewRecord(old.Topology),
		Restored: map[Ref]bool{},
		Drifted:  map[Ref]bool{},
	}
	s.Intent.Members = old.Members
	s.Want.Drain = want.Drain
	s.Intent.Exclusive = exclusive
	want = Quiesced(live, want, old)
	s.Intent.Drained, s.Drained = old.Drained, stillWanted(old.Drained, want)
	s.Intent.FailedOver, s.FailedOver = old.FailedOver, want.Governed.FailedOver
	s.govern(live, want)
	live, old = s.cede(live, want, old)
	for _, k := range kinds {
		if files != nil && k.is().Persistent() {
			want, files = files(s), nil
		}
		k.settle(&s, live, want, old, exclusive)
	}
	s.Intent.keepCeded(s.Ceded)
	return s
}

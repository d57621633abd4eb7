package state

import "maps"

// Ownership: what a plan may touch.
//
// Terms. live is what was read of a node, want is what the topology asks of it.
// The record is a file on the node that says what this topology has set there
// (Set) and what those entries were before it first touched them (Before); an
// entry of Set that is not in Before was not there. An entry is foreign if it is
// neither wanted nor recorded.
//
// Premise. A node belongs to others too: to its distribution, to people who log
// in, to other topologies. So the topology and the record alone give a right to an
// entry, and what is foreign is never part of a plan. An entry that was there as
// wanted before we came is recorded as such, and stays when the topology no
// longer asks for it.
//
// Cases, by where an entry is found:
//
//	want  Set  Before  what becomes of it
//	yes   no   no      It is added or changed to what is wanted. Set gets it, and
//	                   Before what was there, if anything was.
//	yes   yes  any     It is changed to what is wanted if it differs. If Set says
//	                   that it was so once, somebody changed it since: drift.
//	no    yes  no      It is removed.
//	no    yes  yes     It returns to what Before says.
//	no    no   yes     It changed because an entry of ours did (sideEffects), or it
//	                   made way for one (foreignRule). It returns once that cause
//	                   is no longer wanted.
//	no    no   no      It is foreign and left alone, unless the kind's foreignRule
//	                   says that it is in the way: a server in a wanted service, a
//	                   rule with our comment, any service on an exclusive director.
//	                   Then it is removed, and Before gets it.
//
// Two sorts of kind differ, see lifetime: a permanent entry is not recorded, and
// a given one is not brought back where its device or module is gone.
//
// Example. The topology wants net.ipv4.conf.all.arp_ignore = 1 and the VIP on lo.
// The node has arp_ignore = 0 and no VIP. The first apply records Set {arp_ignore
// 1, VIP} and Before {arp_ignore 0}. Later somebody deletes the VIP: the next plan
// adds it and calls that drift. Then both leave the topology: the VIP is in Set
// and not in Before, so it is removed; arp_ignore returns to 0. Had the node had
// arp_ignore = 2 from the start, that would have served as well (fit): Set and
// Before would both say 2, and nothing would ever change.

// Settled is a node's case once it is known what of it may be touched, and what
// that is to become. Whoever works with it need not ask who owns what.
type Settled struct {
	// Have is the part of the live State that the plan may touch.
	Have *State
	// Want is the whole of what Have is to become: the wanted entries, fitted to
	// live ones that serve as well, and the old values of recorded entries that are
	// no longer wanted. What is in Have and not in Want is removed.
	Want *State
	// Intent is the record to write before the first change: should the apply
	// die half-way, what was there before is known.
	Intent Record
	// Restored holds the entries that are no longer wanted: they are removed, or
	// return to what they were.
	Restored map[Ref]bool
	// Drifted holds the entries that were as wanted when the topology was last
	// applied, and are not now.
	Drifted map[Ref]bool
	// Released are the entries that are no longer wanted and that another topology's
	// record holds too: they stay, and are that topology's.
	Released []Ref
	// Ceded holds what addresses were that keepalived moves from now on.
	Ceded map[AddressKey]Address
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

// Settle decides what a plan may touch, see the top of this file. exclusive says
// that the node's virtual services are all this topology's. It changes none of
// its arguments.
func Settle(live, want *State, old Record, exclusive bool) Settled {
	return SettleWithFiles(live, want, old, exclusive, nil)
}

// SettleWithFiles is [Settle] where the files for the next boot depend on all
// else. files, if set, is told what every other kind was settled to. It returns
// want together with the entries of the kinds that are [Kind.Persistent].
func SettleWithFiles(live, want *State, old Record, exclusive bool, files func(Settled) *State) Settled {
	s := Settled{
		Have:     New(),
		Want:     New(),
		Intent:   NewRecord(old.Topology),
		Restored: map[Ref]bool{},
		Drifted:  map[Ref]bool{},
	}
	s.Want.Drain = want.Drain
	s.Intent.Exclusive = exclusive
	s.govern(live, want)
	live, old = s.cede(live, want, old)
	for _, k := range kinds {
		if files != nil && k.is().Persistent() {
			want, files = files(s), nil
		}
		k.settle(&s, live, want, old, exclusive)
	}
	maps.Copy(s.Intent.Before.Addresses, s.Ceded)
	return s
}

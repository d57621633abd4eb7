package plan

import (
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// When addresses go to another director, and how long that takes.
//
// A backup takes an address when it has heard no advert of the master for its takeover
// time (three adverts and a skew, RFC 5798 6.1), or discards them because the master's
// priority is lower than its own. The master leaves when it hears an advert of a higher
// priority.
//
// Example. lvs-1 holds the VIP, adverts are a second apart and the takeover time of lvs-2
// is 3.4 s. lvs-2 is reloaded first, and then lvs-1, which sends the lower priority from
// then on.
//
//	-1.0 s  the last advert of the old priority, which resets the timer of lvs-2
//	 0.0 s  lvs-1 is reloaded
//	 1.4 s  new connections are held on lvs-1 (After)
//	 2.4 s  lvs-2 sends an advert and takes the VIP; lvs-1 leaves
//
// If the last advert was later, so is the takeover: by an advert at most. Limit ends the
// holding in any case.

// yields are the addresses that this director holds and another one takes when both are
// changed, because it has the higher priority then. The director that holds them is
// changed last.
//
// They leave when the other has discarded adverts for its takeover time, counted from the
// last one that it took: that was up to an advert before the reload. New connections are
// held from an advert before that on, which is at least a second.
func (in *Input) yields(inputs []Input) state.Yield {
	var y state.Yield
	for _, own := range in.Keepalived.Instances {
		var taker keepalived.Instance
		for i := range inputs {
			other := &inputs[i]
			if other.Live != nil && other.Keepalived != nil && other.runsKeepalived() && other.instance(own.Name).Priority > taker.Priority {
				taker = other.instance(own.Name)
			}
		}
		if !own.Preempt || taker.Priority <= own.Priority {
			continue
		}
		before := min(max(own.AdvertInt, time.Second), 3*time.Second)
		after := max(0, keepalived.Takeover(taker, in.pair.version)-own.AdvertInt-before)
		for _, a := range own.Addresses() {
			if !in.pair.answers[a.Prefix.Addr()] {
				continue
			}
			if len(y.Addresses) == 0 || after < y.After {
				y.After = after
			}
			y.Addresses = append(y.Addresses, a.Prefix.Addr())
			y.Limit = max(y.Limit, before+own.AdvertInt+5*time.Second)
		}
	}
	return y
}

// election is how long the directors may need to agree on who is master, once this one
// runs what is wanted. It is 0 if its part in every instance stays as it is, because
// keepalived then goes on in the state that it has. A second is for the programs that are
// started meanwhile.
func (in *Input) election() time.Duration {
	if in.Keepalived == nil {
		return 0
	}
	facts := &in.Live.Facts.Keepalived
	runs := in.runsKeepalived()
	var longest time.Duration
	for _, i := range in.Keepalived.Instances {
		stays := slices.ContainsFunc(facts.Loaded.Instances, i.Equal)
		if !runs || !stays {
			longest = max(longest, keepalived.Takeover(i, facts.Version)+time.Second)
		}
	}
	return longest
}

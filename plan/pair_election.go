package plan

import (
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

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
// runs what is wanted: not at all where its part in every instance stays as it is.
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

package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// oneByOne is the order in which directors of the same instances are changed: each
// has the one before it. position is made to agree with it.
func (p *Plan) oneByOne(inputs []Input, position map[string]int) map[string]string {
	runs := false
	var list []*Input
	for i := range inputs {
		in := &inputs[i]
		if in.Live == nil || in.Role != director {
			continue
		}
		_, here := in.Live.State.Keepalived[state.KeepalivedName]
		if in.Keepalived != nil || here && in.governs() {
			list, runs = append(list, in), runs || here
		}
	}
	places := make([]int, len(list))
	for i, in := range list {
		places[i] = position[in.Name]
	}
	slices.SortStableFunc(list, func(a, b *Input) int {
		holders := cmp.Compare(rank(a.pair.holds), rank(b.pair.holds))
		if !runs {
			return cmp.Or(-holders, cmp.Compare(b.priority(), a.priority()))
		}
		return cmp.Or(cmp.Compare(rank(a.getsBack()), rank(b.getsBack())), holders, cmp.Compare(a.priority(), b.priority()))
	})
	after := map[string]string{}
	for i, in := range list {
		position[in.Name] = places[i]
		for _, before := range slices.Backward(list[:i]) {
			if in.shares(before) && !(in.pair.together() && before.pair.together()) {
				after[in.Name] = before.Name
				break
			}
		}
	}
	return after
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// getsBack reports whether a director gets an address back by hand, because its keepalived
// ends: it does when no other has one any more.
func (in *Input) getsBack() bool {
	moved := map[netip.Addr]bool{}
	for k := range in.Live.State.Governed.Addresses {
		moved[k.Prefix.Addr()] = true
	}
	for k := range in.Live.Record.Before.Addresses {
		if in.Keepalived == nil && moved[k.Prefix.Addr()] && !state.Quiet(k.Dev) {
			return true
		}
	}
	return false
}

// governs reports whether the record says that keepalived is this topology's.
func (in *Input) governs() bool {
	_, ours := in.Live.Record.Set.Keepalived[state.KeepalivedName]
	return ours
}

// parts are a director's instances: those it is to have, else those it has.
func (in *Input) parts() []keepalived.Instance {
	if in.Keepalived != nil {
		return in.Keepalived.Instances
	}
	return in.Live.Facts.Keepalived.Loaded.Instances
}

func (in *Input) priority() int {
	most := 0
	for _, i := range in.parts() {
		most = max(most, i.Priority)
	}
	return most
}

func (in *Input) shares(other *Input) bool {
	return slices.ContainsFunc(in.parts(), func(a keepalived.Instance) bool {
		return slices.ContainsFunc(other.parts(), func(b keepalived.Instance) bool { return a.Name == b.Name })
	})
}

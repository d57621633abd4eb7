package plan

import (
	"cmp"
	"slices"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// The order in which directors of the same instances are changed.
//
// Premise. A new file may be wrong in a way that shows only once keepalived has loaded it.
// So it is loaded first where nobody notices: on a director that holds none of the
// addresses. It is confirmed there before the next director begins.
//
//	keepalived runs on one     those that hold none of the addresses, by priority from
//	of them                    below; then those that hold some. A director that gets
//	                           an address back by hand is last: it takes it when no
//	                           other one has it any more.
//	it runs on none yet        those that hold an address now, set by hand; then the
//	                           others, by priority from above. So the addresses stay
//	                           where they are while keepalived is started.
//	both reload together       neither waits for the other, see apply/joint_reload.go

// oneByOne names for each such director the one that is changed before it. It makes
// position agree with that order; among themselves the directors keep their positions.
func (p *Plan) oneByOne(inputs []Input, position map[string]int) map[string]string {
	runs := false
	var list []*Input
	for i := range inputs {
		in := &inputs[i]
		if in.Live == nil || in.Role != director {
			continue
		}
		here := in.runsKeepalived()
		if in.Keepalived != nil || here && in.ownsKeepalived() {
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
		return cmp.Or(cmp.Compare(rank(a.getsAddressBack()), rank(b.getsAddressBack())), holders, cmp.Compare(a.priority(), b.priority()))
	})
	after := map[string]string{}
	for i, in := range list {
		position[in.Name] = places[i]
		for _, before := range slices.Backward(list[:i]) {
			if in.sharesInstance(before) && !(in.pair.together() && before.pair.together()) {
				after[in.Name] = before.Name
				break
			}
		}
	}
	return after
}

// rank makes false come before true.
func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// getsAddressBack reports whether the topology gives up keepalived on a director that had
// one of the addresses before, set by hand. It gets that back.
func (in *Input) getsAddressBack() bool {
	moved := floating(in.Live.State.Governed)
	for k := range in.Live.Record.Before.Addresses {
		if in.Keepalived == nil && moved[k.Prefix.Addr()] && !state.Quiet(k.Dev) {
			return true
		}
	}
	return false
}

// ownsKeepalived reports whether the record says that keepalived is this topology's.
func (in *Input) ownsKeepalived() bool {
	_, ours := in.Live.Record.Set.Keepalived[state.KeepalivedName]
	return ours
}

// instances are a director's instances: those it is to have, else those it has.
func (in *Input) instances() []keepalived.Instance {
	if in.Keepalived != nil {
		return in.Keepalived.Instances
	}
	return in.Live.Facts.Keepalived.Loaded.Instances
}

// priority is the highest one of a director's instances, from 1 to 255, or 0 without any.
func (in *Input) priority() int {
	most := 0
	for _, i := range in.instances() {
		most = max(most, i.Priority)
	}
	return most
}

// sharesInstance reports whether two directors are in one instance.
func (in *Input) sharesInstance(other *Input) bool {
	return slices.ContainsFunc(in.instances(), func(a keepalived.Instance) bool {
		return slices.ContainsFunc(other.instances(), func(b keepalived.Instance) bool { return a.Name == b.Name })
	})
}

// orderOneByOne orders the actions of directors, so that each begins with what is before its files
// when the one before it has done that.
func (p *Plan) orderOneByOne(inputs []Input, position map[string]int) {
	after := p.oneByOne(inputs, position)
	slices.SortStableFunc(p.Actions, func(a, b Action) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), cmp.Compare(position[a.Node], position[b.Node]))
	})
	done := map[string]int{} // each director's last action before its files
	for i := range p.Actions {
		a := &p.Actions[i]
		if a.ID = i + 1; a.Stage == Send || a.Stage == Stop {
			done[a.Node] = a.ID
		}
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		if id := done[after[a.Node]]; id != 0 && (a.Stage == Send || a.Stage == Stop) {
			a.Needs = []int{id}
		}
	}
}

package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Directors in pairs.
//
// keepalived on each director of an instance has a file of its own, written for the
// version there. Directors are changed one after another: those that hold none of
// the addresses first, so that what a new file does wrong is seen where nobody
// notices. Where none runs yet, whoever holds the addresses is first, and keeps
// them. What other directors would hear as a stranger's advert is the exception: it
// has to be reloaded everywhere within two adverts, see apply/joint_reload.go.

// pair is a director's part in its instances.
type pair struct {
	text    string // of its file
	version keepalived.Version
	effects []keepalived.Effect
	refused []string
	// answers are the addresses that the director has where it answers for them.
	answers map[netip.Addr]bool
	holds   bool // one of the instances' addresses
	// failedOver are its instances whose addresses are kept on another director, and
	// order is what is asked of one of them; see failover.go.
	failedOver map[string]state.FailedOver
	order      *FailoverOrder
}

// completePairs completes what the directors of instances want by what follows from the
// version of keepalived on each, and from what the others have. It returns the instances.
//
// The steps build on each other: first the priorities that people asked for, because the
// files have them; then who answers for which address, because each file's change depends
// on who holds them; last what one director alone must not do.
func completePairs(inputs []Input) []Instance {
	setPriorities(inputs)
	list := instancesOf(inputs)
	for i := range inputs {
		if in := &inputs[i]; in.Live != nil && in.Role == director {
			in.pair.answers = answered(in.Live)
		}
	}
	for i := range inputs {
		in := &inputs[i]
		if in.Live == nil || in.Role != director {
			continue
		}
		in.pair.holds = holdsAny(in, list) || holdsLoaded(in)
		if in.Keepalived != nil {
			in.wantKeepalived(inputs)
		}
	}
	for i := range list {
		list[i].findNew(inputs)
	}
	refuseAlone(inputs)
	return list
}

// wantKeepalived completes what is wanted by the file, in its version's words.
func (in *Input) wantKeepalived(inputs []Input) {
	facts := &in.Live.Facts.Keepalived
	in.pair.version = facts.Version
	in.pair.refused = in.Keepalived.Refuse(facts.Version)
	config := in.Keepalived
	if quiet := state.Quiesced(in.Live.State, in.Want, in.Live.Record); quiet != in.Want {
		config = quiescedConfig(config, quiet)
	}
	want := in.withKeepalived(in.Want, config)
	in.pair.text = want.Texts[want.Confs[keepalived.File].Hash].Text
	in.findHeld(&want.Governed, inputs)
	want.Governed.FailedOver, want.Governed.Yields = in.pair.failedOver, in.yields(inputs)
	in.Want = want
	if have, runs := in.Live.State.Keepalived[state.KeepalivedName]; runs && have != want.Keepalived[state.KeepalivedName] {
		in.pair.effects = keepalived.Reload(facts.Loaded, *config, facts.Version)
	}
}

// findHeld finds the addresses that a director holds without keepalived: set by hand, or left
// behind by a keepalived that died.
func (in *Input) findHeld(g *state.Governed, inputs []Input) {
	g.Held, g.Alone = map[state.AddressKey]state.Address{}, map[netip.Addr]bool{}
	if in.runsKeepalived() {
		return
	}
	moves := floating(*g)
	for k, a := range in.Live.State.Addresses {
		addr := k.Prefix.Addr()
		if !moves[addr] || in.Live.State.Quiet(k.Dev) {
			continue
		}
		g.Held[k] = a
		others := slices.ContainsFunc(inputs, func(other Input) bool {
			return other.Name != in.Name && other.pair.answers[addr]
		})
		if !others {
			g.Alone[addr] = true
		}
	}
}

// runsKeepalived reports whether a node that was read runs keepalived.
func (in *Input) runsKeepalived() bool { return len(in.Live.State.Keepalived) > 0 }

// refuseAlone refuses a change that has to be made on several directors at the same time
// where one of them is not changed.
func refuseAlone(inputs []Input) {
	for i := range inputs {
		in := &inputs[i]
		if !in.pair.together() {
			continue
		}
		for k := range inputs {
			other := &inputs[k]
			if i == k || other.Keepalived == nil || !in.sharesInstance(other) {
				continue
			}
			switch {
			case other.Live == nil:
				in.pair.refused = append(in.pair.refused, fmt.Sprintf("its keepalived has to be changed at the same time as %s's, which could not be read: until both have the change, both would be master", other.Name))
			case other.pair.together() && !other.Chosen:
				in.pair.refused = append(in.pair.refused, fmt.Sprintf("its keepalived has to be changed at the same time as %s's, which is left out: until both have the change, both would be master", other.Name))
			}
		}
	}
}

func (p *pair) elects() bool {
	return slices.ContainsFunc(p.effects, func(e keepalived.Effect) bool { return e.Elects })
}

func (p *pair) together() bool {
	return slices.ContainsFunc(p.effects, func(e keepalived.Effect) bool { return e.Together })
}

// startsKeepalived reports whether a boot is to start keepalived.
func (in *Input) startsKeepalived() bool {
	return in.Keepalived != nil && in.Persist != "" && in.Persist != "none"
}

package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
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

// Instance is a vrrp_instance, with what it moves.
type Instance struct {
	Name string
	// Directors are in order of priority.
	Directors []string
	Addresses []netip.Addr
	// New are those of the addresses that no keepalived has loaded yet which runs.
	New []netip.Addr
	// Takeover is how long its addresses may be nowhere when the master is gone.
	Takeover time.Duration
	// Master is the director that is to hold the addresses once all directors are changed;
	// "" for whoever is elected.
	Master string
}

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

// pairUp completes what the directors of instances want by what follows from their
// versions and from each other.
func pairUp(inputs []Input) []Instance {
	failOver(inputs)
	list := instances(inputs)
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
	together(inputs)
	return list
}

// instances collects them from what the directors want.
func instances(inputs []Input) []Instance {
	type part struct {
		name     string
		priority int
	}
	parts := map[string][]part{}
	byName := map[string]*Instance{}
	for i := range inputs {
		c := inputs[i].Keepalived
		if c == nil {
			continue
		}
		for _, v := range c.Instances {
			inst := byName[v.Name]
			if inst == nil {
				inst = &Instance{Name: v.Name}
				byName[v.Name] = inst
			}
			for _, a := range v.Addresses() {
				inst.Addresses = append(inst.Addresses, a.Prefix.Addr())
			}
			inst.Takeover = max(inst.Takeover, keepalived.Takeover(v, keepalived.Version{}))
			parts[v.Name] = append(parts[v.Name], part{inputs[i].Name, v.Priority})
		}
	}
	list := make([]Instance, 0, len(byName))
	for name, inst := range byName {
		slices.SortStableFunc(parts[name], func(a, b part) int { return cmp.Compare(b.priority, a.priority) })
		for _, p := range parts[name] {
			inst.Directors = append(inst.Directors, p.name)
		}
		slices.SortFunc(inst.Addresses, netip.Addr.Compare)
		inst.Addresses = slices.Compact(inst.Addresses) // each director has them
		list = append(list, *inst)
	}
	slices.SortFunc(list, func(a, b Instance) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// findNew finds the new addresses of an instance: no keepalived that runs has them at
// all, so they are nowhere until the reload.
func (inst *Instance) findNew(inputs []Input) {
	members, _ := membersOf(*inst, inputs)
	moved := map[netip.Addr]bool{}
	for _, in := range members {
		for k := range in.Live.State.Governed.Addresses {
			moved[k.Prefix.Addr()] = true
		}
	}
	for _, a := range inst.Addresses {
		if !moved[a] {
			inst.New = append(inst.New, a)
		}
	}
}

// answered are the addresses that a node has where it answers for them.
func answered(n *live.Node) map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	for k := range n.State.Addresses {
		if !state.Quiet(k.Dev) {
			all[k.Prefix.Addr()] = true
		}
	}
	return all
}

func holdsAny(in *Input, list []Instance) bool {
	for _, inst := range list {
		if slices.Contains(inst.Directors, in.Name) && slices.ContainsFunc(inst.Addresses, func(a netip.Addr) bool { return in.pair.answers[a] }) {
			return true
		}
	}
	return false
}

// holdsLoaded is the same of what its keepalived has loaded.
func holdsLoaded(in *Input) bool {
	for k := range in.Live.State.Governed.Addresses {
		if in.pair.answers[k.Prefix.Addr()] {
			return true
		}
	}
	return false
}

// wantKeepalived completes what is wanted by the file, in its version's words.
func (in *Input) wantKeepalived(inputs []Input) {
	facts := &in.Live.Facts.Keepalived
	in.pair.version = facts.Version
	in.pair.refused = in.Keepalived.Refuse(facts.Version)
	config := in.Keepalived
	if quiet := state.Quiesced(in.Live.State, in.Want, in.Live.Record); quiet != in.Want {
		config = quietConfig(config, quiet)
	}
	want := in.withKeepalived(in.Want, config)
	in.pair.text = want.Texts[want.Confs[keepalived.File].Hash].Text
	in.hold(&want.Governed, inputs)
	want.Governed.FailedOver, want.Governed.Yields = in.pair.failedOver, in.yields(inputs)
	in.Want = want
	if have, runs := in.Live.State.Keepalived[state.KeepalivedName]; runs && have != want.Keepalived[state.KeepalivedName] {
		in.pair.effects = keepalived.Reload(facts.Loaded, *config, facts.Version)
	}
}

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
			if other.Live != nil && other.Keepalived != nil && len(other.Live.State.Keepalived) > 0 && other.part(own.Name).Priority > taker.Priority {
				taker = other.part(own.Name)
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
	_, runs := in.Live.State.Keepalived[state.KeepalivedName]
	var longest time.Duration
	for _, i := range in.Keepalived.Instances {
		stays := slices.ContainsFunc(facts.Loaded.Instances, i.Equal)
		if !runs || !stays {
			longest = max(longest, keepalived.Takeover(i, facts.Version)+time.Second)
		}
	}
	return longest
}

// hold finds the addresses that a director holds without keepalived: set by hand, or left
// behind by a keepalived that died.
func (in *Input) hold(g *state.Governed, inputs []Input) {
	g.Held, g.Alone = map[state.AddressKey]state.Address{}, map[netip.Addr]bool{}
	if len(in.Live.State.Keepalived) > 0 {
		return
	}
	moves := map[netip.Addr]bool{}
	for k := range g.Addresses {
		moves[k.Prefix.Addr()] = true
	}
	for k, a := range in.Live.State.Addresses {
		addr := k.Prefix.Addr()
		if !moves[addr] || state.Quiet(k.Dev) {
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

// together refuses a change that has to be made on several directors at the same time
// where one of them is not changed.
func together(inputs []Input) {
	for i := range inputs {
		in := &inputs[i]
		if !in.pair.together() {
			continue
		}
		for k := range inputs {
			other := &inputs[k]
			if i == k || other.Keepalived == nil || !in.shares(other) {
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

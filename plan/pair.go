package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
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
// has to be reloaded everywhere within two adverts, see apply/meeting.go.

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
}

// pair is a director's part in its instances.
type pair struct {
	text    string // of its file
	version keepalived.Version
	effects []keepalived.Effect
	refused []string
	holds   bool // one of the addresses
}

// pairUp completes what the directors of instances want by what follows from their
// versions and from each other.
func pairUp(inputs []Input) []Instance {
	list := instances(inputs)
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
				if !slices.Contains(inst.Addresses, a.Prefix.Addr()) {
					inst.Addresses = append(inst.Addresses, a.Prefix.Addr())
				}
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
		list = append(list, *inst)
	}
	slices.SortFunc(list, func(a, b Instance) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// findNew finds the new addresses of an instance.
func (inst *Instance) findNew(inputs []Input) {
	members, _ := membersOf(*inst, inputs)
	for _, a := range inst.Addresses {
		if !moved(members, a) {
			inst.New = append(inst.New, a)
		}
	}
}

// answers reports whether a node has an address where it answers for it.
func answers(n *live.Node, addr netip.Addr) bool {
	for k := range n.State.Addresses {
		if k.Prefix.Addr() == addr && k.Dev != "lo" {
			return true
		}
	}
	return false
}

func holdsAny(in *Input, list []Instance) bool {
	for _, inst := range list {
		for _, a := range inst.Addresses {
			if slices.Contains(inst.Directors, in.Name) && answers(in.Live, a) {
				return true
			}
		}
	}
	return false
}

// holdsLoaded is the same of what its keepalived has loaded.
func holdsLoaded(in *Input) bool {
	for k := range in.Live.State.Governed.Addresses {
		if answers(in.Live, k.Prefix.Addr()) {
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
	in.pair.text = in.Keepalived.Render(facts.Version)
	want := in.Want.Clone()
	hash := keepalived.Hash(in.pair.text)
	want.Texts[hash] = live.ConfText(in.pair.text)
	want.Confs[keepalived.File] = state.Conf{Hash: hash, Mode: "0600"}
	want.Keepalived[state.KeepalivedName] = state.Keepalived{Loaded: keepalived.Hash(keepalived.Strip(in.pair.text))}
	want.Governed = live.Governs(*in.Keepalived)
	in.hold(&want.Governed, inputs)
	in.Want = want
	if have, runs := in.Live.State.Keepalived[state.KeepalivedName]; runs && have != want.Keepalived[state.KeepalivedName] {
		in.pair.effects = keepalived.Reload(facts.Loaded, *in.Keepalived, facts.Version)
	}
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
		stays := slices.ContainsFunc(facts.Loaded.Instances, func(old keepalived.Instance) bool { return reflect.DeepEqual(old, i) })
		if !runs || !stays {
			longest = max(longest, keepalived.Takeover(i, facts.Version)+time.Second)
		}
	}
	return longest
}

// hold finds the addresses that a director holds by hand: its keepalived has never
// run, so that they are not what a dead one left behind.
func (in *Input) hold(g *state.Governed, inputs []Input) {
	g.Held, g.Alone = map[state.AddressKey]bool{}, map[netip.Addr]bool{}
	_, ours := in.Live.Record.Set.Keepalived[state.KeepalivedName]
	if ours || len(in.Live.State.Keepalived) > 0 {
		return
	}
	moves := map[netip.Addr]bool{}
	for k := range g.Addresses {
		moves[k.Prefix.Addr()] = true
	}
	for k := range in.Live.State.Addresses {
		addr := k.Prefix.Addr()
		if !moves[addr] || k.Dev == "lo" {
			continue
		}
		g.Held[k] = true
		g.Alone[addr] = !slices.ContainsFunc(inputs, func(other Input) bool {
			return other.Name != in.Name && other.Role == director && other.Live != nil && answers(other.Live, addr)
		})
		if !g.Alone[addr] {
			delete(g.Alone, addr)
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

// keepalivedRisk says what a change of keepalived's endangers.
func (in *Input) keepalivedRisk(c state.Change) Risk {
	var list []string
	switch {
	case c.Kind == state.KindConf && c.Op == state.Edit && in.Keepalived != nil:
		if in.Live.Facts.Keepalived.Foreign {
			return in.foreignConf()
		}
	case c.Kind == state.KindKeepalived && c.Op == state.Edit:
		for _, e := range in.pair.effects {
			list = append(list, e.What)
		}
	}
	return Risk(strings.Join(list, "; "))
}

// packagedSample is in the file that Red Hat's package brings, with addresses that
// nobody has.
const packagedSample = "acassen@firewall.loc"

// foreignConf says what goes with a file that somebody else wrote.
func (in *Input) foreignConf() Risk {
	k := in.Live.Facts.Keepalived
	conf := in.Live.State.Confs[keepalived.File]
	if strings.Contains(in.Live.State.Texts[conf.Hash].Text, packagedSample) {
		return ""
	}
	var lost []string
	for _, i := range k.File.Instances {
		if !slices.ContainsFunc(in.Keepalived.Instances, func(own keepalived.Instance) bool { return own.RouterID == i.RouterID }) {
			lost = append(lost, "vrrp_instance "+i.Name)
		}
	}
	for _, s := range k.File.Services {
		if !slices.ContainsFunc(in.Keepalived.Services, func(own keepalived.Service) bool { return own.Addr == s.Addr && own.Mark == s.Mark }) {
			lost = append(lost, "virtual_server "+s.Addr.String())
		}
	}
	text := "somebody else wrote this file; it is kept beside as " + keepalived.File + ".before-lvsctl, and comes back with a destroy"
	if k.Includes {
		lost = append(lost, "the files that it includes")
	}
	if len(lost) > 0 {
		text += "; what ends with it: " + strings.Join(lost, ", ")
	}
	return Risk(text)
}

// keepalivedWarnings are what a person should know of a director's keepalived.
func (in *Input) keepalivedWarnings() []string {
	if in.Keepalived == nil {
		return nil
	}
	var list []string
	_, runs := in.Live.State.Keepalived[state.KeepalivedName]
	_, ours := in.Live.Record.Set.Keepalived[state.KeepalivedName]
	if !runs && ours {
		stale := ""
		for k := range in.Want.Governed.Addresses {
			if answers(in.Live, k.Prefix.Addr()) {
				stale += fmt.Sprintf("; it left %s behind, which another director may hold too", k.Prefix.Addr())
			}
		}
		list = append(list, "keepalived does not run any more"+stale)
	}
	if v := in.pair.version; v.Known() && v.Before(keepalived.Version{2, 0, 0}) {
		list = append(list, fmt.Sprintf("keepalived %s does not notice when something deletes an address of its own from the device: nobody would serve", v))
	}
	return list
}

// down are the servers that keepalived took out.
func down(in *Input) []string {
	var list []string
	for k := range in.Want.Servers {
		if in.Live.State.Down(k) {
			list = append(list, k.String())
		}
	}
	slices.Sort(list)
	return list
}

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
		return cmp.Or(holders, cmp.Compare(a.priority(), b.priority()))
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

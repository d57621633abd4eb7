package state

import (
	"maps"
	"net/netip"
	"slices"
)

// A DrainOrder is what a person asks of a director: to drain real servers, or to end
// that. It touches nothing else there, so it starts from what was set there last and
// not from the topology, which may want other things by now.
type DrainOrder struct {
	// Drain are the real servers to drain, by node. One that is drained already stays
	// so since when it was, and by whom.
	Drain map[string]Drained
	// Undrain are the nodes whose drain ends.
	Undrain []string
}

// Of is the part of the order that concerns a director: the real servers that the
// topology has it send to, or that it sends to still.
func (o DrainOrder) Of(wanted *State, r Record) DrainOrder {
	used := map[netip.Addr]bool{}
	for _, s := range []*State{wanted, r.Set} {
		for k := range s.Servers {
			used[k.Addr.Addr()] = true
		}
	}
	part := DrainOrder{Drain: map[string]Drained{}, Undrain: o.Undrain}
	for node, d := range o.Drain {
		if slices.ContainsFunc(d.Addresses, func(a netip.Addr) bool { return used[a] }) {
			part.Drain[node] = d
		}
	}
	return part
}

// Files returns want with the files that bring it back after a reboot, and with that of
// keepalived, once everything else of it is settled.
type Files func(want *State, s Settled) *State

// Settle is [Settle] for the order alone. wanted is what the topology wants of the
// node, whose weights come back when a drain ends; old is the node's record. The
// Settled may differ from the node in what others have changed there, which a plan
// is to find: only the entries in Only are the order's.
//
// files makes the files for the next boot, and keepalived's. Only those are taken from it
// that depend on what the order changes, and none where the record has no such file.
func (o DrainOrder) Settle(live, wanted *State, old Record, files Files) Settled {
	c := newDrainCase(o, live, wanted, old)
	if old.holds(follows) {
		bare := c.recorded()
		render := func(r Record) *State {
			return files(Quiesced(live, bare, r), Settle(live, bare, r, false))
		}
		drained, not, is := render(o.drained(old)), render(o.undrained(old)), render(c.ordered)
		for _, k := range kinds {
			if follows(k) {
				for _, ref := range k.graft(c.base, drained, not, is) {
					c.concern[ref] = true
				}
			}
		}
		c.base.Governed, c.base.Texts = is.Governed, is.Texts
	}
	return c.settle()
}

// follows reports whether entries of a kind are made from the others of a State: files
// for the next boot, and keepalived's.
func follows(k kind) bool {
	return k.is().Persistent() || k.is() == KindConf || k.is() == KindKeepalived
}

// drainCase is a director's case of an order.
type drainCase struct {
	live, wanted *State
	old, ordered Record
	// base is what is to be there but for what quiesces real servers.
	base    *State
	concern map[Ref]bool
}

func newDrainCase(o DrainOrder, live, wanted *State, old Record) *drainCase {
	c := &drainCase{
		live: live, wanted: Quiesced(live, wanted, Record{}),
		old: old, ordered: o.on(old), base: old.Set.Clone(), concern: map[Ref]bool{},
	}
	about := o.addresses(old)
	for k := range old.Set.Servers {
		if about[k.Addr.Addr()] || old.drained(k.Addr.Addr()) {
			c.lift(k)
		}
	}
	for k, v := range live.Servers {
		_, set := old.Set.Servers[k]
		if _, wanted := wanted.Servers[k]; !about[k.Addr.Addr()] || !set && !wanted {
			continue
		}
		// Only the weight is the order's business.
		if set {
			v.Weight = c.base.Servers[k].Weight
		}
		c.base.Servers[k] = v
		c.concern[servers.ref(k)] = true
		c.service(k.Service)
	}
	return c
}

// lift takes off what a drain does to a server's entry, one that was cut off too.
func (c *drainCase) lift(k ServerKey) {
	v := c.base.Servers[k]
	if w, ok := c.wanted.Servers[k]; ok {
		v.Weight = w.Weight
		c.base.Servers[k] = v
	}
	if s, ok := c.base.Services[k.Service]; ok {
		s.Flags = c.flags(k.Service, s)
		c.base.Services[k.Service] = s
	}
	if _, ok := c.wanted.Sysctls[QuiescentTemplates]; !ok {
		delete(c.base.Sysctls, QuiescentTemplates)
	}
}

// flags are a service's without a fallback that the topology does not want.
func (c *drainCase) flags(k ServiceKey, s Service) string {
	if w, ok := c.wanted.Services[k]; ok && w.Scheduler == s.Scheduler && !hasFlag(w.Flags, s.Scheduler+"-fallback") {
		return removeFlag(s.Flags, s.Scheduler+"-fallback")
	}
	return s.Flags
}

// service makes what a service needs for the order a part of it.
func (c *drainCase) service(k ServiceKey) {
	have, there := c.live.Services[k]
	if !there {
		return
	}
	if _, set := c.base.Services[k]; set || have.fallback(c.live.Kernel) != "" {
		have.Flags = c.flags(k, have)
		c.base.Services[k] = have
		c.concern[services.ref(k)] = true
	}
	if have.Timeout > 0 {
		c.concern[sysctls.ref(QuiescentTemplates)] = true
	}
}

// recorded is base without the services that the record does not hold, and their
// servers: the files for the next boot are not this topology's to write for them.
func (c *drainCase) recorded() *State {
	bare := c.base.Clone()
	maps.DeleteFunc(bare.Services, func(k ServiceKey, _ Service) bool { _, set := c.old.Set.Services[k]; return !set })
	maps.DeleteFunc(bare.Servers, func(k ServerKey, _ Server) bool { _, set := c.old.Set.Services[k.Service]; return !set })
	return bare
}

// settle settles the case. The record says what it said until the change is confirmed,
// and only then who is drained.
func (c *drainCase) settle() Settled {
	s := Settle(c.live, c.base, c.ordered, false)
	s.Only, s.Drained, s.FailedOver = c.concern, c.ordered.Drained, c.old.FailedOver
	after := s.Intent
	s.Intent = c.old
	s.Intent.Set, s.Intent.Before = c.old.Set.Clone(), c.old.Before.Clone()
	s.Confirms = c.old.Set.Clone()
	for _, k := range kinds {
		k.note(&s, after)
	}
	// Of the entries in question the record keeps what was set before, but for what the
	// order changes: what somebody else made of them is drift all the same.
	for k, set := range c.old.Set.Servers {
		if c.concern[servers.ref(k)] {
			set.Weight = s.Want.Servers[k].Weight
			s.Confirms.Servers[k] = set
		}
	}
	for k, set := range c.old.Set.Services {
		if fallback := set.Scheduler + "-fallback"; c.concern[services.ref(k)] {
			set.Flags = removeFlag(set.Flags, fallback)
			if hasFlag(s.Want.Services[k].Flags, fallback) {
				set.Flags = AddFlag(set.Flags, fallback)
			}
			s.Confirms.Services[k] = set
		}
	}
	return s
}

// on is a record with the order carried out.
func (o DrainOrder) on(r Record) Record {
	for node, d := range o.Drain {
		if had, already := r.Drained[node]; already {
			d.By, d.Since = had.By, had.Since
		}
		r.drain(node, d)
	}
	for _, node := range o.Undrain {
		r.Drained = maps.Clone(r.Drained)
		delete(r.Drained, node)
	}
	if len(r.Drained) == 0 {
		r.Drained = nil
	}
	return r
}

// drained is a record in which all nodes of the order are drained, undrained one in
// which none is.
func (o DrainOrder) drained(r Record) Record { return DrainOrder{Drain: o.Drain}.on(r) }

func (o DrainOrder) undrained(r Record) Record {
	return DrainOrder{Undrain: slices.Concat(o.Undrain, slices.Collect(maps.Keys(o.Drain)))}.on(r)
}

// addresses are those whose entries the order is about.
func (o DrainOrder) addresses(r Record) map[netip.Addr]bool {
	all := map[netip.Addr]bool{}
	add := func(d Drained) {
		for _, a := range d.Addresses {
			all[a] = true
		}
	}
	for node, d := range o.Drain {
		add(d)
		add(r.Drained[node])
	}
	for _, node := range o.Undrain {
		add(r.Drained[node])
	}
	return all
}

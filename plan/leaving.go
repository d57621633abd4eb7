package plan

import (
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Leaving are the addresses that a plan takes away: from a node, or with an instance's
// addresses from all its directors. A gateway among them answers before the apply, and
// rightly does not afterwards: that of nat's real servers, when the pair ends.
func (p *Plan) Leaving() map[netip.Addr]bool {
	list := map[netip.Addr]bool{}
	for i := range p.Actions {
		a := &p.Actions[i]
		if k, ok := a.Key.(state.AddressKey); ok && a.Op == state.Remove {
			list[k.Prefix.Addr()] = true
		}
	}
	for i := range p.Nodes {
		// What keepalived moves, as it is loaded and as it is wanted.
		for _, s := range []*state.State{p.Nodes[i].Settled.Have, p.Nodes[i].Settled.Want} {
			if s == nil {
				continue
			}
			for k := range s.Governed.Addresses {
				list[k.Prefix.Addr()] = true
			}
		}
	}
	for _, inst := range p.Instances {
		for _, a := range inst.Addresses {
			delete(list, a)
		}
	}
	for i := range p.Nodes {
		if s := p.Nodes[i].Settled.Want; s != nil {
			for k := range s.Governed.Back {
				delete(list, k.Prefix.Addr())
			}
		}
	}
	return list
}

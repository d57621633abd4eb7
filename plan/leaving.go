package plan

import (
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Leaving are the addresses that no keepalived moves any more once a plan is done, and
// that nobody gets back. A gateway among them answers before the apply, and rightly does
// not afterwards: that of nat's real servers, when the pair ends.
func (p *Plan) Leaving() map[netip.Addr]bool {
	changed := map[string]bool{}
	for i := range p.Actions {
		if a := &p.Actions[i]; a.Kind == state.KindKeepalived {
			changed[a.Node] = true
		}
	}
	list := map[netip.Addr]bool{}
	var stay []netip.Addr
	for i := range p.Nodes {
		if !changed[p.Nodes[i].Name] {
			continue
		}
		g := p.Nodes[i].Settled.Want.Governed
		for k := range g.Addresses { // before and after
			list[k.Prefix.Addr()] = true
		}
		for k := range g.Back {
			stay = append(stay, k.Prefix.Addr())
		}
	}
	for _, inst := range p.Instances {
		stay = append(stay, inst.Addresses...)
	}
	for _, addr := range stay {
		delete(list, addr)
	}
	return list
}

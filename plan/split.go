package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
)

// Split brain, and addresses that nobody holds.
//
// Both are seen before anything is planned, because the plan may make them worse: it says
// who is changed first by who holds the addresses. The plan names the likely cause too. It
// compares what the directors have loaded, and only if that agrees speaks of the network,
// which lvsctl cannot look into.

// splits says where an address of an instance is on two directors, or on none,
// although keepalived runs. Directors that were not read may hold it.
func (p *Plan) splits(inputs []Input) []string {
	var list []string
	for _, inst := range p.Instances {
		members, whole := membersOf(inst, inputs)
		if len(members) == 0 {
			continue // keepalived runs nowhere yet
		}
		var nowhere []string
		for _, addr := range inst.Addresses {
			var holders []string
			for _, in := range members {
				if in.pair.answers[addr] {
					holders = append(holders, in.Name)
				}
			}
			switch {
			case len(holders) > 1:
				list = append(list, fmt.Sprintf("split brain: %s of vrrp_instance %s is on %s; %s", addr, inst.Name, strings.Join(holders, " and "), cause(inst.Name, members)))
			case len(holders) == 0 && whole && !slices.Contains(inst.New, addr):
				nowhere = append(nowhere, addr.String())
			}
		}
		if len(nowhere) > 0 {
			list = append(list, fmt.Sprintf("nobody holds %s of vrrp_instance %s, though keepalived runs; a device may be down, or something deleted it", strings.Join(nowhere, ", "), inst.Name))
		}
	}
	return list
}

// cause is why two directors may both be master: what is loaded, held against each
// other, then what cannot be seen.
func cause(instance string, members []*Input) string {
	var first *keepalived.Instance
	for _, in := range members {
		if !in.runsKeepalived() {
			return "keepalived does not run on " + in.Name + ", and something left the address there"
		}
		loaded := in.Live.Facts.Keepalived.Loaded
		i := slices.IndexFunc(loaded.Instances, func(i keepalived.Instance) bool { return i.Name == instance })
		if i < 0 {
			return in.Name + " has no such instance loaded"
		}
		if first == nil {
			first = &loaded.Instances[i]
			continue
		}
		if what := differs(*first, loaded.Instances[i]); what != "" {
			return what + " is not the same on both"
		}
	}
	return "their files agree, so adverts do not arrive: look for a firewall that drops IP protocol 112, or a switch that drops multicast (unicast = true does without)"
}

// differs names what makes two directors strangers to each other.
func differs(a, b keepalived.Instance) string {
	switch {
	case a.RouterID != b.RouterID:
		return "virtual_router_id"
	case a.AuthPass != b.AuthPass:
		return "auth_pass"
	case a.AdvertInt != b.AdvertInt:
		return "advert_int"
	case a.Source.IsValid() != b.Source.IsValid():
		return "unicast"
	case len(a.Advertised) != len(b.Advertised):
		return "the list of addresses"
	}
	return ""
}

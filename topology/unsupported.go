package topology

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// unsupportedOfService lists what the language allows and no role acts on yet. The line
// goes away when a role does.

var unsupportedOfService = []struct {
	what string
	in   func(*VirtualServer) bool
}{
	{"a tunnel that carries one address family in the other", (*VirtualServer).mixesFamilies},
}

// mixesFamilies reports whether the address of a server is not of the VIP's family.
// Only a tunnel can do that.
func (v *VirtualServer) mixesFamilies() bool {
	for _, s := range v.RealServers {
		if v.VIP.IsValid() && s.Address.Is6() != v.IPv6() {
			return true
		}
	}
	return false
}

// unsupported lists the unsupported parts of t. A block with for_each is listed once.
func unsupported(t *Topology) []Unsupported {
	var all []Unsupported
	seen := map[Unsupported]bool{}
	add := func(name, what string, at hcl.Range) {
		if u := (Unsupported{What: what, Range: at}); !seen[u] {
			seen[u] = true
			all = append(all, Unsupported{What: fmt.Sprintf("%s of %s", what, name), Range: at})
		}
	}
	for _, v := range t.Services {
		for _, u := range unsupportedOfService {
			if u.in(v) {
				add(v.Name, u.what, v.Range)
			}
		}
	}
	return all
}

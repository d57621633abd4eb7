package adopt

import (
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// See makes a [Seen] of what was read of a node. topology is the name whose record counts;
// "" for none.
func See(name, topology string, n live.Node, f live.Found) Seen {
	s := Seen{Name: name, State: n.State, Record: state.NewRecord(topology), Rules: f.Rules, Owners: n.Facts.Owners}
	for _, r := range n.Record.Others {
		if r.Topology == topology {
			s.Record = r
		}
	}
	s.SSHServer, _ = netip.ParseAddr(n.Facts.SSHServer)
	if k := n.Facts.Keepalived.Loaded; len(k.Instances)+len(k.Services) > 0 {
		s.Keepalived = &k
		s.Owners = slices.DeleteFunc(slices.Clone(s.Owners), func(o string) bool { return o == "keepalived" && len(k.Instances) > 0 })
	}
	return s
}

// Recorded are the names of the topologies that lvsctl has applied to a node, sorted.
func Recorded(n live.Node) []string {
	var names []string
	for _, r := range n.Record.Others {
		if r.Holds() {
			names = append(names, r.Topology)
		}
	}
	slices.Sort(names)
	return names
}

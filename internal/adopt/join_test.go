package adopt

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/topology"
)

// TestJoined takes each topology apart, into what each director would say of it and the
// rest, and joins the parts: it is whole again.
func TestJoined(t *testing.T) {
	for _, g := range allGiven(t) {
		t.Run(g.name, func(t *testing.T) {
			var drafts []Draft
			for _, n := range g.Nodes {
				if n.Role == topology.Director {
					drafts = append(drafts, partOf(g.Topology, n))
				}
			}
			drafts = append(drafts, partOf(g.Topology, nil))
			have := Join(drafts...)
			want := Draft{Topology: g.Topology}
			if diff := cmp.Diff(string(Write(want)), string(Write(have))); diff != "" {
				t.Errorf("not whole again (-want +have):\n%s", diff)
			}
		})
	}
}

// partOf is what one director says of a topology: itself, its services with their real
// servers, and its instances. Without a director it is all nodes and nothing else.
func partOf(t *topology.Topology, director *topology.Node) Draft {
	part := &topology.Topology{Name: t.Name, SSH: t.SSH}
	nodes := map[*topology.Node]*topology.Node{}
	node := func(n *topology.Node) *topology.Node {
		if nodes[n] == nil {
			clone := *n
			clone.Interfaces = slices.Clone(n.Interfaces)
			nodes[n] = &clone
			part.Nodes = append(part.Nodes, nodes[n])
		}
		return nodes[n]
	}
	if director == nil {
		for _, n := range t.Nodes {
			node(n)
		}
		return Draft{Topology: part}
	}
	node(director)
	instances := map[*topology.VRRPInstance]*topology.VRRPInstance{}
	for _, v := range t.VRRP {
		if i := slices.Index(v.Directors, director); i >= 0 {
			clone := *v
			clone.Directors, clone.Priorities = []*topology.Node{node(director)}, []int{v.Priorities[i]}
			instances[v] = &clone
			part.VRRP = append(part.VRRP, &clone)
		}
	}
	for _, v := range t.Services {
		if !slices.Contains(v.Directors, director) {
			continue
		}
		clone := *v
		clone.Directors = []*topology.Node{node(director)}
		clone.VRRPInstance = instances[v.VRRPInstance]
		clone.RealServers = slices.Clone(v.RealServers)
		for i, s := range clone.RealServers {
			clone.RealServers[i].Node = node(s.Node)
		}
		part.Services = append(part.Services, &clone)
	}
	return Draft{Topology: part}
}

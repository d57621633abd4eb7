package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/topology"
)

// Which real servers a drain is of, by the names that a person gives.

// drainedOn are the nodes that are drained on any director, by name.
func drainedOn(inputs []plan.Input) []string {
	var names []string
	for _, in := range inputs {
		if in.Live == nil {
			continue
		}
		for name := range in.Live.Record.Drained {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// known refuses names that neither the topology nor any director knows.
func (d *drain) known(t *topology.Topology, names []string, s *survey.Survey) error {
	drained := drainedOn(s.Inputs())
	for _, name := range names {
		if len(serversNamed(t, name)) == 0 && !slices.Contains(drained, name) {
			return notServer(t, name)
		}
	}
	return nil
}

// nodes are the order's, by name.
func (d *drain) nodes(o state.DrainOrder) []string {
	names := slices.Clone(o.Undrain)
	for name := range o.Drain {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// serversNamed are the real servers that a name or a group stands for.
func serversNamed(t *topology.Topology, name string) []*topology.Node {
	var list []*topology.Node
	for _, n := range t.Nodes {
		if (n.Name == name || n.Group == name) && serves(t, n) {
			list = append(list, n)
		}
	}
	return list
}

func serves(t *topology.Topology, n *topology.Node) bool {
	return slices.ContainsFunc(t.Services, func(v *topology.VirtualServer) bool {
		return slices.ContainsFunc(v.RealServers, func(s topology.Server) bool { return s.Node == n })
	})
}

// notServer says which real servers there are.
func notServer(t *topology.Topology, name string) error {
	var names []string
	for _, n := range t.Nodes {
		if serves(t, n) {
			names = append(names, n.Name)
		}
	}
	return fmt.Errorf("there is no real server %q in the virtual servers of topology %s\nThey have %s.", name, t.Name, strings.Join(names, ", "))
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/lvsctl/lvsctl/topology"
)

// scope is which nodes of a topology a command is about, and how to reach them.
type scope struct {
	only, except []string
	lab          bool
	// adopt names topologies whose records are taken for this one's.
	adopt []string
	// exactly, if set, are the nodes of a saved plan, of which there may be none.
	exactly map[string]bool
}

func (s *scope) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&s.only, "only", nil, "change these `NODES` alone")
	f.StringSliceVar(&s.except, "except", nil, "change all nodes but these `NODES`")
	f.BoolVar(&s.lab, "lab", false, "work on the topology's lab instead of the real nodes")
}

// choose turns --only and --except into a test of node names.
func (s scope) choose(t *topology.Topology) (func(string) bool, error) {
	if s.exactly != nil {
		return func(name string) bool { return s.exactly[name] }, nil
	}
	if len(s.only) > 0 && len(s.except) > 0 {
		return nil, fmt.Errorf("--only and --except cannot be used together")
	}
	listed := map[string]bool{}
	for _, name := range slices.Concat(s.only, s.except) {
		found := false
		for _, n := range t.Nodes {
			if n.Role != topology.Client && (n.Name == name || n.Group == name) {
				listed[n.Name], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no node %q to configure in topology %s\nIts nodes are %s.", name, t.Name, nodeNames(t))
		}
	}
	return func(name string) bool {
		return listed[name] == (len(s.only) > 0)
	}, nil
}

func nodeNames(t *topology.Topology) string {
	var names []string
	for _, n := range t.Nodes {
		if n.Role != topology.Client {
			names = append(names, n.Name)
		}
	}
	return strings.Join(names, ", ")
}

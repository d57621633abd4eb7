package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/lvsctl/lvsctl/topology"
)

// scope is which nodes of a topology a command may change, and how to reach them.
type scope struct {
	only, except []string
	lab          bool
	// adopt are names of topologies whose records count as this one's.
	adopt []string
	// exactly, if it is not nil, are the nodes of a saved plan. It may be empty.
	exactly map[string]bool
}

func (s *scope) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&s.only, "only", nil, "change these `NODES` alone")
	f.StringSliceVar(&s.except, "except", nil, "change all nodes but these `NODES`")
	f.BoolVar(&s.lab, "lab", false, "work on the topology's lab instead of the real nodes")
}

// choose returns a function that tells whether --only and --except choose a node.
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

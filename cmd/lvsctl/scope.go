package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/topology"
)

// scope is which nodes of a topology a command may change, and how to reach them.
type scope struct {
	only, except []string
	lab          bool
	// adopt are names of topologies whose records count as this one's.
	adopt []string
	// forget are names of nodes that the topology no longer has and that are given up.
	forget []string
	// exactly, if it is not nil, are the nodes of a saved plan. It may be empty.
	exactly map[string]bool
}

// flags are those by which a command is told of its scope. verb is what it does with nodes.
func (s *scope) flags(f *pflag.FlagSet, verb string) {
	f.StringSliceVar(&s.only, "only", nil, verb+" these `NODES` alone")
	f.StringSliceVar(&s.except, "except", nil, verb+" all nodes but these `NODES`")
	f.BoolVar(&s.lab, "lab", false, "work on the topology's lab instead of the real nodes")
}

// forgetFlag is for commands that change nodes, or say what they would.
func (s *scope) forgetFlag(f *pflag.FlagSet) {
	f.StringSliceVar(&s.forget, "forget", nil, "give up these `NODES`, which are no longer in the topology, without visiting them")
}

// choice is what --only and --except choose.
type choice struct {
	chosen func(name string) bool
	// unknown are names that the topology does not have. Records may have them.
	unknown []string
}

// choose turns --only and --except into a test of node names.
func (s scope) choose(t *topology.Topology) (choice, error) {
	for _, name := range s.forget {
		if len(configured(t, name)) > 0 {
			return choice{}, fmt.Errorf("%s is in topology %s\nOnly a node that it no longer has can be forgotten.", name, t.Name)
		}
	}
	if s.exactly != nil {
		return choice{chosen: func(name string) bool { return s.exactly[name] }}, nil
	}
	if len(s.only) > 0 && len(s.except) > 0 {
		return choice{}, fmt.Errorf("--only and --except cannot be used together")
	}
	listed := map[string]bool{}
	var unknown []string
	for _, name := range slices.Concat(s.only, s.except) {
		names := configured(t, name)
		if len(names) == 0 {
			unknown, names = append(unknown, name), []string{name}
		}
		for _, n := range names {
			listed[n] = true
		}
	}
	return choice{func(name string) bool { return listed[name] == (len(s.only) > 0) }, unknown}, nil
}

// configured are the nodes that a name stands for and that lvsctl configures.
func configured(t *topology.Topology, name string) []string {
	var names []string
	for _, n := range t.Nodes {
		if n.Role != topology.Client && (n.Name == name || n.Group == name) {
			names = append(names, n.Name)
		}
	}
	return names
}

// missing refuses names that neither the topology nor a record has.
func (k *cases) missing(nodes []survey.Node) error {
	orphans := map[string]bool{}
	for _, n := range nodes {
		orphans[n.Name] = n.Orphan
	}
	for _, name := range k.choice.unknown {
		if !orphans[name] {
			return fmt.Errorf("there is no node %q to configure in topology %s\nIts nodes are %s.", name, k.Name, nodeNames(k.Topology))
		}
	}
	for _, name := range k.forget {
		if !orphans[name] {
			return fmt.Errorf("no record names a node %q that topology %s no longer has\nThere is nothing to forget.", name, k.Name)
		}
	}
	return nil
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

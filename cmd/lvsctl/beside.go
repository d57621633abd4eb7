package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// beside are the topologies in the other files of a folder, if PATH names a file. No plan
// may remove what they want.
type beside struct {
	topologies []neighbour
	// unclear are files that are no valid topology by themselves. They may be a part of
	// one.
	unclear []string
}

type neighbour struct {
	file string
	*topology.Topology
	wants []roles.Want
}

// besides reads the other files in the folder of the file that PATH names. If PATH names a
// folder there are none.
func (a *app) besides(ctx context.Context, args []string) beside {
	var all beside
	if len(args) == 0 {
		return all
	}
	given, err := os.Stat(args[0])
	if err != nil || given.IsDir() {
		return all
	}
	entries, _ := os.ReadDir(filepath.Dir(args[0])) // none if it cannot be read
	for _, e := range entries {
		file := filepath.Join(filepath.Dir(args[0]), e.Name())
		info, err := os.Stat(file)
		if err != nil || os.SameFile(info, given) || !isTopology(e.Name()) {
			continue
		}
		t, _, diags := topology.Load(ctx, file, topology.Options{Environ: os.Environ(), Version: version})
		if diags.HasErrors() {
			// This file may need the variables that were given. If it does not, loading it
			// with them is an error, so it was loaded without them first.
			t, _, diags = topology.Load(ctx, file, topology.Options{Vars: a.vars, VarFiles: a.varFiles, Environ: os.Environ(), Version: version})
		}
		if diags.HasErrors() {
			all.unclear = append(all.unclear, file)
			continue
		}
		wants, diags := roles.Wants(t)
		if diags.HasErrors() {
			all.unclear = append(all.unclear, file)
			continue
		}
		all.topologies = append(all.topologies, neighbour{file, t, wants})
	}
	return all
}

func isTopology(name string) bool {
	return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json"))
}

// names are the topologies' names, without the name but.
func (b beside) names(but string) []string {
	var list []string
	for _, n := range b.topologies {
		if n.Name != but {
			list = append(list, n.Name)
		}
	}
	return list
}

// refuse returns an error for a plan that would remove what a topology beside it wants.
func (a *app) refuse(p *plan.Plan, b beside) error {
	address := map[string]string{}
	for _, n := range p.Nodes {
		address[n.Name] = cmp.Or(n.Members.Self.Host, n.Address)
	}
	removes := false
	for _, act := range p.Actions {
		if !act.TakesAway() {
			continue
		}
		removes = true
		for _, n := range b.topologies {
			for _, w := range n.wants {
				at, wanted := w.Ranges[act.Ref]
				if !wanted || w.Node.Address != address[act.Node] {
					continue
				}
				remedy := "Apply that one first, and it stays."
				if n.Name == p.Topology {
					remedy = fmt.Sprintf("Both are called %s: give one of them another name, lvsctl { name = \"...\" }.", n.Name)
				}
				return fmt.Errorf("this plan would remove %s from %s, and %s beside it wants that (line %d)\n%s", act.Ref, act.Node, n.file, at.Start.Line, remedy)
			}
		}
	}
	if removes && len(b.unclear) > 0 {
		a.warn("what %s beside this topology wants is not known: it is no topology by itself", strings.Join(b.unclear, ", "))
	}
	return nil
}

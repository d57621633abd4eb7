package main

import (
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/topology"
)

// splitPath takes [PATH] NODE... apart: a PATH is a file or folder that exists.
func splitPath(args []string) (path, nodes []string) {
	if _, err := os.Stat(args[0]); err == nil && len(args) > 1 {
		return args[:1], args[1:]
	}
	return nil, args
}

// completeServers completes the names of real servers, and of their groups.
func (a *app) completeServers(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, args, func(t *topology.Topology) []string {
		var names []string
		for _, n := range t.Nodes {
			if serves(t, n) {
				names = append(names, n.Name)
				if n.Group != "" {
					names = append(names, n.Group)
				}
			}
		}
		return names
	})
}

// complete completes names of a topology that stand behind its PATH. A topology that
// cannot be read has none; the command itself says why.
func (a *app) complete(cmd *cobra.Command, args []string, names func(*topology.Topology) []string) ([]string, cobra.ShellCompDirective) {
	path := "."
	if len(args) > 0 {
		if _, err := os.Stat(args[0]); err == nil {
			path, args = args[0], args[1:]
		}
	}
	t, _, diags := topology.Load(cmd.Context(), path, topology.Options{Vars: a.vars, VarFiles: a.varFiles, Environ: os.Environ(), Version: version})
	if diags.HasErrors() {
		return nil, cobra.ShellCompDirectiveDefault
	}
	list := names(t)
	slices.Sort(list)
	list = slices.DeleteFunc(slices.Compact(list), func(name string) bool { return slices.Contains(args, name) })
	if len(args) > 0 {
		return list, cobra.ShellCompDirectiveNoFileComp
	}
	return list, cobra.ShellCompDirectiveDefault
}

// completeFlag completes a flag by names of the topology that the command line names so
// far.
func (a *app) completeFlag(cmd *cobra.Command, flag string, names func(*topology.Topology) []string) {
	// The only error is that there is no such flag.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		list, _ := a.complete(cmd, args, names)
		return list, cobra.ShellCompDirectiveNoFileComp
	})
}

// completeNodes completes --only and --except.
func (a *app) completeNodes(cmd *cobra.Command) {
	a.completeFlag(cmd, "only", nodeOrGroupNames)
	a.completeFlag(cmd, "except", nodeOrGroupNames)
}

// nodeOrGroupNames are what nodes that are configured can be called.
func nodeOrGroupNames(t *topology.Topology) []string {
	var names []string
	for _, n := range t.Nodes {
		if n.Role != topology.Client {
			names = append(names, n.Name)
			if n.Group != "" {
				names = append(names, n.Group)
			}
		}
	}
	return names
}

func serviceNames(t *topology.Topology) []string {
	names := make([]string, len(t.Services))
	for i, v := range t.Services {
		names[i] = v.Name
	}
	return names
}

package topology

import "github.com/hashicorp/hcl/v2"

// Options are what the command line and the environment add to a topology.
type Options struct {
	Vars     []string // NAME=VALUE, from --var
	VarFiles []string // from --var-file
	Environ  []string // NAME=VALUE; LVSCTL_VAR_* are variables, env() reads the rest
}

// Load reads a topology from a folder or a file. The files are returned for
// printing diagnostics with, whether or not there were errors; the topology is
// nil when there were.
func Load(path string, o Options) (*Topology, map[string]*hcl.File, hcl.Diagnostics) {
	panic("being written")
}

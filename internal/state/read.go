package state

import "github.com/lvsctl/lvsctl/internal/shell"

// A Section is one part of a node's live state: the command that prints it and
// the parser of what it prints. Commands change nothing on a node, need no tool
// but ip and ipvsadm, and return non-zero when they could not read.
type Section struct {
	Name  string
	Read  shell.Command
	Parse func(text string, s *State) error
}

// Wanted is what of a node's state cannot be found by looking around: it has to
// be asked for by name.
type Wanted struct {
	Topology string // whose rules and file blocks
	Sysctls  []string
	Packages []string
	Modules  []string
	// Shared are the files that may have a block of the topology's, Own those that
	// are its own, both as patterns of the shell; Units may start at boot.
	Shared, Own []string
	Units       []string
}

// Sections returns every section in the order they are read. Names in w are
// assumed to be validated; they are quoted all the same.
func Sections(w Wanted) []Section {
	return append([]Section{
		packageSection(w.Packages),
		moduleSection(w.Modules),
		sysctlSection(w.Sysctls),
		{"links", shell.Cmd("ip", "-o", "link", "show"), parseLinks},
		{"addresses4", shell.Cmd("ip", "-o", "-4", "addr", "show"), parseAddresses},
		{"addresses6", shell.Cmd("ip", "-o", "-6", "addr", "show"), parseAddresses},
		{"routes4", shell.Cmd("ip", "-o", "-4", "route", "show", "table", "main"), parseRoutes4},
		{"routes6", shell.Cmd("ip", "-o", "-6", "route", "show", "table", "main"), parseRoutes6},
		{"policies4", shell.Call(shell.ReadPolicies, "-4"), parsePolicies4},
		{"policies6", shell.Call(shell.ReadPolicies, "-6"), parsePolicies6},
		{"ipvs", shell.Call(shell.ReadTable), parseIPVS},
		{"thresholds", shell.Call(shell.ReadThresholds), parseThresholds},
		{"timeouts", shell.Call(shell.ReadTimeouts), parseTimeouts},
		{"sync daemons", shell.Call(shell.ReadDaemons), parseDaemons},
	}, TopologySections(w.Topology, w.Shared, w.Own, w.Units)...)
}

// TopologySections are those that read what bears a topology's name. They may be
// read for several topologies, one after the other.
func TopologySections(topology string, shared, own, units []string) []Section {
	return []Section{
		ruleSection(topology),
		blockSection(topology, shared),
		fileSection(own),
		unitSection(units),
	}
}

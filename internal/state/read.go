package state

import (
	"slices"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// A Section is a part of a node's live State: a command that prints it, and the parser of
// the output. The commands change nothing on a node, need no tools but ip and ipvsadm, and
// have a non-zero exit status if they could not read.
type Section struct {
	Name  string
	Read  shell.Command
	Parse func(text string, s *State) error
}

// Wanted names the entries that the reading cannot find by itself.
type Wanted struct {
	Topology string // its netfilter rules and file blocks are read
	Sysctls  []string
	Packages []string
	Modules  []string
	// Shared are files that may have a block of the topology, and Own its own files, both
	// as patterns of the shell. Units are services that may start at boot.
	Shared, Own []string
	Units       []string
}

// Sections returns all sections in the order in which they are read. Names in w must be
// valid; they are quoted all the same.
func Sections(w Wanted) []Section {
	return slices.Concat([]Section{
		packageSection(w.Packages),
		moduleSection(w.Modules),
		sysctlSection(w.Sysctls),
		{"links", shell.Call(shell.ReadIP, "links"), parseLinks},
		{"fous", shell.Call(shell.ReadFOUs), parseFOUs},
		{"addresses4", shell.Call(shell.ReadIP, "addresses4"), parseAddresses},
		{"addresses6", shell.Call(shell.ReadIP, "addresses6"), parseAddresses},
		{"routes4", shell.Call(shell.ReadIP, "routes4"), parseRoutes4},
		{"routes6", shell.Call(shell.ReadIP, "routes6"), parseRoutes6},
		{"policies4", shell.Call(shell.ReadIP, "policies4"), parsePolicies4},
		{"policies6", shell.Call(shell.ReadIP, "policies6"), parsePolicies6},
		{"ipvs", shell.Call(shell.ReadTable), parseIPVS},
		{"thresholds", shell.Call(shell.ReadThresholds), parseThresholds},
		{"timeouts", shell.Call(shell.ReadTimeouts), parseTimeouts},
		{"sync daemons", shell.Call(shell.ReadDaemons), parseDaemons},
	}, TopologySections(w.Topology, w.Shared, w.Own, w.Units))
}

// AddressSections read the addresses alone, in a script that is not begun anew for each
// reading.
func AddressSections() []Section {
	return []Section{
		{"addresses4", shell.Cmd("ip", "-o", "-4", "addr", "show"), parseAddresses},
		{"addresses6", shell.Cmd("ip", "-o", "-6", "addr", "show"), parseAddresses},
	}
}

// TopologySections are the sections that read entries with a topology's name. They may be
// read for several topologies, one after the other.
func TopologySections(topology string, shared, own, units []string) []Section {
	return []Section{
		ruleSection(topology),
		blockSection(topology, shared),
		fileSection(own),
		unitSection(units),
	}
}

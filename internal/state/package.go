package state

import (
	"cmp"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Package is a tool that a node must have. Its key is the command's name: the package is
// missing if the command is not found. It is never uninstalled.
type Package struct {
	// Manager is the node's package manager, or "" if lvsctl knows none there.
	Manager string `json:"manager,omitempty"`
}

var packages = &table[string, Package]{
	kind:     KindPackage,
	lifetime: permanent,
	of:       func(s *State) *map[string]Package { return &s.Packages },
	compare:  cmp.Compare[string],
	key:      func(k string) Key { return Name(k) },
	value:    func(v Package) string { return v.Manager },
	make: func(_ *State, k string, v Package) []shell.Command {
		return []shell.Command{install(v.Manager, k)}
	},
	fit: func(live *State, _ Record, have, want map[string]Package) {
		for k := range want {
			if h, ok := have[k]; ok {
				want[k] = h
			} else {
				want[k] = Package{Manager: live.Manager}
			}
		}
	},
}

// install installs a command's package. On every distribution the packages have the names
// of the commands, except that ip6tables is in iptables.
func install(manager, name string) shell.Command {
	if name == "ip6tables" {
		name = "iptables"
	}
	return shell.Call(shell.Install, manager, name)
}

// packageSection prints the package manager, then each of the commands that the node has:
//
//	manager apt-get
//	ipvsadm
func packageSection(commands []string) Section {
	return Section{"packages", shell.Call(shell.ReadPackages, commands...), func(text string, s *State) error {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if m, ok := strings.CutPrefix(line, "manager "); ok {
				s.Manager = m
			} else if line != "" {
				s.Packages[line] = Package{}
			}
		}
		return nil
	}}
}

package state

import (
	"cmp"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Package is a tool that has to be there: keyed by the command's name, because
// missing means that the command is not found. It is never uninstalled.
type Package struct {
	// Manager is the node's package manager; "" if it has none that is known.
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

// install installs a command's package. The packages lvsctl needs are called like
// their commands on every distribution, but that ip6tables comes with iptables.
func install(manager, name string) shell.Command {
	if name == "ip6tables" {
		name = "iptables"
	}
	return shell.Call(shell.Install, manager, name)
}

// packageSection prints the package manager, then each wanted command that is
// there:
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

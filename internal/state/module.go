package state

import (
	"cmp"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Module is a kernel module that is loaded or built in. lvsctl never unloads one: it
// serves the whole machine with its containers, and others may use it by now.
type Module struct{}

var modules = &table[string, Module]{
	kind:     KindModule,
	lifetime: permanent,
	of:       func(s *State) *map[string]Module { return &s.Modules },
	compare:  cmp.Compare[string],
	key:      func(k string) Key { return Name(k) },
	value:    func(Module) string { return "" },
	make: func(_ *State, k string, _ Module) []shell.Command {
		return []shell.Command{shell.Cmd("modprobe", k)}
	},
}

// moduleSign is a path that exists if and only if a module is loaded or built in. For
// modules that are not in it, that is /sys/module/NAME, which a built-in module without
// parameters does not have; then the list of built-in ones has it.
var moduleSign = map[string]string{
	"ip_vs":      "/proc/net/ip_vs",
	"ipip":       "/proc/sys/net/ipv4/conf/tunl0",
	"ip6_tunnel": "/proc/sys/net/ipv6/conf/ip6tnl0",
	"ip_gre":     "/proc/sys/net/ipv4/conf/gre0",
	"ip6_gre":    "/proc/sys/net/ipv6/conf/ip6gre0",
}

// moduleSection prints the names of those of the modules that are loaded or built in.
func moduleSection(names []string) Section {
	var args []string
	for _, n := range names {
		sign, ok := moduleSign[n]
		if !ok {
			sign = "/sys/module/" + n
		}
		args = append(args, n, sign)
	}
	return Section{"modules", shell.Call(shell.ReadModules, args...), func(text string, s *State) error {
		for name := range strings.FieldsSeq(text) {
			s.Modules[name] = Module{}
		}
		return nil
	}}
}

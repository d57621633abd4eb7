package state

import (
	"cmp"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Module is a loaded kernel module, or its function where the kernel has it
// built in. It is never unloaded: it belongs to the whole machine, containers
// included, and nobody can tell who came to rely on it.
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

// moduleSign is what a node has exactly while a module is loaded or built in.
// Where nothing is listed it is /sys/module/NAME, which a built-in module
// without parameters lacks.
var moduleSign = map[string]string{
	"ip_vs":      "/proc/net/ip_vs",
	"ipip":       "/proc/sys/net/ipv4/conf/tunl0",
	"ip6_tunnel": "/proc/sys/net/ipv6/conf/ip6tnl0",
}

// moduleSection prints the names of those modules that are there.
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

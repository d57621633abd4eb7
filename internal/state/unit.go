package state

import (
	"cmp"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Unit is a service that starts at boot. Its key is its name. lvsctl starts and stops no
// service, because the node is already as the service would make it.
type Unit struct {
	// Init is what starts services on the node: InitSystemd and so on.
	Init string `json:"init,omitempty"`
}

// What may start a node's services.
const (
	InitSystemd = "systemd"
	InitRedHat  = "chkconfig"   // SysV scripts on Red Hat
	InitDebian  = "update-rc.d" // SysV scripts on Debian
	InitOpenRC  = "openrc"      // Alpine, Gentoo
)

// OpenRC's own services that read the files of modules and kernel parameters. Systemd's
// are always on.
const (
	UnitModules = "modules"
	UnitSysctl  = "sysctl"
)

var units = &table[string, Unit]{
	kind:    KindUnit,
	of:      func(s *State) *map[string]Unit { return &s.Units },
	compare: cmp.Compare[string],
	key:     func(name string) Key { return Name(name) },
	value:   func(Unit) string { return "" },
	make: func(_ *State, name string, u Unit) []shell.Command {
		return []shell.Command{u.set(name, true)}
	},
	unmake: func(_ *State, name string, u Unit) []shell.Command {
		return []shell.Command{u.set(name, false)}
	},
	fit: func(live *State, _ Record, have, want map[string]Unit) {
		for name := range want {
			want[name] = Unit{Init: live.Init}
		}
	},
}

// set makes a service start at boot or not. It neither starts nor stops it now.
func (u Unit) set(name string, on bool) shell.Command {
	switch u.Init {
	case InitRedHat:
		return shell.Cmd("chkconfig", name, map[bool]string{true: "on", false: "off"}[on])
	case InitDebian:
		return shell.Cmd("update-rc.d", name, map[bool]string{true: "enable", false: "disable"}[on])
	case InitOpenRC:
		if on {
			return shell.Cmd("rc-update", "add", name, runlevel(name))
		}
		return shell.Cmd("rc-update", "-a", "delete", name)
	}
	// What runs does not change by it, so systemd need not read all units anew.
	return shell.Call(shell.Systemctl, "--no-reload", map[bool]string{true: "enable", false: "disable"}[on], name+".service")
}

// runlevel is OpenRC's runlevel for a service. The network comes up in boot, which is
// before default.
func runlevel(name string) string {
	switch name {
	case UnitModules, UnitSysctl:
		return "boot"
	}
	return "default"
}

// unitSection prints what starts services on the node, then those of the names that start
// at boot:
//
//	init systemd
//	ipvsadm
func unitSection(names []string) Section {
	return Section{"units", shell.Call(shell.ReadUnits, names...), func(text string, s *State) error {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if init, ok := strings.CutPrefix(line, "init "); ok {
				s.Init = init
			} else if line != "" {
				s.Units[line] = Unit{}
			}
		}
		for name := range s.Units {
			s.Units[name] = Unit{Init: s.Init}
		}
		return nil
	}}
}

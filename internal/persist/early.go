package persist

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// modules makes the file that loads the kernel modules at boot, before the parameters are
// set: those of net.ipv4.vs and of a tunnel's device exist only with their module.
func (j *job) modules() {
	names := slices.Sorted(maps.Keys(j.Want.Modules))
	if len(names) == 0 {
		return
	}
	switch {
	case j.Live.Init == state.InitRedHat:
		// rc.sysinit runs *.modules before it sets the parameters a second time.
		for i, n := range names {
			names[i] = shell.Cmd("modprobe", n).String() + " >/dev/null 2>&1"
		}
		j.block(modulesScript, names...)
	case j.Live.Init == state.InitDebian:
		j.block(etcModules, names...)
	case j.Live.Init == state.InitOpenRC:
		path := modulesFile
		if j.Boot.OpenRC.EtcModules {
			path = etcModules
		}
		j.block(path, names...)
		if j.Boot.OpenRC.Modules {
			j.reads(state.UnitModules)
		}
	default:
		j.block(modulesFile, names...)
	}
}

// sysctls makes the file that sets the kernel parameters at boot. They are set before any
// network system starts, so that a real server never answers ARP for its VIP, and after
// the modules (systemd-sysctl.service is ordered after systemd-modules-load.service; udev
// sets those of a device that appears later, 99-systemd.rules). The name zz sorts after
// 99-sysctl.conf, which is /etc/sysctl.conf. The forwarding switches come first, because
// the kernel changes others along with them.
func (j *job) sysctls() {
	keys := slices.SortedFunc(maps.Keys(j.Want.Sysctls), state.CompareSysctls)
	if len(keys) == 0 {
		return
	}
	lines := make([]string, len(keys))
	for i, k := range keys {
		lines[i] = state.SysctlName(k) + " = " + strings.Join(strings.Fields(j.Want.Sysctls[k]), " ")
	}
	j.block(sysctlFile, lines...)
	if j.Live.Init == state.InitOpenRC && j.Boot.OpenRC.Sysctl {
		j.reads(state.UnitSysctl)
	}
	for _, a := range j.Boot.Assignments {
		want, ok := j.Want.Sysctls[a.Key]
		if other, two := state.SameSysctl(a.Key); two && !ok {
			want, ok = j.Want.Sysctls[other]
		}
		if !ok || a.File == sysctlFile || a.File == sysctlLink || a.Value == strings.Join(strings.Fields(want), " ") {
			continue
		}
		name := fmt.Sprintf("%s:%d sets %s = %s", a.File, a.Line, state.SysctlName(a.Key), a.Value)
		base := a.File[strings.LastIndexByte(a.File, '/')+1:]
		last := strings.Contains(a.File, "/sysctl.d/") && base > "zz-lvsctl.conf"
		switch j.Live.Init {
		case state.InitDebian: // its SysV script runs sysctl --system, which reads it last
			last = last || a.File == sysctlConf
		case state.InitOpenRC: // Alpine's service reads these last
			last = last || a.File == sysctlConf || strings.HasPrefix(a.File, "/run/sysctl.d/")
		}
		if last {
			j.out.Warnings = append(j.out.Warnings, name+", which is read after "+sysctlFile+" and wins at boot; remove that line")
			continue
		}
		j.out.Notes = append(j.out.Notes, name+"; at boot "+sysctlFile+" is read after it and wins")
	}
}

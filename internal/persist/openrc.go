package persist

import (
	"maps"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// OpenRC is what a node that boots with OpenRC (Alpine, Gentoo) says about its services.
// They read the usual files, if they are in a runlevel: modules those of modules-load.d,
// sysctl those of sysctl.d and then /etc/sysctl.conf. networking runs ifup for one device
// after another, and ipvsadm loads its rules-save. Read in Alpine's openrc 0.35 to 0.62
// and ipvsadm 1.29 to 1.31.
type OpenRC struct {
	// Modules and Sysctl are set if the services of these names exist.
	Modules, Sysctl bool
	// EtcModules is set if the service modules reads /etc/modules and no modules-load.d, as
	// in older releases of Alpine.
	EtcModules bool
	// NoNetworking is set if ifup does not run at boot.
	NoNetworking bool
	// NoRestore is set if ipvsadm-restore cannot run, because bash is missing. The service
	// ipvsadm calls it.
	NoRestore bool
}

func (o *OpenRC) add(word string) {
	switch word {
	case "modules":
		o.Modules = true
	case "sysctl":
		o.Sysctl = true
	case "etcmodules":
		o.EtcModules = true
	case "nonetworking":
		o.NoNetworking = true
	case "norestore":
		o.NoRestore = true
	}
}

// initPath is OpenRC's service that runs the boot script. Its name has no dots: OpenRC
// ignores a service whose name ends in .sh (rc_service_exists, src/librc/librc.c).
func (j *job) initPath() string { return initDir + j.own() }

// initScript is that service's file. It starts after every service that configures the
// network, filters packets or loads the table, so that none of them undoes what it sets.
func (j *job) initScript() []string {
	return []string{
		"#!/sbin/openrc-run",
		"# lvsctl, topology " + j.Topology + ". Made by lvsctl; edits are drift.",
		`description="What lvsctl's topology ` + j.Topology + ` needs at boot"`,
		"",
		"depend() {",
		"  after net ipvsadm firewall iptables ip6tables nftables awall ufw",
		"}",
		"",
		"start() {",
		`  ebegin "Setting what lvsctl's topology ` + j.Topology + ` needs"`,
		"  /bin/sh " + shell.Quote(j.scriptPath()),
		"  eend $?",
		"}",
	}
}

// reads makes one of OpenRC's own services start at boot, because it reads a file with
// lvsctl's lines.
func (j *job) reads(service string) {
	if _, on := j.Live.Units[service]; !on {
		j.out.Notes = append(j.out.Notes, "OpenRC's service "+service+" does not start at boot here and will from now on; it reads the files of others too")
	}
	j.out.Units[service] = state.Unit{Init: j.Live.Init}
}

// lateSysctls lets the boot script set the parameters of devices that do not exist before
// the network comes up, such as bridges. OpenRC's service sysctl runs before that. Elsewhere
// udev sets them when a device appears.
func (j *job) lateSysctls(why string) {
	if j.Live.Init != state.InitOpenRC {
		return
	}
	for _, k := range slices.SortedFunc(maps.Keys(j.Want.Sysctls), state.CompareSysctls) {
		parts := strings.Split(k, "/")
		if len(parts) != 5 || parts[2] != "conf" && parts[2] != "neigh" {
			continue
		}
		if dev := parts[3]; state.TunnelModule(dev) == "" && j.Boot.Devices[dev].Class == "" {
			continue
		}
		p := j.part(why)
		p.Sysctls[k] = j.Want.Sysctls[k]
		p.why[why] = append(p.why[why], state.SysctlName(k))
	}
}

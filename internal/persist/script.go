package persist

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// scriptPath is the boot script, and unitName the service that runs it.
func (j *job) scriptPath() string { return "/etc/lvsctl/" + j.Topology + ".sh" }
func (j *job) unitName() string   { return "lvsctl-" + j.Topology }
func (j *job) unitPath() string   { return "/etc/systemd/system/" + j.unitName() + ".service" }

// modules has the kernel modules loaded before the parameters are set: those of
// net.ipv4.vs and of a tunnel's device are there only with them.
func (j *job) modules() {
	names := slices.Sorted(maps.Keys(j.Want.Modules))
	if len(names) == 0 {
		return
	}
	switch {
	case j.Live.Init == state.InitRedHat:
		// rc.sysinit runs *.modules before it sets the parameters a second time.
		for i, n := range names {
			names[i] = "modprobe " + n + " >/dev/null 2>&1"
		}
		j.block(modulesScript, names...)
	case j.Live.Init == state.InitDebian:
		j.block(etcModules, names...)
	default:
		j.block(modulesFile, names...)
	}
}

// sysctls has the kernel parameters set early: before any network system, so
// that a real server's VIP is quiet when it comes, and after the modules
// (systemd-sysctl.service is ordered after systemd-modules-load.service; udev sets
// a late device's again, 99-systemd.rules). zz sorts after 99-sysctl.conf, which is
// /etc/sysctl.conf. The forwarding switches go first, because they reset others.
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
	for _, a := range j.Boot.Assignments {
		want, ok := j.Want.Sysctls[a.Key]
		if !ok || a.File == sysctlFile || a.File == sysctlLink || a.Value == strings.Join(strings.Fields(want), " ") {
			continue
		}
		name := fmt.Sprintf("%s:%d sets %s = %s", a.File, a.Line, state.SysctlName(a.Key), a.Value)
		base := a.File[strings.LastIndexByte(a.File, '/')+1:]
		last := strings.Contains(a.File, "/sysctl.d/") && base > "zz-lvsctl.conf"
		// sysctl --system, which Debian's SysV script runs, comes to it last.
		if last || a.File == sysctlConf && j.Live.Init == state.InitDebian {
			j.out.Warnings = append(j.out.Warnings, name+", which is read after "+sysctlFile+" and wins at boot; remove that line")
			continue
		}
		j.out.Notes = append(j.out.Notes, name+"; at boot "+sysctlFile+" is read after it and wins")
	}
}

// table has the ipvsadm service load the table: the file is its own, so are the
// services that others wrote there. ipvsadm -S forgets thresholds, timeouts and
// daemons, so the lines are made here.
func (j *job) table() {
	lines := j.Want.RestoreLines(j.Boot.strays())
	if len(lines) == 0 {
		return
	}
	kind := j.Boot.Table
	if kind == "" {
		// Not installed yet: the plan does that.
		kind = map[string]string{"apt-get": TableDebian, "dnf": TableRedHat, "yum": TableRedHat}[j.Live.Manager]
	}
	path := debianRules
	if kind == TableRedHat {
		path = redHatRules
	}
	j.block(path, lines...)
	if kind == "" || j.Live.Init == "" {
		j.scriptTable = path
		return
	}
	j.out.Units["ipvsadm"] = state.Unit{Init: j.Live.Init}
	switch kind {
	case TableRedHat:
		if j.Live.Init == state.InitSystemd {
			j.keepTable()
		} else if j.Boot.Saves {
			j.out.Warnings = append(j.out.Warnings, "/etc/sysconfig/ipvsadm-config has the table saved over "+redHatRules+" when its service stops, which forgets thresholds, timeouts and sync daemons; set IPVS_SAVE_ON_STOP and IPVS_SAVE_ON_RESTART to no there")
		}
	case TableDebian:
		if !j.Boot.Auto {
			j.block(debianDefault, `AUTO="true"`)
			if n := len(j.Boot.Restored); n > 0 {
				j.out.Warnings = append(j.out.Warnings, fmt.Sprintf("%s has other lines (%d), which were not loaded at boot (AUTO=\"false\" in %s) and will be from now on; look through them", debianRules, n, debianDefault))
			}
		}
	}
}

func (j *job) savePath() string { return "/etc/lvsctl/" + j.Topology + ".save" }
func (j *job) dropInPath() string {
	return "/etc/systemd/system/ipvsadm.service.d/lvsctl-" + j.Topology + ".conf"
}

// keepTable mends a service that writes the table over its file when it stops,
// at every shutdown: the lines between markers stay as they are, and the rest is
// what it would have written.
func (j *job) keepTable() {
	j.file(j.savePath(), "0644", strings.Split(strings.TrimSuffix(shell.SaveTable(), "\n"), "\n")...)
	j.file(j.dropInPath(), "0644",
		"# ipvsadm-save forgets thresholds, timeouts and sync daemons.",
		"[Service]",
		"ExecStop=",
		"ExecStop=/bin/sh "+j.savePath(),
		"ExecStop=/sbin/ipvsadm -C")
}

// rules has netfilter's rules come back by the boot script: what else restores
// rules on a node takes them all or none.
func (j *job) rules() { maps.Copy(j.script.Rules, j.Want.Rules) }

// boot makes the boot script, if anything was left to it, and has it run.
func (j *job) boot() {
	lines := j.commands()
	if len(lines) == 0 {
		return
	}
	how := "systemd runs it"
	switch {
	case j.Live.Init == state.InitSystemd:
		j.file(j.unitPath(), "0644", j.unit()...)
		j.out.Units[j.unitName()] = state.Unit{Init: j.Live.Init}
		how = j.unitName() + ".service"
	case j.Boot.RCLocal != "":
		j.block(j.Boot.RCLocal, "/bin/sh "+j.scriptPath())
		how = j.Boot.RCLocal
		if j.Boot.RCExit {
			j.out.Warnings = append(j.out.Warnings, how+" ends by exit before it comes to lvsctl's line at its end; remove that exit")
		}
	default:
		j.out.Warnings = append(j.out.Warnings, "nothing that lvsctl knows runs at its boot, so "+j.left()+" will not come back; write persist = \"none\" if that is meant")
		return
	}
	j.file(j.scriptPath(), "0755", lines...)
	j.out.Notes = append(j.out.Notes, fmt.Sprintf("at boot %s sets %s: %s", how, j.left(), j.reason()))
}

// left is what the script does, in words.
func (j *job) left() string {
	words := slices.Sorted(maps.Keys(j.script.Links))
	for _, d := range devices(j.script) {
		for _, p := range d.addresses {
			words = append(words, state.AddressKey{Prefix: p, Dev: d.name}.String())
		}
		for _, k := range d.routes {
			words = append(words, "the route "+k.String())
		}
	}
	if n := len(j.script.Rules); n > 0 {
		words = append(words, map[bool]string{true: "1 netfilter rule", false: fmt.Sprintf("%d netfilter rules", n)}[n == 1])
	}
	if j.scriptTable != "" {
		words = append(words, "the table of virtual services")
	}
	return strings.Join(words, ", ")
}

func (j *job) reason() string {
	switch {
	case len(j.script.Links)+len(j.script.Addresses)+len(j.script.Routes) == 0:
		return "no network system holds that"
	case j.system == "":
		return "its network system is none that lvsctl knows"
	}
	return string(j.system) + " cannot hold that"
}

// unit runs the script once whatever configures the network has done so: what
// another program sets at boot, a firewall or a default route, is set by then.
func (j *job) unit() []string {
	online := "network-online.target"
	lines := []string{
		"[Unit]",
		"Description=What lvsctl's topology " + j.Topology + " needs at boot",
		"After=network.target " + online + " systemd-sysctl.service systemd-modules-load.service",
		"After=networking.service network.service NetworkManager.service systemd-networkd.service",
		"After=nftables.service iptables.service ip6tables.service firewalld.service ufw.service netfilter-persistent.service",
	}
	if len(j.script.Routes) > 0 {
		lines = append(lines, "Wants="+online)
	}
	return append(lines,
		"",
		"[Service]",
		"Type=oneshot",
		"RemainAfterExit=yes",
		"ExecStart=/bin/sh "+j.scriptPath(),
		"",
		"[Install]",
		"WantedBy=multi-user.target")
}

// commands are the script's lines. Each is tried whatever became of the others,
// and does nothing where it is done already.
func (j *job) commands() []string {
	var lines []string
	add := func(c ...string) { lines = append(lines, shell.Cmd(c...).String()+" || s=1") }
	for _, dev := range slices.Sorted(maps.Keys(j.script.Links)) {
		if m := tunnel(dev); m != "" {
			add("modprobe", m)
		}
		add("ip", "link", "set", "dev", dev, map[bool]string{true: "up", false: "down"}[j.script.Links[dev].Up])
	}
	for _, d := range devices(j.script) {
		for _, p := range d.addresses {
			add(replaceAddress(d.name, p)...)
		}
		for _, k := range d.routes {
			add(replaceRoute(k, j.script.Routes[k])...)
		}
	}
	keys := slices.SortedFunc(maps.Keys(j.script.Rules), state.CompareRules)
	for _, k := range keys {
		check, make := state.RuleCommands(k, j.script.Rules[k])
		lines = append(lines, check.String()+" 2>/dev/null || "+make.String()+" || s=1")
	}
	if j.scriptTable != "" {
		lines = append(lines, "grep -v '^#' "+j.scriptTable+" | ipvsadm -R || s=1")
	}
	if len(lines) == 0 {
		return nil
	}
	head := []string{
		"#!/bin/sh",
		"# lvsctl, topology " + j.Topology + ": what nothing else sets at boot. Made by lvsctl; edits are drift.",
		"PATH=/usr/sbin:/sbin:/usr/bin:/bin",
		"s=0",
	}
	return append(append(head, lines...), `exit "$s"`)
}

// replaceAddress adds an address or leaves one that is there; an IPv6 VIP is
// usable at once and nobody's source.
func replaceAddress(dev string, p netip.Prefix) []string {
	if p.Addr().Is6() {
		return []string{"ip", "-6", "addr", "replace", p.String(), "dev", dev, "nodad", "preferred_lft", "0"}
	}
	return []string{"ip", "-4", "addr", "replace", p.String(), "dev", dev}
}

// replaceRoute puts a route in the place of any other with its destination and
// metric.
func replaceRoute(k state.RouteKey, r state.Route) []string {
	return state.RouteCommand("replace", k, state.Route{Via: r.Via, Dev: r.Dev, Type: r.Type}).Args
}

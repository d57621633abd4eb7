package persist

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// The boot script sets what no file of the node's network system can. A unit or rc.local
// runs it once at boot. If the network system has a hook, that also runs it with the
// argument "network" each time a device was configured; then it leaves netfilter's rules
// and the IPVS table alone.
//
// Its commands replace entries and do not add them. So it is no error if an entry exists,
// and at the end all are there, in whatever order the script and the network system run.

// scriptPath is the boot script, and unitName the service that runs it.
func (j *job) scriptPath() string { return "/etc/lvsctl/" + j.Topology + ".sh" }
func (j *job) unitName() string   { return "lvsctl-" + j.Topology }
func (j *job) unitPath() string   { return "/etc/systemd/system/" + j.unitName() + ".service" }

// rules lets the boot script restore netfilter's rules. The services that restore rules
// would replace those of others.
func (j *job) rules() {
	maps.Copy(j.script.Rules, j.Want.Rules)
	switch n := len(j.Want.Rules); n {
	case 0:
	case 1:
		j.script.why[nobody] = append(j.script.why[nobody], "1 netfilter rule")
	default:
		j.script.why[nobody] = append(j.script.why[nobody], fmt.Sprintf("%d netfilter rules", n))
	}
}

// boot makes the boot script, if anything is left to it, and what runs it.
func (j *job) boot() {
	const failed = " || s=1"
	own := map[string]bool{}
	for k := range j.Before.Addresses {
		own[aliasKey(k.Dev, k.Prefix.Addr())] = true
	}
	var network, rest shell.Script
	networkLines(&network, j.hooked.State, own, "")
	networkLines(&network, j.script.State, own, failed)
	j.restLines(&rest, failed)
	if network.Empty() && rest.Empty() {
		return
	}
	switch how := j.runs(); {
	case len(j.script.why) == 0: // the hooks run it
	case how == "":
		j.out.Warnings = append(j.out.Warnings, "nothing that lvsctl knows runs at its boot, so "+several(j.script.words())+" will not come back; write persist = \"none\" if that is meant")
		if len(j.hooked.why) == 0 {
			return
		}
	default:
		j.out.Notes = append(j.out.Notes, j.notes(how)...)
	}
	var script shell.Script
	script.Line("PATH=/usr/sbin:/sbin:/usr/bin:/bin${PATH:+:$PATH}")
	script.Line("s=0")
	script.Add(&network)
	if !rest.Empty() {
		script.Line(`if [ "$1" = network ]; then exit "$s"; fi`)
		script.Add(&rest)
	}
	script.Line(`exit "$s"`)
	j.file(j.scriptPath(), "0755", slices.Concat([]string{
		"#!/bin/sh",
		"# lvsctl, topology " + j.Topology + ": what nothing else sets at boot. Made by lvsctl; edits are drift.",
	}, strings.Split(strings.TrimSuffix(script.String(), "\n"), "\n"))...)
}

// runs makes the unit or the line in rc.local that runs the script at boot. It returns
// which one in words, or "" if neither is possible.
func (j *job) runs() string {
	switch {
	case len(j.script.why) == 0:
		return ""
	case j.Live.Init == state.InitSystemd:
		j.file(j.unitPath(), "0644", j.unit()...)
		j.out.Units[j.unitName()] = state.Unit{Init: j.Live.Init}
		return j.unitName() + ".service"
	case j.Live.Init == state.InitOpenRC:
		j.file(j.initPath(), "0755", j.initScript()...)
		j.out.Units[j.own()] = state.Unit{Init: j.Live.Init}
		return "the service " + j.own()
	case j.Boot.RCLocal != "":
		j.block(j.Boot.RCLocal, shell.Cmd("/bin/sh", j.scriptPath()).String())
		if j.Boot.RCExit {
			j.out.Warnings = append(j.out.Warnings, j.Boot.RCLocal+" ends by exit before it comes to lvsctl's line at its end; remove that exit")
		}
		return j.Boot.RCLocal
	}
	return ""
}

// unit is a unit that runs the script after the network is configured. By then other
// programs have set what they set at boot, such as a firewall or a default route.
func (j *job) unit() []string {
	online := "network-online.target"
	lines := []string{
		"[Unit]",
		"Description=What lvsctl's topology " + j.Topology + " needs at boot",
		"After=network.target " + online + " systemd-sysctl.service systemd-modules-load.service",
		"After=networking.service network.service NetworkManager.service systemd-networkd.service",
		"After=nftables.service iptables.service ip6tables.service firewalld.service ufw.service netfilter-persistent.service",
	}
	if j.script.waits() {
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

// waits reports whether a part of the script needs devices that the network system brings
// up: After alone waits for no target that nothing wants.
func (p part) waits() bool {
	for k := range p.Addresses {
		if k.Dev != "lo" && state.TunnelModule(k.Dev) == "" {
			return true
		}
	}
	return len(p.Routes) > 0
}

// networkLines adds the lines for a State's devices, parameters, addresses and routes, each
// with what follows it. If one fails, the others run all the same. They skip a device that
// is not up: its network system must first give it its own addresses. own are the addresses
// that the node has of its own, by [aliasKey]: an IPv6 one, with whichever length, stays.
func networkLines(script *shell.Script, s *state.State, own map[string]bool, failed string) {
	for _, dev := range slices.Sorted(maps.Keys(s.Links)) {
		if m := state.TunnelModule(dev); m != "" {
			script.Line(shell.Cmd("modprobe", m), failed)
		}
		script.Line(shell.Cmd("ip", "link", "set", "dev", dev, map[bool]string{true: "up", false: "down"}[s.Links[dev].Up]), failed)
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.Sysctls), state.CompareSysctls) {
		set := state.SysctlCommand(k, s.Sysctls[k])
		script.Line("if [ -e ", shell.Cmd(set.To), " ]; then ", set, "; fi", failed)
	}
	for _, d := range devices(s) {
		indent, guarded := "", d.name != "" && len(d.addresses)+len(d.routes) > 0
		if guarded {
			script.Line("if ", shell.Call(shell.IsUp, d.name), "; then")
			indent = "  "
		}
		for _, p := range d.addresses {
			if p.Addr().Is6() && own[aliasKey(d.name, p.Addr())] {
				script.Line(indent, shell.Cmd("ip", "-o", "-6", "addr", "show", "dev", d.name), " | ", shell.Cmd("grep", "-q", "-F", " "+p.Addr().String()+"/"), " ||")
			}
			replaceAddress(script, indent, d.name, p, failed)
		}
		for _, k := range d.routes {
			script.Line(indent, replaceRoute(k, s.Routes[k]), failed)
		}
		switch {
		case guarded && failed != "":
			script.Line("else s=1; fi")
		case guarded:
			script.Line("fi")
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(s.Policies), state.ComparePolicies) {
		addPolicy(script, k, s.Policies[k], failed)
	}
}

// addPolicy adds a rule only if it does not exist: kernels before 4.11 would have it twice
// (fib_nl_newrule, net/core/fib_rules.c). Later ones refuse it, and that is no failure: at
// boot the unit and a hook may run the script at the same moment.
func addPolicy(script *shell.Script, k state.PolicyKey, p state.Policy, failed string) {
	add := state.PolicyCommand("add", k, p)
	show := shell.Cmd("ip", add.Args[1], "rule", "show")
	find := shell.Cmd("grep", "-q", fmt.Sprintf("^%d:.*%s %s", k.Priority, k.Selector, p.Action))
	script.Line(show, " | ", find, " || ", add, " || ", show, " | ", find, failed)
}

// addFOU opens a port unless it is open.
func addFOU(script *shell.Script, k state.FOUKey, v state.FOU, failed string) {
	line := "^port " + strconv.Itoa(int(k.Port)) + " " + v.Holds + " *"
	if k.V6 {
		line += "-6"
	}
	open := shell.Cmd("grep", "-q", line+"$")
	show := shell.Cmd("ip", "fou", "show")
	script.Line(show, " | ", open, " || ", state.FOUCommand("add", k, v), " || ", show, " | ", open, failed)
}

// restLines adds the lines that open ports for packets in UDP, set netfilter's rules and
// load the IPVS table.
func (j *job) restLines(script *shell.Script, failed string) {
	if len(j.script.FOUs) > 0 {
		script.Line(shell.Cmd("modprobe", "fou"), failed)
	}
	for _, k := range slices.SortedFunc(maps.Keys(j.script.FOUs), state.CompareFOUs) {
		addFOU(script, k, j.script.FOUs[k], failed)
	}
	for _, k := range slices.SortedFunc(maps.Keys(j.script.Rules), state.CompareRules) {
		check, make := state.RuleCommands(k, j.script.Rules[k])
		script.Line(check, " 2>/dev/null || ", make, failed)
	}
	if j.scriptTable != "" {
		name := strings.ReplaceAll(j.Topology, ".", `\.`)
		own := "/^# BEGIN lvsctl " + name + `\( (.*\)\{0,1\}$/,/^# END lvsctl ` + name + "$/!d"
		script.Line(shell.Cmd("sed", "-e", own, "-e", "/^#/d", j.scriptTable), " | ", shell.Cmd("ipvsadm", "-R"), failed)
	}
}

// replaceAddress adds an address, or leaves one that exists. An IPv6 VIP can be used at
// once, and is never the source of the node's own traffic. busybox's ip has no nodad.
func replaceAddress(script *shell.Script, indent, dev string, p netip.Prefix, failed string) {
	if p.Addr().Is4() {
		script.Line(indent, shell.Cmd("ip", "-4", "addr", "replace", p.String(), "dev", dev), failed)
		return
	}
	args := []string{"ip", "-6", "addr", "replace", p.String(), "dev", dev}
	script.Line(indent, shell.Cmd(append(args, "nodad", "preferred_lft", "0")...), " 2>/dev/null || ", shell.Cmd(append(args, "preferred_lft", "0")...), failed)
}

// replaceRoute sets a route in place of any other with the same destination and metric.
func replaceRoute(k state.RouteKey, r state.Route) shell.Command {
	bare := state.ByGateway(r.Via, r.Dev, r.OnLink())
	bare.Type = r.Type
	return state.RouteCommand("replace", k, bare)
}

// hookLine is the line of a hook that runs the script when a device was configured. The
// script prints nothing and exits with 0. What fails is tried again after the next device.
func (j *job) hookLine() string { return shell.Cmd("/bin/sh", j.scriptPath(), "network").String() }

// again says how to restore what the script sets after the network was configured again
// without a boot. It is "" if a hook does.
func (j *job) again() string {
	if j.undoes == "" || len(j.script.Links)+len(j.script.Addresses)+len(j.script.Routes) == 0 {
		return ""
	}
	return "; " + j.undoes + " removes it, and " + j.hookLine() + " sets it again"
}

// patterns joins names to a pattern of the shell's case, in order and each once.
func patterns(names []string) string {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = shell.Quote(n)
	}
	return strings.Join(words, "|")
}

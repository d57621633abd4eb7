// Package persist says which files a node needs so that what is live there is
// what comes back after a reboot, without lvsctl being there.
//
// [Section] reads what of a node decides that, [Files] turns a wanted State into
// the files and the services at boot, which are entries of that State like any
// other: read, compared, written and removed with them.
//
// Each network system has a file here and a line in systems. What it cannot hold
// it hands to the boot script (script.go), and the plan says so. Formats, orders
// and traps are in the comments of each; none of it is ever loaded into a running
// system: the network is not restarted, a file takes effect at the next boot.
package persist

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// system is a network system.
type system struct {
	name netsystem.Name
	// on reports whether the system is on the node at all.
	on func(Boot) bool
	// write gives it a job's addresses, devices and routes.
	write func(*job)
}

// systems is every network system.
var systems = []system{
	{netsystem.NetworkScripts, func(b Boot) bool { return b.NetworkScripts }, networkScripts},
	{netsystem.NetworkManager, func(b Boot) bool { return b.NetworkManager != "" }, networkManager},
	{netsystem.Ifupdown, func(b Boot) bool { return b.Ifupdown }, ifupdown},
	{netsystem.Netplan, func(b Boot) bool { return b.Netplan }, netplan},
	{netsystem.Networkd, func(b Boot) bool { return b.Networkd }, networkd},
}

// Input is a node's case.
type Input struct {
	Topology string
	// System is the topology's persist attribute; "" is None.
	System netsystem.Name
	// Want is what the topology wants of the node, bent to what is live there, and
	// Before what else was in the place of its entries when they were first set.
	Want, Before *state.State
	// Live is the node as it was read, with Boot.
	Live *state.State
	Boot Boot
	// Devices are the node's own, as the topology names them.
	Devices []string
}

// Output is what the node needs beyond what Want has.
type Output struct {
	Blocks map[state.BlockKey]state.Block
	Files  map[string]state.File
	Units  map[string]state.Unit
	// Notes are what a person may want to know, Warnings what they should, and
	// Problems why it cannot be done.
	Notes, Warnings, Problems []string
}

// Files returns what makes a node's State come back after a reboot.
func Files(in Input) Output {
	j := &job{Input: in, script: newPart(), hooked: newPart(), blocks: map[string]*strings.Builder{}, out: Output{
		Blocks: map[state.BlockKey]state.Block{}, Files: map[string]state.File{}, Units: map[string]state.Unit{},
	}}
	j.everyFile()
	for path, b := range j.blocks {
		j.out.Blocks[state.BlockKey{Path: path, Topology: in.Topology}] = state.Block{Text: b.String()}
	}
	return j.out
}

// everyFile makes the files, and what is said of them.
func (j *job) everyFile() {
	in := j.Input
	lasting := in.System != "" && in.System != netsystem.None
	j.cloudHosts(lasting)
	if !lasting || !anything(in.Want) {
		return
	}
	name := in.System
	if name == netsystem.Auto {
		name = Choose(in.Boot, in.Devices)
	}
	j.modules()
	j.sysctls()
	j.table()
	j.rules()
	j.policies()
	i := slices.IndexFunc(systems, func(s system) bool { return s.name == name })
	switch {
	case i < 0:
		everything(j)
	case !systems[i].on(in.Boot):
		j.out.Problems = append(j.out.Problems, fmt.Sprintf("persist = %q, but no %s is there that comes up at boot; write persist = \"auto\", or what it has", name, name))
	default:
		j.system = name
		systems[i].write(j)
	}
	j.boot()
}

// Choose finds out which system configures a node's devices; "" for none that is
// known. Who manages the devices decides, because several may be installed.
func Choose(b Boot, devices []string) netsystem.Name {
	managed := func(by func(Device) bool) bool {
		return slices.ContainsFunc(devices, func(d string) bool { return by(b.Devices[d]) })
	}
	switch {
	case managed(func(d Device) bool { return strings.HasPrefix(d.Network, netplanUnit) }) && b.Netplan:
		return netsystem.Netplan
	case managed(func(d Device) bool { return d.Network != "" }):
		return netsystem.Networkd
	// From EL9 on the scripts are there for old habits' sake, and NetworkManager
	// configures the devices.
	case b.NetworkScripts && (b.RedHat <= 8 || b.NetworkManager == ""):
		return netsystem.NetworkScripts
	case managed(func(d Device) bool { return d.NetworkManager }):
		return netsystem.NetworkManager
	case b.Ifupdown:
		return netsystem.Ifupdown
	case b.NetworkManager != "":
		return netsystem.NetworkManager
	case b.Networkd && b.Netplan:
		return netsystem.Netplan
	case b.Networkd:
		return netsystem.Networkd
	}
	return ""
}

// anything reports whether a State has what a reboot would lose.
func anything(s *state.State) bool {
	return len(s.Modules)+len(s.Sysctls)+len(s.Rules)+len(s.Links)+len(s.Addresses)+len(s.Routes)+len(s.Policies)+len(s.Timeouts)+len(s.Services)+len(s.Daemons) > 0
}

// job is one node's files while they are being made.
type job struct {
	Input
	system netsystem.Name // "" for none that is known
	out    Output
	// blocks are the texts of out's blocks, by path, while they grow.
	blocks map[string]*strings.Builder
	// script is what is left to the boot script, and hooked what it sets only when
	// the network system has it run.
	script, hooked part
	// undoes is what takes away what the script has set, in the network system's
	// commands; "" where that has the script run again.
	undoes string
	// sets and fileRoutes are the addresses and routes of the node's own files.
	sets       map[netip.Addr]FileAddress
	fileRoutes map[state.RouteKey]FileRoute
	// scriptTable is the file of the table that it loads too; "" if a service does.
	scriptTable string
}

// block adds lines to the topology's block of a shared file.
func (j *job) block(path string, lines ...string) {
	if j.blocks[path] == nil {
		j.blocks[path] = &strings.Builder{}
	}
	j.blocks[path].WriteString(text(lines))
}

// file makes a file of the topology's own.
func (j *job) file(path, mode string, lines ...string) {
	j.out.Files[path] = state.File{Text: text(lines), Mode: mode}
}

func text(lines []string) string { return strings.Join(lines, "\n") + "\n" }

// own is a name for the topology's own files where dots are not allowed
// (run-parts(8)); no two topologies share one.
func (j *job) own() string {
	return "lvsctl-" + strings.NewReplacer("_", "__", ".", "_-").Replace(j.Topology)
}

// device is a device's share of the addresses and routes, each in order.
type device struct {
	name      string
	addresses []netip.Prefix
	routes    []state.RouteKey
}

// devices are all devices that a State has something on.
func devices(want *state.State) []device {
	byName := map[string]*device{}
	at := func(name string) *device {
		if byName[name] == nil {
			byName[name] = &device{name: name}
		}
		return byName[name]
	}
	for dev := range want.Links {
		at(dev)
	}
	for k := range want.Addresses {
		d := at(k.Dev)
		d.addresses = append(d.addresses, k.Prefix)
	}
	for k, r := range want.Routes {
		d := at(r.Dev)
		d.routes = append(d.routes, k)
	}
	list := make([]device, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		d := byName[name]
		slices.SortFunc(d.addresses, func(a, b netip.Prefix) int {
			return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
		})
		slices.SortFunc(d.routes, func(a, b state.RouteKey) int {
			return cmp.Or(a.Dst.Addr().Compare(b.Dst.Addr()), cmp.Compare(a.Dst.Bits(), b.Dst.Bits()), cmp.Compare(a.Metric, b.Metric))
		})
		list = append(list, *d)
	}
	return list
}

// shares reports whether a device's file of systemd-networkd's configures others
// too ([Match] Name=en*): what is added to it, all of them would have.
func (j *job) shares(dev string) bool {
	file := j.Boot.Devices[dev].Network
	for other, d := range j.Boot.Devices {
		if file != "" && other != dev && d.Network == file {
			return true
		}
	}
	return false
}

// tunnel is the module of a device that comes with one; "" for any other.
func tunnel(dev string) string {
	return map[string]string{"tunl0": "ipip", "ip6tnl0": "ip6_tunnel"}[dev]
}

// replaces reports whether a route stands in the place of another one, which the
// node's own configuration will set again.
func (j *job) replaces(k state.RouteKey) bool {
	_, was := j.Before.Routes[k]
	return was
}

// everything is for a system that is not known: the boot script does it all.
func everything(j *job) {
	j.undoes = "whatever configures the network anew"
	for _, d := range devices(j.Want) {
		j.leaveAll(d, "its network system is none that lvsctl knows")
	}
}

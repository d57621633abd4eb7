// Package persist makes the files by which a node comes up after a reboot as it is now,
// without lvsctl.
//
// [Section] reads a node's network systems and their files. [Files] makes the files and
// the services at boot for a wanted State. They are entries of that State: plan and apply
// treat them like any other.
//
// A new network system takes a file here and a line in systems. Entries that it cannot
// express are left to the boot script (script.go), and the plan says so. The comment of
// each system tells its formats, its order at boot and its traps. No file is loaded into
// a running system: lvsctl does not restart the network, and a file takes effect at the
// next boot.
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
	// on reports whether the node has the system.
	on func(Boot) bool
	// write makes the system's files for a job's addresses, devices and routes.
	write func(*job)
}

// systems lists the network systems.
var systems = []system{
	{netsystem.NetworkScripts, func(b Boot) bool { return b.NetworkScripts }, networkScripts},
	{netsystem.NetworkManager, func(b Boot) bool { return b.NetworkManager != "" }, networkManager},
	{netsystem.Ifupdown, func(b Boot) bool { return b.Ifupdown }, ifupdown},
	{netsystem.Netplan, func(b Boot) bool { return b.Netplan }, netplan},
	{netsystem.Networkd, func(b Boot) bool { return b.Networkd }, networkd},
}

// Input is what Files needs to know of a node.
type Input struct {
	Topology string
	// System is the topology's persist attribute. "" means that no files are made.
	System netsystem.Name
	// Want is what the node should have after a boot. Before are the old values of
	// entries, from the record.
	Want, Before *state.State
	// Live is the node as it was read, with Boot.
	Live *state.State
	Boot Boot
	// Devices are those of the node's own addresses.
	Devices []string
	// Keepalived is set if keepalived starts at boot. Floating are the devices that it sets
	// addresses on, sorted.
	Keepalived bool
	Floating   []string
}

// Output holds the entries for the next boot.
type Output struct {
	Blocks map[state.BlockKey]state.Block
	Files  map[string]state.File
	Units  map[string]state.Unit
	// Notes, Warnings and Problems are sentences for the plan. With a Problem the node
	// cannot be changed.
	Notes, Warnings, Problems []string
}

// Files returns the entries that make a node come up with in.Want after a reboot.
func Files(in Input) Output {
	j := &job{Input: in, script: newPart(), hooked: newPart(), blocks: map[string]*strings.Builder{}, out: Output{
		Blocks: map[state.BlockKey]state.Block{}, Files: map[string]state.File{}, Units: map[string]state.Unit{},
	}}
	j.everyFile()
	for path, b := range j.blocks {
		j.out.Blocks[state.BlockKey{Path: path, Topology: in.Topology}] = state.Block{Text: b.String()}
	}
	j.others()
	return j.out
}

// everyFile makes all files, and the sentences about them.
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
	j.fous()
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
	j.keepFloating()
	j.tableBeforeKeepalived()
	j.boot()
}

// Choose returns the network system that configures a node's devices, or "" if lvsctl does
// not know it. Several may be installed, so it looks which one manages the devices.
func Choose(b Boot, devices []string) netsystem.Name {
	managed := func(by func(Device) bool) bool {
		return slices.ContainsFunc(devices, func(d string) bool { return by(b.Devices[d]) })
	}
	switch {
	case managed(func(d Device) bool { return strings.HasPrefix(d.Network, netplanUnit) }) && b.Netplan:
		return netsystem.Netplan
	case managed(func(d Device) bool { return d.Network != "" }):
		return netsystem.Networkd
	// From EL9 on NetworkManager configures the devices, even if the scripts are
	// installed.
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

// anything reports whether a State has entries that a reboot would lose.
func anything(s *state.State) bool {
	return len(s.Modules)+len(s.Sysctls)+len(s.Rules)+len(s.Links)+len(s.FOUs)+len(s.Addresses)+len(s.Routes)+len(s.Policies)+len(s.Timeouts)+len(s.Services)+len(s.Daemons) > 0
}

// job makes the files of one node.
type job struct {
	Input
	system netsystem.Name // "" if it is not known
	out    Output
	// blocks are the texts of the blocks in out, by path, which still grow.
	blocks map[string]*strings.Builder
	// script is left to the boot script. It sets hooked only when the network system
	// runs it after a device.
	script, hooked part
	// undoes is the network system's command that removes what the script has set, or ""
	// if the network system runs the script again then.
	undoes string
	// sets and fileRoutes are the addresses and routes of the node's own files.
	sets       map[netip.Addr]FileAddress
	fileRoutes map[state.RouteKey]FileRoute
	// scriptTable is the file of the IPVS table if the boot script loads it, or "" if a
	// service does.
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

// own is a name for the topology's own files in folders where names have no dots
// (run-parts(8)). Two topologies never have the same.
func (j *job) own() string {
	return "lvsctl-" + strings.NewReplacer("_", "__", ".", "_-").Replace(j.Topology)
}

// device holds the addresses and routes of one device, in order.
type device struct {
	name      string
	addresses []netip.Prefix
	routes    []state.RouteKey
}

// devices returns all devices on which a State has an entry.
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

// shares reports whether networkd's file for a device configures other devices too
// ([Match] Name=en*). All of them would get what is added to that file.
func (j *job) shares(dev string) bool {
	file := j.Boot.Devices[dev].Network
	for other, d := range j.Boot.Devices {
		if file != "" && other != dev && d.Network == file {
			return true
		}
	}
	return false
}

// replaces reports whether a route took the place of another one, which the node's own
// configuration sets at boot.
func (j *job) replaces(k state.RouteKey) bool {
	was, had := j.Before.Routes[k]
	want := j.Want.Routes[k]
	return had && (was.Via != want.Via || was.Dev != want.Dev || was.Type != want.Type)
}

// everything is for a network system that is not known: the boot script sets everything.
func everything(j *job) {
	j.undoes = "whatever configures the network anew"
	for _, d := range devices(j.Want) {
		j.leaveAll(d, unknown)
	}
	j.lateSysctls(unknown)
}

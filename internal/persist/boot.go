package persist

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Boot is what was read of a node's boot: its network systems and the files that they
// read.
type Boot struct {
	// RedHat is the major release of Red Hat Enterprise Linux or a rebuild of it; 0 on
	// other distributions.
	RedHat int
	// These are set if the network system starts at boot. NetworkManager is the version
	// that runs.
	NetworkScripts, Ifupdown, Netplan, Networkd bool
	NetworkManager                              string
	Devices                                     map[string]Device
	// Aliases are the labels in the files of network-scripts: lo:0.
	Aliases  map[string]bool
	Loopback []string // NetworkManager's profiles of type loopback
	// Ifcfg is the file of network-scripts that configures a device at boot, by device.
	Ifcfg map[string]Ifcfg
	// Indexed are the route-* files with ADDRESS0= lines.
	Indexed map[string]bool
	// Sets and FileRoutes are the addresses and routes that the files of network-scripts
	// set at boot, without lvsctl's lines. UnreadRoutes are the lines that lvsctl cannot
	// read, as FILE:LINE.
	Sets         []FileAddress
	FileRoutes   []FileRoute
	UnreadRoutes []string
	// NoDispatcher is set if NetworkManager cannot run dispatcher scripts.
	NoDispatcher bool
	// NoLocal is set if /sbin/ifup-local exists and exits before its last line.
	NoLocal bool
	// OpenRC is what a node that boots with OpenRC says about its services.
	OpenRC OpenRC
	// Table is the ipvsadm service that is installed: TableRedHat, TableDebian,
	// TableOpenRC or "".
	Table string
	// Saves is set if the service's script of EL6 writes the table to its file when it
	// stops.
	Saves bool
	// Auto is the value of AUTO in /etc/default/ipvsadm without lvsctl's lines.
	Auto bool
	// Restored are the lines of the service's file without lvsctl's.
	Restored []string
	// Services are ports by their names in /etc/services: http/tcp. They are read only
	// if the service's file has such a name.
	Services map[string]uint16
	// RCLocal is the path of the script that runs last at boot, or "". RCExit is set if
	// it exits before its last line.
	RCLocal    string
	RCExit     bool
	CloudHosts CloudHosts
	// Written are files that somebody else's program writes, by the line that says so.
	Written map[string]string
	// Assignments are the values that the node's files give to kernel parameters.
	Assignments []Assignment
}

// Device tells which network system manages a device, and what kind it is.
type Device struct {
	// Network is the path of systemd-networkd's file for the device.
	Network        string
	NetworkManager bool
	Class          string // bond, bridge or vlan; "" for any other
}

// Assignment is a line of a sysctl file that sets a parameter.
type Assignment struct {
	File  string
	Line  int
	Key   string // below /proc/sys
	Value string
}

// The values of [Boot.Table]: whose ipvsadm service it is. Their files differ.
const (
	TableRedHat = "redhat"
	TableDebian = "debian"
	TableOpenRC = "openrc"
)

// The files of the ipvsadm services, and others with lvsctl's lines.
const (
	redHatRules      = "/etc/sysconfig/ipvsadm"
	redHatConfig     = "/etc/sysconfig/ipvsadm-config"
	debianRules      = "/etc/ipvsadm.rules"
	debianDefault    = "/etc/default/ipvsadm"
	openRCRules      = "/var/lib/ipvsadm/rules-save"
	initDir          = "/etc/init.d/"
	openRCKeepalived = "/etc/conf.d/keepalived"
	rcLocalRedHat    = "/etc/rc.d/rc.local"
	rcLocal          = "/etc/rc.local"
	ifUpLocal        = "/sbin/ifup-local"
	interfaces       = "/etc/network/interfaces"
	interfacesDir    = "/etc/network/interfaces.d"
	scriptsDir       = "/etc/sysconfig/network-scripts/"
	networkFile      = "/etc/sysconfig/network"
	profilesDir      = "/etc/NetworkManager/system-connections/"
	networkDir       = "/etc/systemd/network/"
	runNetworkDir    = "/run/systemd/network/"
	sysctlFile       = "/etc/sysctl.d/zz-lvsctl.conf"
	sysctlConf       = "/etc/sysctl.conf"
	sysctlLink       = "/etc/sysctl.d/99-sysctl.conf" // the same file
	modulesFile      = "/etc/modules-load.d/lvsctl.conf"
	modulesScript    = "/etc/sysconfig/modules/lvsctl.modules"
	etcModules       = "/etc/modules"
)

// Parse reads what [Section] printed. It skips lines that it does not know.
func Parse(text string) Boot {
	b := Boot{Devices: map[string]Device{}, Aliases: map[string]bool{}, Indexed: map[string]bool{}}
	files := found{ifcfg: texts{}, routes: texts{}, networks: texts{}, tables: texts{}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "/") {
			files.add(&b, line)
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "redhat":
			b.RedHat = majorRelease(rest)
		case "scripts":
			b.NetworkScripts = true
		case "nm":
			b.NetworkManager = cmp.Or(strings.TrimSpace(rest), "0")
		case "networkd":
			b.Networkd = true
		case "netplan":
			b.Netplan = true
		case "alias":
			b.Aliases[rest] = true
		case "openrc":
			b.OpenRC.add(rest)
		case "service":
			b.Table = rest
		case "services":
			b.services(rest)
		case "rule":
			b.Restored = append(b.Restored, rest)
		case "nodispatcher":
			b.NoDispatcher = true
		case "nolocal":
			b.NoLocal = true
		case "rclocal":
			b.RCLocal = rest
		}
	}
	b.Ifupdown = b.Ifupdown && !b.OpenRC.NoNetworking
	b.ifcfgs(files.ifcfg)
	b.networkFiles(files.networks)
	b.Auto = files.tables.vars(debianDefault)["AUTO"] == "true"
	saves := files.tables.vars(redHatConfig)
	b.Saves = saves["IPVS_SAVE_ON_STOP"] == "yes" || saves["IPVS_SAVE_ON_RESTART"] == "yes"
	for _, file := range slices.Sorted(maps.Keys(files.routes)) {
		b.routeFile(file, files.routes[file].String())
	}
	return b
}

// texts are contents of files, by path.
type texts map[string]*strings.Builder

func (t texts) add(file, line string) {
	if t[file] == nil {
		t[file] = &strings.Builder{}
	}
	t[file].WriteString(line)
}

// vars are the variables that a shell has once it read a file.
func (t texts) vars(file string) map[string]string {
	if t[file] == nil {
		return nil
	}
	return readVars(t[file].String()).values
}

// found collects lines of files that only have a meaning together.
type found struct {
	index  map[string]string // devices by their interface numbers
	ifcfg  texts
	routes texts
	// networks are systemd-networkd's, tables those of the ipvsadm services.
	networks, tables texts
	own              string // the file whose last line was one of lvsctl's, or ""
}

// add parses a line FILE:NUMBER:TEXT. Lines with the number of a device come before those
// that refer to it.
func (f *found) add(b *Boot, answer string) {
	l, file, number, text := find(answer, b.Aliases)
	b.written(file, text)
	dir, base := path.Split(file)
	value := text[strings.IndexByte(text, '=')+1:]
	switch l.word {
	case "ifindex":
		if f.index == nil {
			f.index = map[string]string{}
		}
		f.index[text] = path.Base(dir)
		b.Devices[path.Base(dir)] = Device{}
	case "link":
		b.device(f.index[base], func(d *Device) { d.Network = value })
	case "managed":
		b.device(f.index[base], func(d *Device) { d.NetworkManager = true })
	case "class":
		b.device(path.Base(dir), func(d *Device) { d.Class = value })
	case "interfaces":
		b.Ifupdown = true
	case "ifcfg":
		f.ifcfg.add(file, f.foreign(file, text))
	case "routes":
		f.routes.add(file, f.foreign(file, text))
	case "network":
		f.networks.add(file, f.foreign(file, text))
	case "loopback":
		if !slices.Contains(b.Loopback, file) {
			b.Loopback = append(b.Loopback, file)
		}
	case "tables":
		f.tables.add(file, f.foreign(file, text))
	case "rcexit":
		b.RCExit = b.RCExit || file == b.RCLocal
		b.NoLocal = b.NoLocal || file == ifUpLocal
	case "cloudhosts":
		b.CloudHosts.set(file+":"+number, text)
	case "cloudtemplate":
		if !slices.Contains(b.CloudHosts.Templates, file) {
			b.CloudHosts.Templates = append(b.CloudHosts.Templates, file)
		}
	case "sysctl":
		b.assignment(file, number, text)
	}
}

// foreign returns a line of a file that lvsctl shares with others. For a line of lvsctl's
// own it returns "".
func (f *found) foreign(file, text string) string {
	switch {
	case strings.HasPrefix(text, "# BEGIN lvsctl "):
		f.own = file
	case strings.HasPrefix(text, "# END lvsctl "):
		f.own = ""
	case f.own != file:
		return text + "\n"
	}
	return "\n"
}

func (b *Boot) device(dev string, change func(*Device)) {
	if d, ok := b.Devices[dev]; ok {
		change(&d)
		b.Devices[dev] = d
	}
}

// majorRelease returns the number in "CentOS release 6.10 (Final)" or "Rocky Linux release
// 9.3 (Blue Onyx)". It is 0 for Fedora, whose numbers mean other releases.
func majorRelease(line string) int {
	_, version, ok := strings.Cut(line, " release ")
	if !ok || strings.HasPrefix(line, "Fedora") {
		return 0
	}
	digits := strings.TrimLeft(version, " ")
	if i := strings.IndexAny(digits, ". "); i >= 0 {
		digits = digits[:i]
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// assignment reads KEY = VALUE, a line of a sysctl file.
func (b *Boot) assignment(file, number, text string) {
	n, err := strconv.Atoi(number)
	key, value, ok := strings.Cut(text, "=")
	if err != nil || !ok {
		return
	}
	key = strings.TrimLeft(strings.TrimSpace(key), "- ")
	b.Assignments = append(b.Assignments, Assignment{File: file, Line: n, Key: sysctlKey(key), Value: strings.Join(strings.Fields(value), " ")})
}

// sysctlKey returns the path below /proc/sys of a key. If its first separator is a dot,
// dots separate and a slash means a dot; otherwise slashes do (sysctl.d(5)).
func sysctlKey(key string) string {
	if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '.' {
		return state.SysctlName(key)
	}
	return key
}

// foreignServices returns the services that the ipvsadm service's file adds outside of
// lvsctl's lines. complaints say which lines may add one and cannot be read.
func (b Boot) foreignServices() (keys map[state.ServiceKey]bool, complaints []string) {
	keys = map[state.ServiceKey]bool{}
	for _, line := range b.Restored {
		k, ok, err := state.RestoredService(line, b.port)
		switch {
		case err != nil:
			complaints = append(complaints, fmt.Sprintf("%q: %v", line, err))
		case ok:
			keys[k] = true
		}
	}
	return keys, complaints
}

// port returns the port of a name in the node's /etc/services.
func (b Boot) port(name string, p state.Protocol) (uint16, bool) {
	n, known := b.Services[name+"/"+string(p)]
	return n, known
}

// services parses a line of services(5): http 80/tcp www # WorldWideWeb HTTP.
func (b *Boot) services(line string) {
	line, _, _ = strings.Cut(line, "#")
	words := strings.Fields(line)
	if len(words) < 2 {
		return
	}
	number, protocol, _ := strings.Cut(words[1], "/")
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return
	}
	if b.Services == nil {
		b.Services = map[string]uint16{}
	}
	for _, name := range append(words[2:], words[0]) {
		if _, known := b.Services[name+"/"+protocol]; !known {
			b.Services[name+"/"+protocol] = uint16(n)
		}
	}
}

// since reports whether the node's NetworkManager has at least this version.
func (b Boot) since(major, minor int) bool {
	var have []int
	for part := range strings.SplitSeq(b.NetworkManager, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		have = append(have, n)
	}
	return slices.Compare(have, []int{major, minor}) >= 0
}

package persist

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Ifcfg is a file of network-scripts' that brings a device up at boot.
type Ifcfg struct {
	Path string
	// First is the first address that it sets; zero for none of its own (DHCP).
	First netip.Prefix
}

// gateway reports whether the file, as its device's, can have a gateway: it has to
// be in the first address's subnet (ifup-eth).
func (f Ifcfg) gateway(dev string, via netip.Addr) bool {
	return f.Path == scriptsDir+"ifcfg-"+dev && f.First.IsValid() && f.First.Masked().Contains(via)
}

// ifcfgFiles are the assignments of each file, by path and name.
type ifcfgFiles map[string]map[string]string

// add reads NAME=VALUE, a line of a file. An alias brings up no device.
func (fs *ifcfgFiles) add(path, text string) {
	name, value, ok := strings.Cut(text, "=")
	if !ok || strings.Contains(path, ":") {
		return
	}
	if *fs == nil {
		*fs = ifcfgFiles{}
	}
	if (*fs)[path] == nil {
		(*fs)[path] = map[string]string{}
	}
	value, _, _ = strings.Cut(strings.TrimSpace(value), " #")
	(*fs)[path][name] = strings.Trim(strings.TrimSpace(value), `"'`)
}

// ignored are the ends of files that nobody reads (is_ignored_file in
// network-functions).
var ignored = []string{"~", ".bak", ".orig", ".rpmnew", ".rpmorig", ".rpmsave"}

// devices are the files by the devices that they bring up. A file of the device's
// own name comes before others.
func (fs ifcfgFiles) devices() map[string]Ifcfg {
	devices := map[string]Ifcfg{}
	for _, path := range slices.Sorted(maps.Keys(fs)) {
		vars := fs[path]
		name, ok := strings.CutPrefix(path, scriptsDir+"ifcfg-")
		if !ok || vars["ONBOOT"] == "no" || vars["ONBOOT"] == "NO" ||
			slices.ContainsFunc(ignored, func(end string) bool { return strings.HasSuffix(path, end) }) {
			continue
		}
		dev := vars["DEVICE"]
		if dev == "" {
			dev = name
		}
		if _, there := devices[dev]; !there || name == dev {
			devices[dev] = Ifcfg{Path: path, First: firstAddress(vars)}
		}
	}
	return devices
}

// firstAddress is IPADDR or IPADDR0 with its prefix length, which comes before its
// netmask (expand_config in network-functions).
func firstAddress(vars map[string]string) netip.Prefix {
	if proto := strings.ToLower(vars["BOOTPROTO"]); proto == "dhcp" || proto == "bootp" {
		return netip.Prefix{}
	}
	for _, n := range []string{"", "0"} {
		addr, err := netip.ParseAddr(vars["IPADDR"+n])
		if err != nil {
			continue
		}
		bits, err := strconv.Atoi(vars["PREFIX"+n])
		if mask := net.ParseIP(vars["NETMASK"+n]).To4(); err != nil && mask != nil {
			bits, _ = net.IPMask(mask).Size()
		} else if err != nil {
			return netip.Prefix{}
		}
		return netip.PrefixFrom(addr, bits)
	}
	return netip.Prefix{}
}

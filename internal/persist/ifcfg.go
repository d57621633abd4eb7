package persist

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Ifcfg is an ifcfg file of network-scripts, which configures a device.
type Ifcfg struct {
	Path string
	// OnBoot is set if the device is brought up at boot.
	OnBoot bool
	// First is the first address that the file sets, or zero if it sets none (DHCP).
	First netip.Prefix
	// Gateway, GatewayDev and Metric are the values of GATEWAY, GATEWAYDEV and METRIC.
	Gateway, GatewayDev, Metric string
	// Unread is the first line that does more than assign known values, as FILE:LINE, or
	// "".
	Unread string
}

// gateway returns why the file cannot set a default route through via, or "". ifup-eth
// ignores a gateway outside of the first address's subnet, sets the route with the file's
// METRIC, and reads only the file with the device's own name.
func (f Ifcfg) gateway(dev string, via netip.Addr) string {
	switch {
	case f.Unread != "":
		return f.Unread + " cannot be read without running it"
	case f.Path != scriptsDir+"ifcfg-"+dev:
		return f.Path + " is not named after " + dev
	case !f.First.IsValid():
		return f.Path + " sets no address of its own"
	case !f.First.Masked().Contains(via):
		return fmt.Sprintf("the first address in %s is %s", f.Path, f.First)
	case f.Metric != "" && f.Metric != "0":
		return fmt.Sprintf("%s sets METRIC=%s", f.Path, f.Metric)
	}
	return ""
}

// FileAddress is an address that a node's own files set at boot.
type FileAddress struct {
	Path, Dev string
	Prefix    netip.Prefix
	// NoLength is set if the file does not name the prefix length.
	NoLength bool
}

// ignored are the suffixes of files that network-scripts ignore (is_ignored_file in
// network-functions).
var ignored = []string{"~", ".bak", ".orig", ".rpmnew", ".rpmorig", ".rpmsave"}

// ifcfg is an ifcfg file with the variables that it sets.
type ifcfg struct {
	path, name string // name is eth0, eth0:1 or lo-range0
	shellVars
}

// readIfcfgs parses the ifcfg files that network-scripts do not ignore, sorted by path.
func readIfcfgs(files texts) []ifcfg {
	var list []ifcfg
	for _, p := range slices.Sorted(maps.Keys(files)) {
		name, ok := strings.CutPrefix(path.Base(p), "ifcfg-")
		if !ok || slices.ContainsFunc(ignored, func(end string) bool { return strings.HasSuffix(p, end) }) {
			continue
		}
		f := ifcfg{p, name, readVars(files[p].String())}
		if len(f.values) > 0 || f.unread > 0 {
			list = append(list, f)
		}
	}
	return list
}

// ifcfgs fills b from the ifcfg files.
func (b *Boot) ifcfgs(files texts) {
	list := readIfcfgs(files)
	parents := map[string]ifcfg{}
	for _, f := range list {
		if strings.Contains(f.name, ":") || strings.Contains(f.name, "-range") {
			continue
		}
		dev := f.values["DEVICE"]
		if dev == "" {
			dev = f.name
		}
		// The file with the device's own name wins over others.
		if have, there := b.Ifcfg[dev]; there && (have.Path == scriptsDir+"ifcfg-"+dev || have.OnBoot && f.name != dev) {
			continue
		}
		if b.Ifcfg == nil {
			b.Ifcfg = map[string]Ifcfg{}
		}
		parents[dev] = f
		b.Ifcfg[dev] = f.device()
	}
	for _, dev := range slices.Sorted(maps.Keys(parents)) {
		if f := parents[dev]; b.Ifcfg[dev].OnBoot && !f.dhcp() {
			b.setBy(f, dev, f.addresses(nil))
		}
	}
	for _, f := range list {
		dev, rest, alias := strings.Cut(f.name, ":")
		if !alias {
			dev, rest, alias = strings.Cut(f.name, "-range")
		}
		if alias && rest != "" && f.values["ONPARENT"] != "no" {
			b.setBy(f, dev, f.addresses(parents[dev].values))
			b.clones(f, dev)
		}
	}
}

// setBy adds the addresses that a file sets.
func (b *Boot) setBy(f ifcfg, dev string, addresses []FileAddress) {
	for _, a := range addresses {
		a.Path, a.Dev = f.path, dev
		b.Sets = append(b.Sets, a)
	}
}

// clones adds the aliases of a range of addresses (ifcfg-lo-range0, ifup-aliases).
func (b *Boot) clones(f ifcfg, dev string) {
	first, err := strconv.Atoi(f.values["CLONENUM_START"])
	if err != nil {
		return
	}
	for n := range len(f.rangeOf()) {
		b.Aliases[dev+":"+strconv.Itoa(first+n)] = true
	}
}

// device returns the file as an [Ifcfg].
func (f ifcfg) device() Ifcfg {
	v := f.values
	d := Ifcfg{
		Path: f.path, OnBoot: !strings.EqualFold(v["ONBOOT"], "no"),
		Gateway: v["GATEWAY"], GatewayDev: v["GATEWAYDEV"], Metric: v["METRIC"],
	}
	if f.unread > 0 {
		d.Unread = fmt.Sprintf("%s:%d", f.path, f.unread)
	}
	if all := f.addresses(nil); !f.dhcp() && len(all) > 0 && !all[0].NoLength {
		d.First = all[0].Prefix
	}
	return d
}

func (f ifcfg) dhcp() bool {
	proto := strings.ToLower(f.values["BOOTPROTO"])
	return proto == "dhcp" || proto == "bootp"
}

// addresses returns the addresses that the file sets: IPADDR, IPADDR0 and so on, or a
// range. PREFIX wins over NETMASK (expand_config in network-functions). An alias without
// PREFIX has its parent's.
func (f ifcfg) addresses(parent map[string]string) []FileAddress {
	var list []FileAddress
	add := func(addr netip.Addr, n string) {
		bits, err := strconv.Atoi(f.values["PREFIX"+n])
		if err != nil {
			bits, err = strconv.Atoi(parent["PREFIX"])
		}
		if mask := net.ParseIP(f.values["NETMASK"+n]).To4(); err != nil && mask != nil {
			bits, _ = net.IPMask(mask).Size()
		} else if err != nil {
			list = append(list, FileAddress{Prefix: netip.PrefixFrom(addr, addr.BitLen()), NoLength: true})
			return
		}
		if p := netip.PrefixFrom(addr, bits); p.IsValid() {
			list = append(list, FileAddress{Prefix: p})
		}
	}
	for _, n := range numbered("IPADDR", f.values) {
		if addr, err := netip.ParseAddr(f.values["IPADDR"+n]); err == nil {
			add(addr, n)
		}
	}
	for _, addr := range f.rangeOf() {
		add(addr, "")
	}
	for _, name := range []string{"IPV6ADDR", "IPV6ADDR_SECONDARIES"} {
		for word := range strings.FieldsSeq(f.values[name]) {
			if p, err := netip.ParsePrefix(word); err == nil {
				list = append(list, FileAddress{Prefix: p})
			} else if addr, err := netip.ParseAddr(word); err == nil {
				list = append(list, FileAddress{Prefix: netip.PrefixFrom(addr, 64)}) // ifup-ipv6
			}
		}
	}
	return list
}

// numbered returns the suffixes of a variable's names in order: "", "0", "1" and so on.
func numbered(name string, values map[string]string) []string {
	var ends []string
	for k := range values {
		end, ok := strings.CutPrefix(k, name)
		if _, err := strconv.Atoi(end); ok && (end == "" || err == nil) {
			ends = append(ends, end)
		}
	}
	slices.SortFunc(ends, func(a, b string) int {
		x, _ := strconv.Atoi(a) // it is 0 for ""
		y, _ := strconv.Atoi(b)
		return x - y
	})
	return ends
}

// rangeOf returns the addresses from IPADDR_START to IPADDR_END, which differ in the last
// byte.
func (f ifcfg) rangeOf() []netip.Addr {
	first, err := netip.ParseAddr(f.values["IPADDR_START"])
	last, lastErr := netip.ParseAddr(f.values["IPADDR_END"])
	if err != nil || lastErr != nil || !first.Is4() {
		return nil
	}
	var list []netip.Addr
	for a := first; a.IsValid() && a.Compare(last) <= 0 && len(list) < 256; a = a.Next() {
		list = append(list, a)
	}
	return list
}

package persist

import (
	"net/netip"
	"slices"
	"strconv"
)

// networkManager: a profile of lvsctl's own holds the VIPs on lo, from 1.42 on; a
// device's own profile is somebody else's, so what is added to it is set by a
// dispatcher script once that profile is up, each time it is. A tunnel's fallback
// device cannot be made by NetworkManager, and one of its ip-tunnels needs a
// remote end: the boot script has it.
func networkManager(j *job) {
	var names []string
	for _, d := range devices(j.Want) {
		switch {
		case tunnel(d.name) != "" || d.name == "":
			j.leaveAll(d, j.cannot())
			continue
		case d.name == "lo":
			j.loopback(d)
		default:
			j.leaveAll(d, hooked)
		}
		names = append(names, d.name)
	}
	j.dispatcher(names)
}

// dispatcher has NetworkManager run the script once it has brought a device up.
// A lease that is renewed has it set a device's addresses anew.
func (j *job) dispatcher(names []string) {
	if len(names) == 0 {
		return
	}
	j.file(j.dispatcherPath(), "0755",
		"#!/bin/sh",
		"# lvsctl, topology "+j.Topology+". Made by lvsctl; edits are drift.",
		"case $1 in "+patterns(names)+") ;; *) exit 0 ;; esac",
		"case $2 in up|reapply|dhcp4-change|dhcp6-change) "+j.hookLine()+" ;; esac")
}

// loopback gives lo's VIPs to a profile. An IPv6 one is not for it: a keyfile has
// no preferred_lft, without which a VIP may become the node's source, and
// NetworkManager adds a local route of its own that outlives the address (1.42).
func (j *job) loopback(d device) {
	const why = "NetworkManager has no preferred_lft 0 for an IPv6 VIP"
	inProfile := slices.DeleteFunc(slices.Clone(d.addresses), func(p netip.Prefix) bool { return p.Addr().Is6() })
	held := j.profile(inProfile)
	for _, p := range d.addresses {
		switch {
		case p.Addr().Is6():
			j.leaveAddress(d.name, p, why)
		case !held:
			j.leaveAddress(d.name, p, j.cannot())
		}
	}
	for _, k := range d.routes {
		j.leaveRoute(k, j.cannot())
	}
}

func (j *job) dispatcherPath() string { return "/etc/NetworkManager/dispatcher.d/90-" + j.own() }

// profile holds the VIPs on lo, which only one profile at a time can: it reports
// whether it does. NetworkManager refuses a file that others can read
// (nms-keyfile-utils.c).
func (j *job) profile(addresses []netip.Prefix) bool {
	path := profilesDir + j.own() + "-lo.nmconnection"
	others := slices.DeleteFunc(slices.Clone(j.Boot.Loopback), func(p string) bool {
		// Its own, for a loopback without one (1.42).
		return p == path || p == "/run/NetworkManager/system-connections/lo.nmconnection"
	})
	if !j.Boot.since(1, 42) || len(others) > 0 || len(addresses) == 0 {
		return false
	}
	lines := []string{
		"[connection]", "id=" + j.own() + "-lo", "type=loopback", "interface-name=lo", "autoconnect=true", "autoconnect-priority=10",
		"", "[ipv4]", "method=manual",
	}
	for i, p := range addresses {
		lines = append(lines, "address"+strconv.Itoa(i+1)+"="+p.String())
	}
	// "disabled" is no method of loopback's.
	j.file(path, "0600", append(lines, "", "[ipv6]", "method=auto")...)
	return true
}

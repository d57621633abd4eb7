package persist

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/lvsctl/lvsctl/internal/state"
)

// networkManager writes a profile of lvsctl's own for the VIPs on lo, from version 1.42
// on. The profile of any other device is the administrator's. So a dispatcher script sets
// what lvsctl adds to such a device, each time that its profile comes up. NetworkManager
// cannot configure a tunnel's fallback device, because its ip-tunnels need a remote end.
// The boot script does that, and sets what is on a device that NetworkManager leaves alone.
func networkManager(j *job) {
	var names []string
	if j.Boot.NoDispatcher {
		j.undoes = "NetworkManager, when it brings the device up again,"
	}
	for _, d := range devices(j.Want) {
		switch {
		case j.unmanaged(d.name):
			j.leaveAll(d, "NetworkManager does not manage "+d.name)
			continue
		case state.TunnelModule(d.name) != "" || d.name == "":
			j.leaveAll(d, j.cannot())
			continue
		case d.name == "lo":
			j.loopback(d)
		case j.Boot.NoDispatcher:
			j.leaveAll(d, "NetworkManager-dispatcher.service is off")
		default:
			j.leaveAll(d, hooked)
		}
		names = append(names, d.name)
	}
	j.dispatcher(append(names, j.ruled()...))
}

// unmanaged reports whether NetworkManager leaves a device alone. Old versions (1.0) do not
// say which they manage.
func (j *job) unmanaged(dev string) bool {
	says := false
	for _, d := range j.Boot.Devices {
		says = says || d.NetworkManager
	}
	return says && dev != "" && dev != "lo" && state.TunnelModule(dev) == "" && !j.Boot.Devices[dev].NetworkManager
}

// dispatcher makes the script that NetworkManager runs when it has brought a device up, or
// has set its addresses again because a lease was renewed.
func (j *job) dispatcher(names []string) {
	if len(names) == 0 || j.Boot.NoDispatcher {
		return
	}
	j.file(j.dispatcherPath(), "0755",
		"#!/bin/sh",
		"# lvsctl, topology "+j.Topology+". Made by lvsctl; edits are drift.",
		"case $1 in "+patterns(names)+") ;; *) exit 0 ;; esac",
		"case $2 in up|reapply|dhcp4-change|dhcp6-change) "+j.hookLine()+" ;; esac")
}

// loopback puts the IPv4 VIPs of lo into a profile. IPv6 ones are left to the boot script:
// a keyfile has no preferred_lft, without which a VIP may become the source of the node's
// traffic, and NetworkManager adds a local route that stays when the address is removed
// (1.42).
func (j *job) loopback(d device) {
	const why = "NetworkManager has no preferred_lft 0 for an IPv6 VIP"
	inProfile := slices.DeleteFunc(slices.Clone(d.addresses), func(p netip.Prefix) bool { return p.Addr().Is6() })
	made := j.profile(inProfile)
	for _, p := range d.addresses {
		switch {
		case p.Addr().Is6():
			j.leaveAddress(d.name, p, why)
		case !made:
			j.leaveAddress(d.name, p, j.cannot())
		}
	}
	for _, k := range d.routes {
		j.leaveRoute(k, j.cannot())
	}
}

func (j *job) dispatcherPath() string { return "/etc/NetworkManager/dispatcher.d/90-" + j.own() }

// profile makes the profile with the VIPs on lo. It returns false, and makes none, if the
// node has another profile for lo: only one can be up. NetworkManager refuses a file that
// others can read (nms-keyfile-utils.c).
func (j *job) profile(addresses []netip.Prefix) bool {
	path := profilesDir + j.own() + "-lo.nmconnection"
	others := slices.DeleteFunc(slices.Clone(j.Boot.Loopback), func(p string) bool {
		// NetworkManager makes lo.nmconnection itself if lo has no profile (1.42).
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
	// A profile of lo cannot have the method "disabled".
	j.file(path, "0600", append(lines, "", "[ipv6]", "method=auto")...)
	return true
}

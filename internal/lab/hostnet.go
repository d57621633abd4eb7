package lab

import (
	"fmt"
	"net/netip"
)

// A device is one NIC of a whole Debian, as its network system is to set it up.
type device struct {
	Name      string
	MAC       string // "" for lo
	Addresses []netip.Prefix
	Routes    []Route // Dev is this device
	// Quiet is set for the management device: it gets no link-local address.
	Quiet bool
}

// hostMAC is the MAC address of a NIC of a host. It is the same at every boot. 255 is
// the management NIC.
func hostMAC(host, nic int) string { return fmt.Sprintf("02:00:00:%02x:%02x:01", host, nic) }

const managementNIC = 255

// devices returns the devices of host n in the order of its interfaces, then the
// management device.
func devices(h Host, n int, management string, mgmt netip.Prefix) ([]device, error) {
	var out []device
	for i, nic := range h.Interfaces {
		d := device{Name: nic.Name, Addresses: nic.Addresses}
		if nic.Name != "lo" {
			d.MAC = hostMAC(n, i)
		}
		out = append(out, d)
	}
	routes := h.Routes
	for _, gw := range []netip.Addr{h.Gateway4, h.Gateway6} {
		if gw.IsValid() {
			routes = append(routes[:len(routes):len(routes)], Route{To: defaultDestination(gw), Via: gw})
		}
	}
	for _, r := range routes {
		d := routeDevice(out, r)
		if d == nil {
			return nil, fmt.Errorf("%s: cannot set the route to %s: no interface leads to %s", h.Name, r.To, r.Via)
		}
		r.Dev = d.Name
		d.Routes = append(d.Routes, r)
	}
	return append(out, device{
		Name: management, MAC: hostMAC(n, managementNIC), Quiet: true,
		Addresses: []netip.Prefix{netip.PrefixFrom(managementAddr(mgmt, n), mgmt.Bits())},
	}), nil
}

// routeDevice is the device of a route: the one that the route names, else the one in
// whose subnet the next hop is. It is nil if there is none.
func routeDevice(list []device, r Route) *device {
	for n := range list {
		if list[n].Name == r.Dev || r.Dev == "" && list[n].on(r.Via) {
			return &list[n]
		}
	}
	return nil
}

// on reports whether addr is in a subnet of the device.
func (d device) on(addr netip.Addr) bool {
	for _, p := range d.Addresses {
		if p.Masked().Contains(addr) {
			return true
		}
	}
	return false
}

// defaultDestination is 0.0.0.0/0 or ::/0, whichever is of addr's family.
func defaultDestination(addr netip.Addr) netip.Prefix {
	if addr.Is4() {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

// family returns the device's addresses and routes of one IP version.
func (d device) family(is func(netip.Addr) bool) (addresses []netip.Prefix, routes []Route) {
	for _, a := range d.Addresses {
		if is(a.Addr()) {
			addresses = append(addresses, a)
		}
	}
	for _, r := range d.Routes {
		if is(r.To.Addr()) {
			routes = append(routes, r)
		}
	}
	return addresses, routes
}

// A hostFile is a file that one host has on top of its image. If Link is not "", it is
// a symbolic link to that.
type hostFile struct {
	Path string // without a leading slash
	Mode uint32 // permission bits
	Text string
	Link string
}

// networkFiles are the files by which a network system sets the devices up at every
// boot. The .link files give the devices their names, whatever the kernel calls them.
func networkFiles(system System, list []device) []hostFile {
	var out []hostFile
	for _, d := range list {
		if d.MAC != "" {
			text := fmt.Sprintf("[Match]\nMACAddress=%s\n\n[Link]\nName=%s\n", d.MAC, d.Name)
			out = append(out, hostFile{Path: "etc/systemd/network/10-" + d.Name + ".link", Mode: 0o644, Text: text})
		}
	}
	render := map[System]func([]device) []hostFile{
		Ifupdown: ifupdownFiles, Netplan: netplanFiles, Networkd: networkdFiles, NetworkManager: networkManagerFiles,
	}
	return append(out, render[system](list)...)
}

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
	// Quiet is set for the management device: no link-local address.
	Quiet bool
}

// hostMAC is the address of a host's NIC; it is fixed, so that one boot is like
// the other. 255 is the management NIC.
func hostMAC(host, nic int) string { return fmt.Sprintf("02:00:00:%02x:%02x:01", host, nic) }

const managementNIC = 255

// devices are host n's, in the order of its interfaces, the management device
// last.
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
			routes = append(routes[:len(routes):len(routes)], Route{To: everywhere(gw), Via: gw})
		}
	}
	for _, r := range routes {
		d := carrier(out, r)
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

// carrier is the device of a route: the named one, else the one in whose subnet
// its next hop is.
func carrier(list []device, r Route) *device {
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

// everywhere is the destination of a default route of addr's family.
func everywhere(addr netip.Addr) netip.Prefix {
	if addr.Is4() {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

// family returns the addresses and routes of one IP version.
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

// A hostFile is one file of a host's own; Link is a symbolic link's target.
type hostFile struct {
	Path string // without a leading slash
	Mode uint32 // permission bits
	Text string
	Link string
}

// networkFiles are the files by which a system sets the devices up, now and
// after every boot. The link files name the devices, whatever the kernel calls
// them.
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

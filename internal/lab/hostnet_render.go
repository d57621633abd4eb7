package lab

import (
	"fmt"
	"net/netip"
	"strings"
)

// ifupdownFiles renders /etc/network/interfaces: one stanza for each address, as
// interfaces(5) says for a device with several.
func ifupdownFiles(list []device) []hostFile {
	var b strings.Builder
	b.WriteString("source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n")
	for _, d := range list {
		if d.Name != "lo" {
			fmt.Fprintf(&b, "\nauto %s\n", d.Name)
		}
		if len(d.Addresses) == 0 && d.Name != "lo" {
			fmt.Fprintf(&b, "iface %s inet manual\n    up ip link set dev %s up\n", d.Name, d.Name)
		}
		left := d.Routes
		for n, a := range d.Addresses {
			family := "inet"
			if a.Addr().Is6() {
				family = "inet6"
			}
			fmt.Fprintf(&b, "iface %s %s static\n    address %s\n", d.Name, family, a)
			if d.Quiet {
				fmt.Fprintf(&b, "    pre-up ip link set dev %s addrgenmode none\n", d.Name)
			}
			var rest []Route
			for _, r := range left {
				switch {
				// A route stands with the first address whose subnet its next hop is in,
				// or else with the last address.
				case n < len(d.Addresses)-1 && !a.Masked().Contains(r.Via):
					rest = append(rest, r)
				case r.To.Bits() == 0 && r.Via.IsValid() && r.Via.Is4() == a.Addr().Is4():
					fmt.Fprintf(&b, "    gateway %s\n", r.Via)
				default:
					fmt.Fprintf(&b, "    up ip route add %s\n", routeWords(r))
				}
			}
			left = rest
		}
	}
	return []hostFile{
		{Path: "etc/network/interfaces", Mode: 0o644, Text: b.String()},
	}
}

// routeWords is a route in the words of ip-route(8).
func routeWords(r Route) string {
	words := r.To.Masked().String()
	if r.Via.IsValid() {
		words += " via " + r.Via.String()
	}
	return words + " dev " + r.Dev
}

// netplanFiles renders one netplan file, for the renderer networkd.
func netplanFiles(list []device) []hostFile {
	var b strings.Builder
	b.WriteString("network:\n  version: 2\n  renderer: networkd\n  ethernets:\n")
	for _, d := range list {
		fmt.Fprintf(&b, "    %q:\n", d.Name)
		if d.MAC != "" {
			b.WriteString("      accept-ra: false\n")
		}
		if d.Quiet {
			b.WriteString("      link-local: []\n")
		}
		// Without this the boot waits for a device that never gets an address.
		if len(d.Addresses) == 0 {
			b.WriteString("      optional: true\n")
			continue
		}
		b.WriteString("      addresses:\n")
		for _, a := range d.Addresses {
			fmt.Fprintf(&b, "        - %q\n", a)
		}
		if len(d.Routes) > 0 {
			b.WriteString("      routes:\n")
		}
		for _, r := range d.Routes {
			fmt.Fprintf(&b, "        - to: %q\n", r.To.Masked())
			if r.Via.IsValid() {
				fmt.Fprintf(&b, "          via: %q\n", r.Via)
			} else {
				b.WriteString("          scope: link\n")
			}
		}
	}
	return []hostFile{{Path: "etc/netplan/50-lab.yaml", Mode: 0o600, Text: b.String()}}
}

// networkdFiles renders one .network file for each device.
func networkdFiles(list []device) []hostFile {
	var out []hostFile
	for _, d := range list {
		var b strings.Builder
		fmt.Fprintf(&b, "[Match]\nName=%s\n", d.Name)
		if len(d.Addresses) == 0 {
			b.WriteString("\n[Link]\nRequiredForOnline=no\n")
		}
		b.WriteString("\n[Network]\n")
		if d.MAC != "" {
			b.WriteString("IPv6AcceptRA=no\n")
		}
		if d.Quiet {
			b.WriteString("LinkLocalAddressing=no\n")
		}
		for _, a := range d.Addresses {
			fmt.Fprintf(&b, "Address=%s\n", a)
		}
		for _, r := range d.Routes {
			fmt.Fprintf(&b, "\n[Route]\nDestination=%s\n", r.To.Masked())
			if r.Via.IsValid() {
				fmt.Fprintf(&b, "Gateway=%s\n", r.Via)
			}
		}
		out = append(out, hostFile{Path: "etc/systemd/network/20-" + d.Name + ".network", Mode: 0o644, Text: b.String()})
	}
	return out
}

// networkManagerFiles renders one keyfile for each device. NetworkManager refuses
// keyfiles that others can read.
func networkManagerFiles(list []device) []hostFile {
	var out []hostFile
	for _, d := range list {
		kind := "ethernet"
		if d.Name == "lo" {
			kind = "loopback"
		}
		var b strings.Builder
		fmt.Fprintf(&b, "[connection]\nid=%s\ntype=%s\ninterface-name=%s\n", d.Name, kind, d.Name)
		b.WriteString("\n[ipv4]\n" + keyfileFamily(d, netip.Addr.Is4, "disabled"))
		none := "link-local"
		switch {
		case d.Quiet:
			none = "disabled"
		case d.Name == "lo":
			none = "auto"
		}
		b.WriteString("\n[ipv6]\n" + keyfileFamily(d, netip.Addr.Is6, none))
		out = append(out, hostFile{Path: "etc/NetworkManager/system-connections/" + d.Name + ".nmconnection", Mode: 0o600, Text: b.String()})
	}
	return out
}

// keyfileFamily is the section of one IP version. none is the method for a device
// without an address of that version.
func keyfileFamily(d device, is func(netip.Addr) bool, none string) string {
	addresses, routes := d.family(is)
	if len(addresses) == 0 {
		if d.Name == "lo" {
			none = "auto" // lo may have this method or manual
		}
		return "method=" + none + "\n"
	}
	var b strings.Builder
	b.WriteString("method=manual\n")
	for n, a := range addresses {
		fmt.Fprintf(&b, "address%d=%s\n", n+1, a)
	}
	for n, r := range routes {
		fmt.Fprintf(&b, "route%d=%s", n+1, r.To.Masked())
		if r.Via.IsValid() {
			fmt.Fprintf(&b, ",%s", r.Via)
		}
		b.WriteString("\n")
	}
	return b.String()
}

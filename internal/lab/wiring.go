package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A blueprint is what the guest carries out. It is made of a [Spec].
type blueprint struct {
	Name string
	// Wiring is the input of `ip -batch` in the machine's first namespace. It makes the
	// bridges and every host's devices. @N@ stands for the id of a thread in host N's
	// namespaces.
	Wiring string
	Hosts  []hostBlueprint
}

// A hostBlueprint is the part of a blueprint for one host.
type hostBlueprint struct {
	Name      string
	Batch     string // input of `ip -batch` in the host's own namespace
	HostKey   string // OpenSSH private key
	Listeners []Listener
	Outside   netip.Addr // QEMU's end of the management network
}

// managementName is the device that carries SSH: mgmt0, unless a host declares
// an interface of that name.
func managementName(hosts []Host) string {
	for n := 0; ; n++ {
		name := fmt.Sprintf("mgmt%d", n)
		used := func(h Host) bool {
			return slices.ContainsFunc(h.Interfaces, func(i Interface) bool { return i.Name == name })
		}
		if !slices.ContainsFunc(hosts, used) {
			return name
		}
	}
}

// draw makes the blueprint of a lab.
func draw(s Spec, mgmt netip.Prefix) blueprint {
	of, count := segments(s.Hosts)
	device := managementName(s.Hosts)
	b := blueprint{Name: s.Name}

	var wiring strings.Builder
	// A bridge forwards at once: it has no spanning tree and no multicast snooping.
	bridge := func(name string) {
		fmt.Fprintf(&wiring, "link add name %s up type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n", name)
	}
	// The NICs come first, because the kernel takes a while to notice their carrier.
	for n := range nics(len(s.Hosts)) {
		fmt.Fprintf(&wiring, "link set dev eth%d up\n", n)
	}
	for n := range nics(len(s.Hosts)) {
		bridge(fmt.Sprintf("mgmt%d", n))
		fmt.Fprintf(&wiring, "link set dev eth%d master mgmt%d\n", n, n)
	}
	for n := range count {
		bridge(fmt.Sprintf("lan%d", n))
	}
	cable := func(host, nic int, master, name string) {
		fmt.Fprintf(&wiring, "link add name h%dn%d mtu 1500 master %s up type veth peer name %s address %s mtu 1500 netns @%d@\n",
			host, nic, master, name, hostMAC(host, nic), host)
	}
	for h, host := range s.Hosts {
		cable(h, managementNIC, fmt.Sprintf("mgmt%d", h/hostsPerNIC), device)
		for i, nic := range host.Interfaces {
			if of[h][i] >= 0 {
				cable(h, i, fmt.Sprintf("lan%d", of[h][i]), nic.Name)
			}
		}
		b.Hosts = append(b.Hosts, hostBlueprint{
			Name:      host.Name,
			Batch:     hostBatch(host, device, netip.PrefixFrom(managementAddr(mgmt, h), mgmt.Bits())),
			Listeners: host.Listeners,
			Outside:   outside(mgmt),
		})
	}
	b.Wiring = wiring.String()
	return b
}

func hostBatch(h Host, device string, mgmt netip.Prefix) string {
	var b strings.Builder
	b.WriteString("link set dev lo up\n")
	// The management device gets no link-local address: it is no part of the topology.
	fmt.Fprintf(&b, "link set dev %s addrgenmode none up\naddress add %s dev %s\n", device, mgmt, device)
	for _, nic := range h.Interfaces {
		if nic.Name != "lo" {
			fmt.Fprintf(&b, "link set dev %s up\n", nic.Name)
		}
		for _, a := range nic.Addresses {
			if a.Addr().Is4() {
				fmt.Fprintf(&b, "address add %s%s dev %s\n", a, broadcast(a), nic.Name)
			} else {
				// Duplicate detection would delay the address by a second.
				fmt.Fprintf(&b, "address add %s dev %s nodad\n", a, nic.Name)
			}
		}
	}
	for _, gw := range []netip.Addr{h.Gateway4, h.Gateway6} {
		if gw.IsValid() {
			fmt.Fprintf(&b, "route add default via %s\n", gw)
		}
	}
	for _, r := range h.Routes {
		fmt.Fprintf(&b, "route add %s", r.To.Masked())
		if r.Via.IsValid() {
			fmt.Fprintf(&b, " via %s", r.Via)
		}
		if r.Dev != "" {
			fmt.Fprintf(&b, " dev %s", r.Dev)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// broadcast asks ip for a broadcast address, which every network system sets and ip
// does not by itself. A /31 and a /32 have none.
func broadcast(a netip.Prefix) string {
	if a.Bits() >= 31 {
		return ""
	}
	return " broadcast +"
}

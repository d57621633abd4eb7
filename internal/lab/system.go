package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A System is the program that sets up the network of a whole Debian.
type System string

// The network systems that a host may have.
const (
	Ifupdown       System = "ifupdown"
	Netplan        System = "netplan" // over systemd-networkd, as on an Ubuntu server
	Networkd       System = "networkd"
	NetworkManager System = "networkmanager"
)

// Systems is every network system that a host may have.
var Systems = []System{Ifupdown, Netplan, Networkd, NetworkManager}

// ParseSystems reads the value of --systemd: the system of every host, then those of
// single hosts, as in "ifupdown,lvs-server=netplan". If the first is left out, every is
// ifupdown.
func ParseSystems(text string) (every System, hosts map[string]System, err error) {
	every = Ifupdown
	for n, word := range strings.Split(text, ",") {
		host, name, ok := strings.Cut(word, "=")
		if !ok {
			host, name = "", word
		}
		system := System(name)
		switch {
		case !slices.Contains(Systems, system):
			return "", nil, fmt.Errorf("cannot make a host with network system %q\nIt is one of %s", name, systemNames())
		case ok && hosts == nil:
			hosts = map[string]System{host: system}
		case ok:
			hosts[host] = system
		case n > 0:
			return "", nil, fmt.Errorf("cannot make hosts with %q: one system alone is for every host\nName hosts for another: --systemd=%s,NODE=%s", text, every, system)
		default:
			every = system
		}
	}
	return every, hosts, nil
}

func systemNames() string {
	names := make([]string, len(Systems))
	for n, s := range Systems {
		names[n] = string(s)
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// whole reports whether the hosts are to be whole Debians.
func (o Options) whole() bool { return o.System != "" || len(o.Systems) > 0 }

// system is the network system of a host of a lab of machines.
func (o Options) system(host string) System {
	if s, ok := o.Systems[host]; ok {
		return s
	}
	if o.System == "" {
		return Ifupdown
	}
	return o.System
}

// checkSystems refuses unknown network systems, and hosts that are not in s.
func (o Options) checkSystems(s Spec) error {
	for _, host := range slices.Sorted(maps.Keys(o.Systems)) {
		if !slices.ContainsFunc(s.Hosts, func(h Host) bool { return h.Name == host }) {
			return fmt.Errorf("cannot make host %s with %s: lab %s has no such host", host, o.Systems[host], s.Name)
		}
	}
	for _, h := range s.Hosts {
		if system := o.system(h.Name); o.whole() && !slices.Contains(Systems, system) {
			return fmt.Errorf("%s: cannot make a host with network system %q\nIt is one of %s", h.Name, system, systemNames())
		}
	}
	return nil
}

package persist

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// networkScripts: the ifcfg files of EL6, EL7 and EL8, which ifup reads as shell
// (sysconfig.txt of initscripts). VIPs are aliases, which ifup-aliases adds with
// their parent: ifcfg-lo:0. A file of another name beside them, a backup too, would
// be read as one more.
func networkScripts(j *job) {
	j.undoes = "service network restart"
	labels := newAliases(j.Boot.Aliases, j.heldFiles())
	for _, d := range devices(j.Want) {
		if d.name == "ip6tnl0" {
			j.leaveAll(d, j.cannot()) // ifup knows no such device
			continue
		}
		_, configured := j.Boot.Ifcfg[d.name]
		rest := d.addresses
		switch {
		case tunnel(d.name) != "":
			rest = j.tunnelFile(d)
		case d.name != "lo" && !configured:
			j.leaveAll(d, j.cannot()) // nothing there brings it up
			continue
		}
		for _, p := range rest {
			label, ok := labels.label(d.name, p)
			if !ok || p.Addr().Is6() {
				// EL6 reads no IPv6 address in an alias file.
				j.leaveAddress(d.name, p, j.cannot())
				continue
			}
			// Without PREFIX an alias has its parent's, whatever its NETMASK; with a
			// gateway of the parent's it would set a default route of its own
			// (ifup-aliases).
			lines := []string{
				"DEVICE=" + label, "IPADDR=" + p.Addr().String(), "PREFIX=" + strconv.Itoa(p.Bits()), "NETMASK=" + netmask(p),
				"NO_ALIASROUTING=yes", "ONBOOT=yes",
			}
			if d.name != "lo" {
				// Without it an alias whose address answers somewhere is not added: the
				// other director, or a real server that is not quiet (arping -D in
				// ifup-aliases).
				lines = append(lines, "ARPCHECK=no")
			}
			j.block(scriptsDir+"ifcfg-"+label, lines...)
		}
		for _, k := range d.routes {
			j.routeFile(d.name, k)
		}
	}
}

// tunnelFile brings tunl0 up, with its first address, and returns the others. It
// has no TYPE: IPIP is refused for a device of that name (ifup-tunnel), and
// ifup-eth does, with a route for 169.254.0.0/16 if it is let. The module has to be
// loaded by then: modules does that.
func (j *job) tunnelFile(d device) []netip.Prefix {
	lines := []string{"DEVICE=" + d.name, "ONBOOT=yes", "BOOTPROTO=none", "NM_CONTROLLED=no", "NOZEROCONF=yes"}
	rest := d.addresses
	if len(rest) > 0 && rest[0].Addr().Is4() {
		lines = append(lines, "IPADDR="+rest[0].Addr().String(), "PREFIX="+strconv.Itoa(rest[0].Bits()), "NETMASK="+netmask(rest[0]), "ARPCHECK=no")
		rest = rest[1:]
	}
	j.block(scriptsDir+"ifcfg-"+d.name, lines...)
	return rest
}

// routeFile adds a line to a device's routes: they are arguments of ip route add.
// A file with ADDRESS0= lines is read in another way, as a whole. The default
// route is a parameter of the device's own file, and of all devices: the last
// assignment counts, because the shell reads it. ifup-eth knows it only beside
// addresses of the file, and takes a gateway outside of the first one's subnet for
// none: GATEWAYDEV alone makes a route without a gateway.
func (j *job) routeFile(dev string, k state.RouteKey) {
	r := j.Want.Routes[k]
	name := scriptsDir + "route-" + dev
	if k.Dst.Addr().Is6() {
		name = scriptsDir + "route6-" + dev
	}
	metric := ""
	if k.ExplicitMetric() {
		metric = " metric " + strconv.FormatUint(uint64(k.Metric), 10)
	}
	switch {
	case k.IsDefault() && metric == "" && r.Type == "" && j.Boot.Ifcfg[dev].gateway(dev, r.Via):
		j.block(scriptsDir+"ifcfg-"+dev, "GATEWAY="+r.Via.String(), "DEFROUTE=yes")
		j.block(networkFile, "GATEWAY="+r.Via.String(), "GATEWAYDEV="+dev)
	case dev == "" || r.Type != "" || j.Boot.Indexed[name] || k.IsDefault():
		j.leaveRoute(k, j.cannot())
	case r.Via.IsValid():
		j.block(name, k.Dst.String()+" via "+r.Via.String()+" dev "+dev+metric)
	default:
		j.block(name, k.Dst.String()+" dev "+dev+metric)
	}
}

func netmask(p netip.Prefix) string {
	return net.IP(net.CIDRMask(p.Bits(), p.Addr().BitLen())).String()
}

// heldFiles are the alias files that are ours now: what each address's is called.
func (j *job) heldFiles() map[string]string {
	held := map[string]string{}
	for k, b := range j.Live.Blocks {
		label, ok := strings.CutPrefix(k.Path, scriptsDir+"ifcfg-")
		dev, _, alias := strings.Cut(label, ":")
		if addr, err := netip.ParseAddr(value(b.Text, "IPADDR")); ok && alias && err == nil {
			held[aliasKey(dev, addr)] = label
		}
	}
	return held
}

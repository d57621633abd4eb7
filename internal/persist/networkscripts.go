package persist

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// networkScripts writes ifcfg files for EL6, EL7 and EL8, which ifup reads as shell
// (sysconfig.txt of initscripts). VIPs are aliases, which ifup-aliases adds along with
// their parent: ifcfg-lo:0. lvsctl leaves no other file beside them, because ifup would
// read even a backup.
//
// An entry that the node's own files set already is left to them. If they set something
// else in its place, the release and the order of devices decide which of the two wins:
// EL6 and EL7 keep the first route to a destination, EL8 the last. So the boot script sets
// such entries, and ifup-local runs it after each device too.
func networkScripts(j *job) {
	labels := newAliases(j.Boot.Aliases, j.ownAliases())
	j.sets, j.fileRoutes = map[netip.Addr]FileAddress{}, map[state.RouteKey]FileRoute{}
	for _, a := range j.Boot.Sets {
		j.sets[a.Prefix.Addr()] = a
	}
	for _, f := range j.Boot.FileRoutes {
		j.fileRoutes[f.Key] = f
	}
	for _, d := range devices(j.Want) {
		f, there := j.Boot.Ifcfg[d.name]
		rest := d.addresses
		switch {
		case d.name == "" || state.TunnelModule(d.name) != "" && d.name != "tunl0":
			j.leaveAll(d, j.cannot())
			continue
		case there && !f.OnBoot:
			j.leaveAll(d, f.Path+" has ONBOOT=no")
			continue
		case state.TunnelModule(d.name) != "" && !there:
			rest = j.tunnelFile(d)
		case d.name != "lo" && !there:
			j.leaveAll(d, "no "+scriptsDir+"ifcfg file brings "+d.name+" up")
			continue
		}
		for _, p := range rest {
			j.alias(labels, d.name, p)
		}
		for _, k := range d.routes {
			j.routeFile(d.name, k)
		}
	}
	j.hookScripts()
}

// alias makes the file of a VIP, unless another file sets the address. ifup-aliases
// reports a second alias with the same address as a mistake.
func (j *job) alias(labels *aliases, dev string, p netip.Prefix) {
	if a, set := j.sets[p.Addr()]; set {
		if a.Prefix != p || a.Dev != dev || a.NoLength {
			j.leaveAddress(dev, p, a.Path+" sets "+p.Addr().String()+" otherwise")
		}
		return
	}
	label, ok := labels.label(dev, p)
	if !ok || p.Addr().Is6() {
		// EL6 ignores an IPv6 address in an alias file.
		j.leaveAddress(dev, p, j.cannot())
		return
	}
	// Without PREFIX an alias has its parent's, whatever its NETMASK. With its parent's
	// GATEWAY it would set a default route (ifup-aliases).
	lines := []string{
		"DEVICE=" + label, "IPADDR=" + p.Addr().String(), "PREFIX=" + strconv.Itoa(p.Bits()), "NETMASK=" + netmask(p),
		"NO_ALIASROUTING=yes", "ONBOOT=yes",
	}
	if dev != "lo" {
		// Without this the alias is not added if another host answers ARP for its address,
		// for example another director (arping -D in ifup-aliases).
		lines = append(lines, "ARPCHECK=no")
	}
	j.block(scriptsDir+"ifcfg-"+label, lines...)
}

// hookScripts lets ifup run the boot script after it has brought a device up. On EL7
// NetworkManager may manage the device in place of ifup, so it runs the script too.
func (j *job) hookScripts() {
	if len(j.script.Links)+len(j.script.Addresses)+len(j.script.Routes) == 0 {
		return
	}
	if j.Boot.NoLocal {
		j.undoes = "service network restart (" + ifUpLocal + " is there and does not run to its end)"
		return
	}
	j.block(ifUpLocal, j.hookLine())
	var managed []string
	for _, d := range devices(j.script.State) {
		if j.Boot.Devices[d.name].NetworkManager {
			managed = append(managed, d.name)
		}
	}
	j.dispatcher(managed)
}

// tunnelFile makes the file that brings tunl0 up with its first address, and returns the
// other addresses. The file has no TYPE: ifup-tunnel refuses TYPE=IPIP for a device of this
// name. Then ifup-eth configures it, and would add a route for 169.254.0.0/16 unless told
// not to. modules has made sure that the module is loaded.
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

// routeFile adds a route to a device's route-* file, as arguments of ip route add. It
// cannot if the file has ADDRESS0= lines, because then ifup reads all of it as assignments.
// The default route is a variable in the device's ifcfg file. lvsctl appends it there: the
// shell takes the last assignment.
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
	if f, set := j.fileRoutes[k]; set {
		if f.Route != (state.Route{Via: r.Via, Dev: dev, Type: r.Type}) || k.IsDefault() {
			j.leaveRoute(k, f.Place+" has a route for "+k.String())
		}
		return
	}
	switch {
	case dev == "" || r.Type != "" || k.IsDefault() && (metric != "" || k.Dst.Addr().Is6()):
		j.leaveRoute(k, j.cannot())
	case k.IsDefault():
		if why := j.gateway(dev, r.Via); why != "" {
			j.leaveRoute(k, why)
			return
		}
		j.block(scriptsDir+"ifcfg-"+dev, "GATEWAY="+r.Via.String(), "GATEWAYDEV="+dev, "DEFROUTE=yes")
		j.block(networkFile, "GATEWAY="+r.Via.String(), "GATEWAYDEV="+dev)
	case j.Boot.Indexed[name]:
		j.leaveRoute(k, name+" has ADDRESS0= lines")
	case slices.ContainsFunc(j.Boot.UnreadRoutes, func(place string) bool { return strings.HasPrefix(place, name+":") }):
		j.leaveRoute(k, name+" has lines that lvsctl cannot read")
	case r.Via.IsValid():
		if r.OnLink() {
			metric += " onlink"
		}
		j.block(name, k.Dst.String()+" via "+r.Via.String()+" dev "+dev+metric)
	default:
		j.block(name, k.Dst.String()+" dev "+dev+metric)
	}
}

// gateway returns why a device's ifcfg file cannot set the default route, or "". While ifup
// brings a device up, GATEWAYDEV in its file overrides that in /etc/sysconfig/network.
func (j *job) gateway(dev string, via netip.Addr) string {
	f := j.Boot.Ifcfg[dev]
	if why := f.gateway(dev, via); why != "" {
		return why
	}
	for _, other := range slices.Sorted(maps.Keys(j.Boot.Ifcfg)) {
		o := j.Boot.Ifcfg[other]
		switch {
		case o.Path == f.Path || !o.OnBoot:
		case o.GatewayDev != "":
			return fmt.Sprintf("%s sets GATEWAYDEV=%s", o.Path, o.GatewayDev)
		case o.Unread != "" && o.Path != f.Path:
			return o.Unread + " cannot be read without running it"
		}
	}
	if len(j.Boot.UnreadRoutes) > 0 {
		return j.Boot.UnreadRoutes[0] + " cannot be read, and may be a default route"
	}
	return ""
}

func netmask(p netip.Prefix) string {
	return net.IP(net.CIDRMask(p.Bits(), p.Addr().BitLen())).String()
}

// ownAliases returns the labels that lvsctl's alias files give to addresses now.
func (j *job) ownAliases() map[string]string {
	labels := map[string]string{}
	for k, b := range j.Live.Blocks {
		label, ok := strings.CutPrefix(k.Path, scriptsDir+"ifcfg-")
		dev, _, alias := strings.Cut(label, ":")
		if addr, err := netip.ParseAddr(value(b.Text, "IPADDR")); ok && alias && err == nil {
			labels[aliasKey(dev, addr)] = label
		}
	}
	return labels
}

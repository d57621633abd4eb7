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

// networkScripts: the ifcfg files of EL6, EL7 and EL8, which ifup reads as shell
// (sysconfig.txt of initscripts). VIPs are aliases, which ifup-aliases adds with
// their parent: ifcfg-lo:0. A file of another name beside them, a backup too, would
// be read as one more.
//
// What the node's own files set already is left to them. Where they set something
// else in its place, which of the two wins depends on the release and on the order
// of devices: EL6 and EL7 keep the first route for a destination, EL8 the last. So
// the boot script has those, and runs after each device too, from ifup-local.
func networkScripts(j *job) {
	labels := newAliases(j.Boot.Aliases, j.heldFiles())
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
		case d.name == "ip6tnl0" || d.name == "":
			j.leaveAll(d, j.cannot())
			continue
		case there && !f.OnBoot:
			j.leaveAll(d, f.Path+" has ONBOOT=no")
			continue
		case tunnel(d.name) != "" && !there:
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

// alias makes a VIP's file, unless another file sets the address: ifup-aliases
// knows one alias an address, and takes the second for a mistake.
func (j *job) alias(labels *aliases, dev string, p netip.Prefix) {
	if a, set := j.sets[p.Addr()]; set {
		if a.Prefix != p || a.Dev != dev || a.NoLength {
			j.leaveAddress(dev, p, a.Path+" sets "+p.Addr().String()+" otherwise")
		}
		return
	}
	label, ok := labels.label(dev, p)
	if !ok || p.Addr().Is6() {
		// EL6 reads no IPv6 address in an alias file.
		j.leaveAddress(dev, p, j.cannot())
		return
	}
	// Without PREFIX an alias has its parent's, whatever its NETMASK; with a gateway
	// of the parent's it would set a default route of its own (ifup-aliases).
	lines := []string{
		"DEVICE=" + label, "IPADDR=" + p.Addr().String(), "PREFIX=" + strconv.Itoa(p.Bits()), "NETMASK=" + netmask(p),
		"NO_ALIASROUTING=yes", "ONBOOT=yes",
	}
	if dev != "lo" {
		// Without it an alias whose address answers somewhere is not added: the other
		// director, or a real server that is not quiet (arping -D in ifup-aliases).
		lines = append(lines, "ARPCHECK=no")
	}
	j.block(scriptsDir+"ifcfg-"+label, lines...)
}

// hookScripts has ifup run the boot script once it has brought a device up, and
// NetworkManager where that has taken the device over from it (EL7).
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
// assignment counts, because the shell reads it.
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

// gateway is why a device's file cannot have the default route; "" if it can. A
// file that has GATEWAYDEV overrides /etc/sysconfig/network while its device is
// brought up.
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

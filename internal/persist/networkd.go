package persist

import (
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// networkd writes files of systemd.network(5). Only one file configures a device. So a
// device that has one gets a drop-in of it. A device of the kernel's, which has none, gets a
// file of lvsctl's own. Any other device is somebody else's: if networkd took it over, it
// would remove the addresses that it does not know.
//
// What the node's own files set already is left to them.
func networkd(j *job) {
	j.undoes = "networkctl reload"
	sets, routes := map[string]FileAddress{}, map[state.RouteKey]FileRoute{}
	for _, a := range j.Boot.Sets {
		sets[aliasKey(a.Dev, a.Prefix.Addr())] = a
	}
	for _, f := range j.Boot.FileRoutes {
		if have, set := routes[f.Key]; !set || have.same(j.Want.Routes[f.Key]) {
			routes[f.Key] = f
		}
	}
	for _, d := range devices(j.Want) {
		if why := j.whyNotDevice(d.name); why != "" {
			j.leaveAll(d, why)
			continue
		}
		var lines []string
		for _, p := range d.addresses {
			a, set := sets[aliasKey(d.name, p.Addr())]
			switch {
			case !set:
				lines = append(lines, networkAddress(p)...)
			case a.Prefix != p && p.Addr().Is4():
				// With both in its files, networkd changes which address of the subnet comes
				// first each time that it reads them (252).
				j.leaveAddress(d.name, p, a.Path+" sets "+p.Addr().String()+" otherwise")
			}
		}
		for _, k := range d.routes {
			f, set := routes[k]
			switch why := j.whyNotRoute(k); {
			case set && f.same(j.Want.Routes[k]):
			case set:
				j.leaveRoute(k, f.Place+" has a route for "+k.String())
			case why != "":
				j.leaveRoute(k, why)
			default:
				lines = append(lines, networkRoute(k, j.Want.Routes[k])...)
			}
		}
		j.networkFile(d.name, lines)
	}
}

// keepFloating has networkd leave addresses alone that it did not set: it would take them
// off when it restarts or reads its files again. They are keepalived's. Such a drop-in
// counts from the moment that networkd reads its files again, netplan's among them.
func (j *job) keepFloating() {
	done := map[string]bool{}
	for _, dev := range j.Floating {
		file := j.Boot.Devices[dev].Network
		if file == "" || done[file] {
			continue
		}
		done[file] = true
		base := file[strings.LastIndexByte(file, '/')+1:]
		path := networkDir + base + ".d/lvsctl.conf"
		if strings.HasPrefix(base, "50-lvsctl-") {
			path = networkDir + base
		}
		j.block(path, "[Network]", "KeepConfiguration=static")
	}
}

// networkFile adds lines to what configures a device.
func (j *job) networkFile(dev string, lines []string) {
	file := path.Base(j.Boot.Devices[dev].Network)
	own := j.Boot.Devices[dev].Network == "" || strings.HasPrefix(file, "50-lvsctl-")
	switch {
	case own && (len(lines) > 0 || state.TunnelModule(dev) != ""):
		header := []string{"[Match]", "Name=" + dev, "[Link]", "RequiredForOnline=no", "[Network]", "LinkLocalAddressing=no", "KeepConfiguration=static"}
		j.block(networkDir+"50-lvsctl-"+dev+".network", append(header, lines...)...)
	case len(lines) > 0:
		j.block(networkDir+file+".d/lvsctl.conf", lines...)
	}
}

// same reports whether a route of the node's own files leads where a wanted one does.
func (f FileRoute) same(want state.Route) bool {
	return f.Route.Via == want.Via && f.Route.Dev == want.Dev && f.Route.Type == want.Type
}

// whyNotDevice returns why no file of networkd can configure what a device should have, or
// "".
func (j *job) whyNotDevice(dev string) string {
	switch {
	case dev == "":
		return j.cannot()
	case j.shares(dev):
		return sharedFile
	case j.Boot.Devices[dev].Network == "" && dev != "lo" && state.TunnelModule(dev) == "":
		return "systemd-networkd does not configure " + dev
	}
	return ""
}

// whyNotRoute returns why no file of networkd can have a route, or "". Of two routes with
// the same destination and metric the one that is set last would win.
func (j *job) whyNotRoute(k state.RouteKey) string {
	switch {
	case j.replaces(k):
		return replacing
	case j.Want.Routes[k].Type != "":
		return j.cannot()
	}
	return ""
}

// networkAddress is a section for one address. An IPv6 VIP must not become the source of
// the node's own traffic.
func networkAddress(p netip.Prefix) []string {
	lines := []string{"[Address]", "Address=" + p.String()}
	if p.Addr().Is6() {
		lines = append(lines, "PreferredLifetime=0", "DuplicateAddressDetection=none")
	}
	return lines
}

// networkRoute is a section for one route. An IPv4 gateway is taken to be on the link: if no
// subnet led to it at boot, networkd would wait for one, and everything that waits until the
// node is online with it.
func networkRoute(k state.RouteKey, r state.Route) []string {
	lines := []string{"[Route]", "Destination=" + k.Dst.String()}
	if r.Via.IsValid() {
		lines = append(lines, "Gateway="+r.Via.String())
		if r.Via.Is4() || r.OnLink() {
			lines = append(lines, "GatewayOnLink=yes")
		}
	}
	if k.Metric != 0 {
		lines = append(lines, "Metric="+strconv.FormatUint(uint64(k.Metric), 10))
	}
	return lines
}

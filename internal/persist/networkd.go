package persist

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// networkd: systemd.network(5). One file configures a device, so what is added to
// a device that has one is a drop-in of it; another device gets a file of ours.
func networkd(j *job) {
	for _, d := range devices(j.Want) {
		if d.name == "" || j.shares(d.name) {
			j.leaveAll(d)
			continue
		}
		base := j.Boot.Devices[d.name].Network
		base = base[strings.LastIndexByte(base, '/')+1:]
		path := networkDir + base + ".d/lvsctl.conf"
		if base == "" || strings.HasPrefix(base, "50-lvsctl-") {
			path = networkDir + "50-lvsctl-" + d.name + ".network"
			j.block(path, "[Match]", "Name="+d.name, "[Link]", "RequiredForOnline=no", "[Network]", "LinkLocalAddressing=no")
		}
		for _, p := range d.addresses {
			j.block(path, networkAddress(p)...)
		}
		for _, k := range d.routes {
			r := j.Want.Routes[k]
			if j.replaces(k) || r.Type != "" {
				// Two with the same metric: whichever is set last would stay.
				j.leaveRoute(k)
				continue
			}
			j.block(path, networkRoute(k, r)...)
		}
	}
}

// networkAddress is a section of its own: an IPv6 VIP is to be nobody's source.
func networkAddress(p netip.Prefix) []string {
	lines := []string{"[Address]", "Address=" + p.String()}
	if p.Addr().Is6() {
		lines = append(lines, "PreferredLifetime=0", "DuplicateAddressDetection=none")
	}
	return lines
}

func networkRoute(k state.RouteKey, r state.Route) []string {
	lines := []string{"[Route]", "Destination=" + k.Dst.String()}
	if r.Via.IsValid() {
		lines = append(lines, "Gateway="+r.Via.String())
	}
	if k.Metric != 0 {
		lines = append(lines, "Metric="+strconv.FormatUint(uint64(k.Metric), 10))
	}
	return lines
}

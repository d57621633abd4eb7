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
	j.undoes = "networkctl reload"
	for _, d := range devices(j.Want) {
		if why := j.unheld(d.name); why != "" {
			j.leaveAll(d, why)
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
			if why := j.unheldRoute(k); why != "" {
				j.leaveRoute(k, why)
				continue
			}
			j.block(path, networkRoute(k, j.Want.Routes[k])...)
		}
	}
}

// unheld is why no file of networkd's can have what a device is to have; "" if one
// can.
func (j *job) unheld(dev string) string {
	switch {
	case dev == "":
		return j.cannot()
	case j.shares(dev):
		return sharedFile
	}
	return ""
}

// unheldRoute is why no file of networkd's can have a route. Of two with one
// destination and metric whichever is set last would stay.
func (j *job) unheldRoute(k state.RouteKey) string {
	switch {
	case j.replaces(k):
		return replacing
	case j.Want.Routes[k].Type != "":
		return j.cannot()
	}
	return ""
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
		if r.OnLink() {
			lines = append(lines, "GatewayOnLink=yes")
		}
	}
	if k.Metric != 0 {
		lines = append(lines, "Metric="+strconv.FormatUint(uint64(k.Metric), 10))
	}
	return lines
}

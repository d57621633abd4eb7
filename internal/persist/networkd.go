package persist

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// networkd writes files of systemd.network(5). Only one file configures a device. So a
// device that has one gets a drop-in of it, and any other device a file of lvsctl's own.
func networkd(j *job) {
	j.undoes = "networkctl reload"
	for _, d := range devices(j.Want) {
		if why := j.whyNotDevice(d.name); why != "" {
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
			if why := j.whyNotRoute(k); why != "" {
				j.leaveRoute(k, why)
				continue
			}
			j.block(path, networkRoute(k, j.Want.Routes[k])...)
		}
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

// whyNotDevice returns why no file of networkd can configure what a device should have, or
// "".
func (j *job) whyNotDevice(dev string) string {
	switch {
	case dev == "":
		return j.cannot()
	case j.shares(dev):
		return sharedFile
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

package persist

import (
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// networkFiles reads the files by which systemd-networkd configures the node's devices.
// netplan's are among them: it writes files for networkd.
func (b *Boot) networkFiles(files texts) {
	dropIns := map[string][]string{}
	for _, p := range slices.Sorted(maps.Keys(files)) {
		if dir := path.Base(path.Dir(p)); strings.HasSuffix(dir, ".network.d") {
			name := strings.TrimSuffix(dir, ".d")
			dropIns[name] = append(dropIns[name], p)
		}
	}
	for _, dev := range slices.Sorted(maps.Keys(b.Devices)) {
		file := b.Devices[dev].Network
		if text := files[file]; text != nil {
			b.networkFile(dev, file, text.String())
		}
		for _, p := range dropIns[path.Base(file)] {
			b.networkFile(dev, p, files[p].String())
		}
	}
}

// networkFile reads a file like this one (systemd.network(5)):
//
//	[Network]
//	Address=10.1.0.2/24
//	Gateway=10.1.0.254
//	[Address]
//	Address=10.1.0.100/32
//	[Route]
//	Destination=10.60.0.0/16
//	Gateway=10.1.0.254
func (b *Boot) networkFile(dev, file, text string) {
	var section string
	var begin, n int
	values := map[string]string{}
	end := func() {
		switch section {
		case "Address":
			b.networkAddress(dev, file, values["Address"])
		case "Route":
			b.networkRoute(dev, fmt.Sprintf("%s:%d", file, begin), values)
		}
		clear(values)
	}
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			end()
			section, begin = strings.Trim(line, "[]"), n
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch values[key] = value; {
		case section == "Network" && key == "Address":
			b.networkAddress(dev, file, value)
		case section == "Network" && key == "Gateway":
			b.networkRoute(dev, fmt.Sprintf("%s:%d", file, n), map[string]string{"Gateway": value})
		}
	}
	end()
}

// networkAddress adds an address with or without a length. Pools (0.0.0.0/24) are not known
// before networkd has chosen from them.
func (b *Boot) networkAddress(dev, file, text string) {
	p, err := netip.ParsePrefix(text)
	addr, bare := netip.ParseAddr(text)
	switch {
	case err == nil && !p.Addr().IsUnspecified():
		b.Sets = append(b.Sets, FileAddress{Path: file, Dev: dev, Prefix: p})
	case bare == nil:
		b.Sets = append(b.Sets, FileAddress{Path: file, Dev: dev, Prefix: netip.PrefixFrom(addr, addr.BitLen()), NoLength: true})
	}
}

// networkRoute adds a route. Without a destination it is the default of its gateway's
// family. A gateway that is only known once there is a lease (_dhcp4) is not valid.
func (b *Boot) networkRoute(dev, place string, values map[string]string) {
	via, err := netip.ParseAddr(values["Gateway"])
	everywhere := "0.0.0.0/0"
	if err == nil && via.Is6() || values["Gateway"] == "_ipv6ra" {
		everywhere = "::/0"
	}
	text := values["Destination"]
	if text == "" && values["Gateway"] != "" {
		text = everywhere
	}
	dst, err := netip.ParsePrefix(text)
	if err != nil {
		addr, bare := netip.ParseAddr(text)
		if bare != nil {
			return
		}
		dst = netip.PrefixFrom(addr, addr.BitLen())
	}
	metric, err := strconv.ParseUint(values["Metric"], 10, 32)
	if err != nil {
		metric = 0
	}
	k := state.NewRouteKey(dst, uint32(metric))
	if table := values["Table"]; table != "main" && table != "254" {
		k.Table = table
	}
	r := state.Route{Via: via, Dev: dev}
	if kind := values["Type"]; kind != "unicast" {
		r.Type = kind
	}
	b.FileRoutes = append(b.FileRoutes, FileRoute{place, k, r})
}

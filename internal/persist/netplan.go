package persist

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// netplanUnit is how the names of the files begin that netplan makes for networkd. The
// name of a definition follows.
const netplanUnit = "/run/systemd/network/10-netplan-"

func netplanPath(topology string) string { return "/etc/netplan/90-lvsctl-" + topology + ".yaml" }

// netplan writes a file of lvsctl's own. netplan merges it into the definitions of other
// files by their names, and joins lists (netplan(5)). lo counts as an Ethernet device, and
// so does a tunnel's device that a module makes.
func netplan(j *job) {
	j.undoes = "netplan apply"
	sections := map[string][]string{}
	for _, d := range devices(j.Want) {
		if why := j.whyNotDevice(d.name); why != "" {
			j.leaveAll(d, why)
			continue
		}
		id := d.name
		if unit := j.Boot.Devices[d.name].Network; strings.HasPrefix(unit, netplanUnit) {
			id = strings.TrimSuffix(strings.TrimPrefix(unit, netplanUnit), ".network")
		}
		lines := []string{"    " + strconv.Quote(id) + ":"}
		if tunnel(d.name) != "" {
			lines = append(lines, "      match: {name: "+strconv.Quote(d.name)+"}", "      optional: true", "      link-local: []")
		}
		if len(d.addresses) > 0 {
			lines = append(lines, "      addresses:")
		}
		for _, p := range d.addresses {
			if p.Addr().Is6() {
				lines = append(lines, "      - "+strconv.Quote(p.String())+":", "          lifetime: 0")
				continue
			}
			lines = append(lines, "      - "+strconv.Quote(p.String()))
		}
		first := true
		for _, k := range d.routes {
			r := j.Want.Routes[k]
			if why := j.whyNotRoute(k); why != "" {
				j.leaveRoute(k, why)
				continue
			}
			if first {
				lines, first = append(lines, "      routes:"), false
			}
			lines = append(lines, "      - to: "+strconv.Quote(k.Dst.String()))
			if r.Via.IsValid() {
				lines = append(lines, "        via: "+strconv.Quote(r.Via.String()))
				if r.OnLink() {
					lines = append(lines, "        on-link: true")
				}
			} else {
				lines = append(lines, "        scope: link")
			}
			if k.ExplicitMetric() {
				lines = append(lines, fmt.Sprintf("        metric: %d", k.Metric))
			}
		}
		if len(lines) == 1 {
			continue // it has only routes, which the boot script sets
		}
		section := map[string]string{"bond": "bonds", "bridge": "bridges", "vlan": "vlans"}[j.Boot.Devices[d.name].Class]
		if section == "" {
			section = "ethernets"
		}
		sections[section] = append(sections[section], lines...)
	}
	if len(sections) == 0 {
		return
	}
	lines := []string{"# Made by lvsctl, topology " + j.Topology + "; edits are drift.", "network:", "  version: 2"}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		lines = append(append(lines, "  "+name+":"), sections[name]...)
	}
	j.file(netplanPath(j.Topology), "0600", lines...)
}

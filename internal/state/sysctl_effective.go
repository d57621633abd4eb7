package state

import (
	"slices"
	"strings"
)

// Overruled is a wanted kernel parameter without effect, because the kernel combines the
// value for all interfaces with that of each interface.
type Overruled struct {
	Key, Value string
	By, Other  string // the key that decides, and its value
	Rule       string // how the kernel combines the two, in words
}

// ipv4Rule returns how the kernel combines conf/all and conf/DEV of a parameter, as a
// function and in words (include/linux/inetdevice.h, the same from 2.6.32 to 6.12): by the
// maximum, by or, or by and. It returns none for accept_redirects, whose rule depends on
// forwarding, and for forwarding, of which only the interface's value counts.
func ipv4Rule(name string) (combine func(all, dev string) string, words string) {
	switch name {
	case "arp_ignore", "arp_announce", "arp_notify", "rp_filter":
		return func(a, b string) string { return max(a, b) }, "the greater one counts"
	case "send_redirects", "secure_redirects", "shared_media", "arp_filter", "accept_local", "src_valid_mark",
		"route_localnet", "proxy_arp", "log_martians", "promote_secondaries":
		return func(a, b string) string { return max(a, b) }, "one of the two is enough to turn it on"
	case "accept_source_route", "mc_forwarding", "bootp_relay":
		return func(a, b string) string { return min(a, b) }, "it takes both to turn it on"
	}
	return nil, ""
}

// OverruledSysctls lists the wanted IPv4 parameters that will have no effect on the node's
// devices. A wanted value for "all" is compared with those of the devices only if the
// maximum counts: otherwise "all" alone is not meant to decide for every device.
func OverruledSysctls(live, want *State, devices []string) []Overruled {
	after := func(key string) (string, bool) {
		if v, ok := want.Sysctls[key]; ok {
			return v, true
		}
		v, ok := live.Sysctls[key]
		return v, ok
	}
	var list []Overruled
	for k, v := range want.Sysctls {
		rest, ok := strings.CutPrefix(k, "net/ipv4/conf/")
		dev, name, _ := strings.Cut(rest, "/")
		combine, words := ipv4Rule(name)
		if !ok || combine == nil || dev == "default" {
			continue
		}
		others := []string{"all"}
		if dev == "all" {
			if others = devices; !strings.HasPrefix(words, "the greater") {
				continue
			}
		}
		for _, other := range others {
			by := "net/ipv4/conf/" + other + "/" + name
			o, known := after(by)
			if !known || len(o) != 1 || len(v) != 1 {
				continue // values of more than one digit are not compared
			}
			if in := combine(o, v); in != v && !satisfies(k, in, v) {
				list = append(list, Overruled{k, v, by, o, words})
			}
		}
	}
	slices.SortFunc(list, func(a, b Overruled) int { return strings.Compare(a.Key+" "+a.By, b.Key+" "+b.By) })
	return list
}

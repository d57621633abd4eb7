package live

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// parseHolders parses the output of lvsctl_read_holders: who names an address, and the
// address, after a tab. VRRP stands for a program whose addresses are not known.
//
//	kube-vip	10.0.0.100
//	keepalived (/etc/keepalived/keepalived.conf)	2001:DB8:0::100
//	vrrpd	VRRP
func parseHolders(text string, n *Node) error {
	n.Facts.Holders = map[netip.Addr][]string{}
	for line := range strings.Lines(text) {
		i := strings.LastIndexByte(line, '\t')
		if i < 0 {
			return fmt.Errorf("unexpected line %q", line)
		}
		who, what := line[:i], strings.TrimSpace(line[i+1:])
		if what == "VRRP" {
			n.Facts.Speakers = append(n.Facts.Speakers, who)
			continue
		}
		addr, ok := parseHeld(what)
		if ok && !slices.Contains(n.Facts.Holders[addr], who) {
			n.Facts.Holders[addr] = append(n.Facts.Holders[addr], who)
		}
	}
	for _, list := range n.Facts.Holders {
		slices.Sort(list)
	}
	slices.Sort(n.Facts.Speakers)
	return nil
}

// parseHeld parses what looks like an address. A colon may stand before or after it, as in
// HOST:10.0.0.100 or in YAML.
func parseHeld(text string) (netip.Addr, bool) {
	for _, t := range []string{text, strings.Trim(text, ":"), text[strings.LastIndexByte(text, ':')+1:]} {
		if addr, err := netip.ParseAddr(t); err == nil {
			return addr.Unmap(), true
		}
	}
	return netip.Addr{}, false
}

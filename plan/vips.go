package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// vips are the addresses of the services that the inputs want, each with the
// directors that hold it.
func vips(inputs []Input) map[netip.Addr][]string {
	held := map[netip.Addr][]string{}
	hold := func(vip netip.Addr, director string) {
		if vip.IsValid() && !slices.Contains(held[vip], director) {
			held[vip] = append(held[vip], director)
		}
	}
	for i := range inputs {
		in := &inputs[i]
		if in.Role != director {
			continue
		}
		for k := range in.Want.Services {
			hold(k.Addr.Addr(), in.Name)
		}
		for k := range in.Want.Addresses {
			hold(k.Prefix.Addr(), in.Name) // a fwmark service's
		}
	}
	for _, directors := range held {
		slices.Sort(directors)
	}
	return held
}

// misplacedVIPs finds a VIP where it breaks the cluster, and that the plan does not
// take away because somebody else put it there. Only a director that holds the
// service may have it on a device that answers the neighbours (arp_process,
// net/ipv4/arp.c); elsewhere it is on one that keeps quiet, and by itself: a longer
// subnet on lo makes all of its addresses local (fib_add_ifaddr,
// net/ipv4/fib_frontend.c).
func misplacedVIPs(in *Input, s state.Settled, held map[netip.Addr][]string) []string {
	var list []string
	for k := range in.Live.State.Addresses {
		vip := k.Prefix.Addr()
		directors, isVIP := held[vip]
		_, wanted := s.Want.Addresses[k]
		_, touched := s.Have.Addresses[k]
		switch {
		case !isVIP || wanted || touched || slices.Contains(in.Base, k) || slices.Contains(directors, in.Name):
			continue
		case !state.Quiet(k.Dev):
			list = append(list, fmt.Sprintf("it has the VIP %s on %s and tells the neighbours so, beside %s, which holds the service: clients come here instead. Take it off the node and out of its boot files: ip addr del %s dev %s",
				vip, k.Dev, named(directors), k.Prefix, k.Dev))
		case !k.Prefix.IsSingleIP():
			list = append(list, fmt.Sprintf("it has the VIP as %s on %s: that makes the whole subnet %s its own, and nobody there is answered any more. Take it off the node and out of its boot files: ip addr del %s dev %s",
				k.Prefix, k.Dev, k.Prefix.Masked(), k.Prefix, k.Dev))
		case !in.keepsQuiet(vip, s):
			list = append(list, fmt.Sprintf("it has the VIP %s on %s and tells the neighbours so, because arp_ignore is 0: clients come here instead of to %s. Take it off the node and out of its boot files: ip addr del %s dev %s",
				vip, k.Dev, named(directors), k.Prefix, k.Dev))
		}
	}
	slices.Sort(list)
	return list
}

// keepsQuiet reports whether the node, as the plan leaves it, does not answer for an
// IPv4 address that is on another device than the one asked on: arp_ignore is
// max(all, device) (IN_DEV_MAXCONF, include/linux/inetdevice.h). IPv6 never does
// (ndisc_recv_ns, net/ipv6/ndisc.c).
func (in *Input) keepsQuiet(vip netip.Addr, s state.Settled) bool {
	answers := func(dev string) bool {
		key := "net/ipv4/conf/" + dev + "/arp_ignore"
		value, wanted := s.Want.Sysctls[key]
		if !wanted {
			value = in.Live.State.Sysctls[key]
		}
		return value == "0"
	}
	if vip.Is6() || !answers("all") {
		return true
	}
	return !slices.ContainsFunc(in.Base, func(k state.AddressKey) bool { return answers(k.Dev) })
}

// named lists directors for a sentence: lvs-1, or lvs-1 and lvs-2.
func named(directors []string) string {
	var text string
	for i, d := range directors {
		switch {
		case i == 0:
			text = d
		case i == len(directors)-1:
			text += " and " + d
		default:
			text += ", " + d
		}
	}
	return text
}

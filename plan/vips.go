package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// vips returns, for each VIP that the inputs want, the names of its directors, sorted.
func vips(inputs []Input) map[netip.Addr][]string {
	list := map[netip.Addr][]string{}
	add := func(vip netip.Addr, director string) {
		if vip.IsValid() && !slices.Contains(list[vip], director) {
			list[vip] = append(list[vip], director)
		}
	}
	for i := range inputs {
		in := &inputs[i]
		if in.Role != director {
			continue
		}
		for k := range in.Want.Services {
			add(k.Addr.Addr(), in.Name)
		}
		for k := range in.Want.Addresses {
			add(k.Prefix.Addr(), in.Name) // the VIP of a fwmark service is only here
		}
	}
	for _, directors := range list {
		slices.Sort(directors)
	}
	return list
}

// misplacedVIPs finds VIPs that break the cluster where they are, and that the plan does
// not remove because lvsctl did not set them. Only a director of the service may have the
// VIP on a device that answers ARP (arp_process, net/ipv4/arp.c). Every other node must
// have it on a quiet device, and with the prefix length /32: a shorter one on lo makes
// all addresses of the subnet local (fib_add_ifaddr, net/ipv4/fib_frontend.c). vips are
// the names of the directors of each VIP.
func misplacedVIPs(in *Input, s state.Settled, vips map[netip.Addr][]string) []string {
	var list []string
	for k := range in.Live.State.Addresses {
		vip := k.Prefix.Addr()
		directors, isVIP := vips[vip]
		_, wanted := s.Want.Addresses[k]
		_, touched := s.Have.Addresses[k]
		switch {
		case !isVIP || wanted || touched || slices.Contains(in.Base, k) || slices.Contains(directors, in.Name):
			continue
		case !in.Live.State.Quiet(k.Dev):
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
	list = append(list, swallowed(in, s, vips)...)
	for k := range s.Want.Addresses {
		// Its name says that it is quiet; vip_interface takes no other.
		if _, isVIP := vips[k.Prefix.Addr()]; isVIP && in.Role == realServer && !in.Live.State.Quiet(k.Dev) {
			list = append(list, fmt.Sprintf("its %s answers when neighbours ask who has an address, so the VIP %s cannot be there: clients would come here instead of to %s. Write another vip_interface, or none",
				k.Dev, k.Prefix.Addr(), named(vips[k.Prefix.Addr()])))
		}
	}
	slices.Sort(list)
	return list
}

// swallowed finds subnets on lo that are also on the node's LAN, or have a VIP in them,
// whatever address they were set with: all their addresses are the node's own then
// (fib_add_ifaddr, net/ipv4/fib_frontend.c; IPv6 routes them to lo).
func swallowed(in *Input, s state.Settled, vips map[netip.Addr][]string) []string {
	if len(vips) == 0 {
		return nil // a destroy
	}
	var list []string
	for k := range in.Live.State.Addresses {
		directors, isVIP := vips[k.Prefix.Addr()]
		elsewhere := isVIP && !slices.Contains(directors, in.Name) // said already
		_, touched := s.Have.Addresses[k]
		if k.Dev != "lo" || k.Prefix.IsSingleIP() || k.Prefix.Addr().IsLoopback() || elsewhere || touched || slices.Contains(in.Base, k) {
			continue
		}
		what := ""
		for _, base := range in.Base {
			if base.Dev != "lo" && base.Prefix.Overlaps(k.Prefix) {
				what = fmt.Sprintf("the LAN of its %s", base.Dev)
			}
		}
		for vip := range vips {
			if what == "" && k.Prefix.Contains(vip) {
				what = "a VIP"
			}
		}
		if what != "" {
			list = append(list, fmt.Sprintf("it has %s on lo: that makes the whole subnet %s its own, %s too, and nobody there is answered any more. Take it off the node and out of its boot files: ip addr del %s dev lo",
				k.Prefix, k.Prefix.Masked(), what, k.Prefix))
		}
	}
	return list
}

// keepsQuiet reports whether the node, as it is after the plan, answers no request for a
// VIP that comes in by another device than the VIP's. For IPv4 that takes arp_ignore,
// which is max(all, device) (IN_DEV_MAXCONF, include/linux/inetdevice.h). IPv6 is always
// so (ndisc_recv_ns, net/ipv6/ndisc.c).
func (in *Input) keepsQuiet(vip netip.Addr, s state.Settled) bool {
	answers := func(dev string) bool { return in.sysctlAfter("net/ipv4/conf/"+dev+"/arp_ignore", s) == "0" }
	if vip.Is6() || !answers("all") {
		return true
	}
	return !slices.ContainsFunc(in.Base, func(k state.AddressKey) bool { return answers(k.Dev) })
}

// named lists directors in words: "lvs-1", or "lvs-1 and lvs-2".
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

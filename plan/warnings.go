package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// What a person should know before a node is changed.
//
// Unlike a problem, a warning holds nothing back: the change can be made, but may not do what
// is meant, or somebody else's program may undo it. What cannot be known for certain is a
// warning too.

// warnings are what a person should know before a node is changed.
func warnings(in *Input, s state.Settled) []string {
	var list []string
	list = append(list, lostRoutes(in, s)...)
	list = append(list, stuckRoutes(in, s)...)
	list = append(list, overruled(in, s)...)
	list = append(list, owners(in)...)
	list = append(list, holders(in)...)
	list = append(list, drainWarnings(in, s)...)
	list = append(list, unreadLines(in)...)
	return list
}

// lostRoutes finds default routes from router advertisements. The kernel drops them when
// IPv6 forwarding is turned on, unless accept_ra is 2 (addrconf_fixup_forwarding,
// net/ipv6/addrconf.c).
func lostRoutes(in *Input, s state.Settled) []string {
	if s.Have.Sysctls[state.IPv6Forwarding] != "0" || s.Want.Sysctls[state.IPv6Forwarding] != "1" {
		return nil
	}
	var list []string
	for k, r := range in.Live.State.Routes {
		if !k.IsDefault() || !k.Dst.Addr().Is6() || !learned(r) {
			continue
		}
		key := "net/ipv6/conf/" + r.Dev + "/accept_ra"
		if in.sysctlAfter(key, s) != "2" {
			list = append(list, fmt.Sprintf("turning on %s makes the kernel drop the default route %s, which came by router advertisement; to keep it, set %s = 2 in this node's sysctl, or write its gateway",
				state.SysctlName(state.IPv6Forwarding), r, state.SysctlName(key)))
		}
	}
	slices.Sort(list)
	return list
}

// sysctlAfter is the value of a kernel parameter after the plan; "" if the node has none of
// that name.
func (in *Input) sysctlAfter(key string, s state.Settled) string {
	if value, wanted := s.Want.Sysctls[key]; wanted {
		return value
	}
	return in.Live.State.Sysctls[key]
}

// stuckRoutes finds routes that were there before lvsctl and cannot be set again, because
// the node no longer has an address in the network of the next hop.
func stuckRoutes(in *Input, s state.Settled) []string {
	var list []string
	for k, r := range in.Live.Record.Before.Routes {
		ref := state.Ref{Kind: state.KindRoute, Key: k}
		if _, back := s.Want.Routes[k]; s.Restored[ref] && !back {
			list = append(list, fmt.Sprintf("the old route %s %s cannot come back: %s has no address in its next hop's network; give it its own address back, then run this again", k, r, r.Dev))
		}
	}
	slices.Sort(list)
	return list
}

// learned reports whether a route came by router advertisement. ip before 4.19 printed
// "proto kernel" for it.
func learned(r state.Route) bool {
	words := strings.Fields(r.Rest)
	i := slices.Index(words, "proto")
	return i >= 0 && i+1 < len(words) && (words[i+1] == "ra" || words[i+1] == "kernel")
}

// overruled finds wanted kernel parameters that have no effect because of another one.
func overruled(in *Input, s state.Settled) []string {
	var devices []string
	for _, k := range in.Base {
		if !slices.Contains(devices, k.Dev) {
			devices = append(devices, k.Dev)
		}
	}
	var list []string
	for _, o := range state.OverruledSysctls(in.Live.State, s.Want, devices) {
		by := state.SysctlName(o.By)
		list = append(list, fmt.Sprintf("%s = %s has no effect: %s is %s, and %s; set %s too, in this node's sysctl",
			state.SysctlName(o.Key), o.Value, by, o.Other, o.Rule, by))
	}
	return list
}

// unreadLines names the lines of a director's table that could not be read. They are left
// alone.
func unreadLines(in *Input) []string {
	var list []string
	for _, why := range in.Live.State.Unreadable {
		list = append(list, why+"; it is left alone")
	}
	slices.Sort(list)
	return list
}

// owners names other programs that may change a director's table, such as a keepalived
// that is not the topology's.
func owners(in *Input) []string {
	if in.Role != director || len(in.Want.Services) == 0 && !in.Exclusive {
		return nil
	}
	var list []string
	for _, name := range in.Live.Facts.Owners {
		if name == state.KeepalivedName && (in.Keepalived != nil || in.ownsKeepalived()) {
			continue
		}
		list = append(list, fmt.Sprintf("%s manages virtual services on this node too; it may change or remove what is planned here, and nothing of its own is touched", name))
	}
	return list
}

// holders names what else may add a director's VIPs to this node and remove them: programs
// whose arguments, environment or configuration name them.
func holders(in *Input) []string {
	if in.Role != director {
		return nil
	}
	vips := map[string][]netip.Addr{}
	for k := range in.Want.Addresses {
		for _, who := range in.Live.Facts.Holders[k.Prefix.Addr()] {
			vips[who] = append(vips[who], k.Prefix.Addr())
		}
	}
	var list []string
	for who, held := range vips {
		slices.SortFunc(held, netip.Addr.Compare)
		held = slices.Compact(held)
		what, it := "VIP", "it"
		if len(held) > 1 {
			what, it = "VIPs", "them"
		}
		list = append(list, fmt.Sprintf("%s names the %s %s, and may add and remove %[4]s on its own; remove %[4]s there, or from the topology", who, what, some(held, moreOf), it))
	}
	if len(in.Want.Addresses) > 0 {
		for _, who := range in.Live.Facts.Speakers {
			list = append(list, fmt.Sprintf("%s speaks VRRP on this node, and its configuration is not known; make sure that it does not move this topology's VIPs", who))
		}
	}
	slices.Sort(list)
	return list
}

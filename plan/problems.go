package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// What keeps a node from being changed.
//
// A node with a problem is not changed at all, because half of what is wanted may be worse
// than nothing. Everything that can be known before is found here, so that an apply does not
// stop half-way. Each text says what is wrong on the node and what to do about it.

// problems says why a node that was read cannot be changed as wanted. A plan shows them
// before anything is changed.
func problems(in *Input, s state.Settled, changes []state.Change) []string {
	var list []string
	list = append(list, missingBase(in)...)
	list = append(list, missingDevices(in)...)
	list = append(list, missingSchedulers(in)...)
	list = append(list, missingTunnels(in)...)
	list = append(list, missingSysctls(in, changes)...)
	list = append(list, missingTools(in, changes)...)
	list = append(list, misledReplies(in, s)...)
	list = append(list, unreadable(in, s)...)
	if len(changes) > 0 && !in.Live.Facts.Root {
		list = append(list, notRoot)
	}
	return list
}

const notRoot = "the SSH user may not change the network; log in as root, or set sudo = true in its ssh block"

// missingBase finds the node's own addresses that it does not have. lvsctl never sets
// them, but the wanted State depends on them. A destroy does not, so it works on a node
// that has lost its addresses.
func missingBase(in *Input) []string {
	if in.Destroy {
		return nil
	}
	var list []string
	for _, k := range in.Base {
		if _, ok := in.Live.State.Addresses[k]; ok {
			continue
		}
		if _, ok := in.Live.State.Links[k.Dev]; !ok {
			list = append(list, fmt.Sprintf("it has no interface %s (it has %s); correct the interface's name in the topology", k.Dev, linkNames(in.Live)))
			continue
		}
		list = append(list, fmt.Sprintf("interface %s does not have %s (it has %s); lvsctl never sets a node's own addresses: correct the topology or the node", k.Dev, k.Prefix, addressesOn(in.Live, k.Dev)))
	}
	return list
}

// missingDevices finds devices that are wanted for something, and that neither the node
// has nor this plan makes: that of vip_interface, of a route or of a sync daemon.
func missingDevices(in *Input) []string {
	var list []string
	for dev, what := range devices(in) {
		if absent(in, dev) {
			slices.Sort(what)
			list = append(list, fmt.Sprintf("it has no interface %s for %s (it has %s); make it on the node, or name another one in the topology", dev, strings.Join(what, ", "), linkNames(in.Live)))
		}
	}
	slices.Sort(list)
	return list
}

// devices returns what is wanted on each device, in words.
func devices(in *Input) map[string][]string {
	list := map[string][]string{}
	for k := range in.Want.Addresses {
		list[k.Dev] = append(list[k.Dev], k.Prefix.String())
	}
	for k, r := range in.Want.Routes {
		list[r.Dev] = append(list[r.Dev], "route "+k.String())
	}
	for k, d := range in.Want.Daemons {
		list[d.Interface] = append(list[d.Interface], "sync "+k)
	}
	return list
}

// absent reports whether the node lacks a device that this plan does not make. It is
// false for a device of the node's own addresses, which missingBase reports.
func absent(in *Input, dev string) bool {
	_, there := in.Live.State.Links[dev]
	_, made := in.Want.Links[dev]
	own := slices.ContainsFunc(in.Base, func(k state.AddressKey) bool { return k.Dev == dev })
	return dev != "" && dev != "lo" && !there && !made && !own
}

// linkNames lists a node's devices in words, without lo, which every node has.
func linkNames(n *live.Node) string {
	var names []string
	for name := range n.State.Links {
		if name != "lo" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return orNone(names)
}

// addressesOn lists the addresses of a device in words, without the link-local ones, which
// the kernel makes.
func addressesOn(n *live.Node, dev string) string {
	var list []string
	for k := range n.State.Addresses {
		if k.Dev == dev && !k.Prefix.Addr().IsLinkLocalUnicast() {
			list = append(list, k.Prefix.String())
		}
	}
	slices.Sort(list)
	return orNone(list)
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// missingSchedulers finds wanted schedulers that the kernel neither has nor can load.
func missingSchedulers(in *Input) []string {
	var list []string
	for _, s := range in.Schedulers {
		if !in.Live.Facts.Schedulers[s] {
			list = append(list, fmt.Sprintf("its kernel %s has no scheduler %s (module ip_vs_%s); choose another scheduler or kernel", in.Live.Facts.Kernel, s, s))
		}
	}
	return list
}

// missingSysctls finds wanted kernel parameters that the node does not have, and that no
// module of this plan brings.
func missingSysctls(in *Input, changes []state.Change) []string {
	missing, placed := map[state.SysctlKey]bool{}, devices(in)
	for _, c := range changes {
		if k, ok := c.Key.(state.SysctlKey); ok && c.Op == state.Add {
			missing[k] = true
		}
	}
	for k := range in.Want.Sysctls {
		rest, conf := strings.CutPrefix(k, "net/ipv4/conf/")
		dev, _, _ := strings.Cut(rest, "/")
		if _, named := placed[dev]; conf && named && absent(in, dev) {
			delete(missing, state.SysctlKey(k)) // the device brings it
		}
	}
	_, ipvs := in.Want.Modules["ip_vs"]
	for k := range in.Want.Sysctls {
		if _, there := in.Live.State.Sysctls[k]; !there && !ipvs && strings.HasPrefix(k, "net/ipv4/vs/") {
			missing[state.SysctlKey(k)] = true
		}
	}
	list := make([]string, 0, len(missing))
	for key := range missing {
		list = append(list, fmt.Sprintf("its kernel %s has no parameter %s; remove it from the topology, or load the module that brings it", in.Live.Facts.Kernel, key))
	}
	slices.Sort(list)
	return list
}

// unreadable finds what the plan would change and lvsctl could not read: lines of the
// IPVS table, and netfilter's rules.
func unreadable(in *Input, s state.Settled) []string {
	var list []string
	for k, why := range in.Live.State.Unreadable {
		_, wanted := s.Want.Services[k]
		_, touched := s.Have.Services[k]
		_, ours := in.Live.Record.Set.Services[k]
		if wanted || touched || ours || in.Exclusive {
			list = append(list, why+"; take it out of the table (ipvsadm -d, or -D for the service), or update ipvsadm there")
		}
	}
	if in.Live.State.NoRules != "" && len(s.Want.Rules)+len(in.Live.Record.Set.Rules) > 0 {
		list = append(list, in.Live.State.NoRules)
	}
	slices.Sort(list)
	return list
}

// missingTools finds tools that are wanted and that this plan cannot or must not install.
func missingTools(in *Input, changes []state.Change) []string {
	var list []string
	for _, c := range changes {
		switch {
		case c.Kind != state.KindPackage || c.Op != state.Add:
		case in.RequireTools:
			list = append(list, fmt.Sprintf("it has no %s, and packages = \"require\" forbids installing it; install it there", c.Key))
		case in.Live.State.Manager == "":
			list = append(list, fmt.Sprintf("it has no %s and no package manager that lvsctl knows; install it there", c.Key))
		}
	}
	return list
}

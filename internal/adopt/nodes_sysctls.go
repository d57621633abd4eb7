package adopt

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// Kernel parameters that somebody has set. Thousands have a value; written down are those that
// matter to IPVS, differ from the kernel's default, and that no role sets anyway.

// compare makes a topology that differs from what is live say so: it computes what the
// roles want so far, and writes down what a node has instead.
func (f *finder) compare() {
	for _, n := range f.inTopology() {
		if n.Node.Role == topology.RealServer && n.ruled() {
			n.WayBack = topology.WayBackRule
		}
	}
	f.findAnswers()
	wants, _ := roles.Wants(f.Topology)
	for _, w := range wants {
		n := f.named[w.Node.Name]
		if n == nil || n.Node != w.Node {
			continue
		}
		for _, ipv6 := range []bool{false, true} {
			f.gateway(n, w, ipv6)
		}
		f.routes(n, w)
		n.sysctls(w)
	}
	for _, n := range f.inTopology() {
		slices.SortFunc(n.Sysctls, func(a, b topology.Sysctl) int { return cmp.Compare(a.Key, b.Key) })
	}
}

// sysctls writes down the parameters that the roles leave alone, and that somebody has
// set.
func (n *found) sysctls(w roles.Want) {
	values := maps.Clone(n.State.Sysctls)
	for k, v := range n.Record.Set.Sysctls {
		if _, read := values[k]; !read {
			values[k] = v
		}
	}
	for k, v := range values {
		if other, twice := state.SameSysctl(k); twice {
			if _, wanted := w.State.Sysctls[other]; wanted {
				continue
			}
		}
		want, wanted := w.State.Sysctls[k]
		// A written conn_reuse_mode replaces the role's, and this one was set by somebody.
		chosen := k == state.ConnReuseMode && v != want && n.matters(k, v)
		if wanted && !chosen || !n.matters(k, v) {
			continue
		}
		v = strings.Join(strings.Fields(v), " ")
		switch dev, ok := n.rpFilter(k); {
		case k == "net/ipv4/ip_forward":
			on := v == "1"
			n.IPForward = &on
		case ok:
			i := slices.IndexFunc(n.Interfaces, func(i topology.Interface) bool { return i.Name == dev })
			value := int(v[0] - '0')
			n.Interfaces[i].RPFilter = &value
		case v != "":
			n.Sysctls = append(n.Sysctls, topology.Sysctl{Key: k, Value: v})
		}
	}
}

// rpFilter takes apart the parameter rp_filter of one of the interfaces.
func (n *found) rpFilter(key string) (dev string, ok bool) {
	rest, ok := strings.CutPrefix(key, "net/ipv4/conf/")
	dev, name, _ := strings.Cut(rest, "/")
	return dev, ok && name == "rp_filter" && slices.ContainsFunc(n.Interfaces, func(i topology.Interface) bool { return i.Name == dev })
}

// matters reports whether a parameter's value is to be held: because lvsctl has set it, or
// because it is not the kernel's default, and matters to IPVS on such a node.
func (n *found) matters(key, value string) bool {
	if _, ours := n.Record.Set.Sysctls[key]; ours {
		return true
	}
	if usual, known := state.DefaultSysctl(key); !known || strings.Join(strings.Fields(usual), " ") == strings.Join(strings.Fields(value), " ") || state.Automatic(key) {
		return false
	}
	switch {
	case strings.HasPrefix(key, "net/ipv4/vs/"):
		return n.Node.Role == topology.Director
	case key == "net/ipv4/ip_forward", key == state.IPv6Forwarding:
		return n.Node.Role != topology.RealServer
	}
	// A device starts with the value of conf/default.
	rest := strings.TrimPrefix(key, "net/ipv4/conf/")
	dev, name, _ := strings.Cut(rest, "/")
	if dev == "all" || dev == "default" {
		return true
	}
	here := dev == "lo" || slices.ContainsFunc(n.Interfaces, func(i topology.Interface) bool { return i.Name == dev })
	return here && value != n.State.Sysctls["net/ipv4/conf/default/"+name]
}

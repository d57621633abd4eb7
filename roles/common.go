package roles

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// common holds what a node asks for by its own attributes, whatever its role.
func common(n *node) {
	if n.IPForward != nil {
		value := "0"
		if *n.IPForward {
			value = "1"
		}
		n.sysctl("net/ipv4/ip_forward", value, n.Range)
	}
	for _, i := range n.Interfaces {
		if i.RPFilter != nil {
			key := "net/ipv4/conf/" + i.Name + "/rp_filter"
			delete(n.state.Sysctls, key) // the topology knows better than the role
			n.sysctl(key, strconv.Itoa(*i.RPFilter), i.Range)
		}
	}
	for _, s := range n.Sysctls {
		n.sysctl(s.Key, s.Value, s.Range)
	}
	if n.Gateway.V4.IsValid() {
		n.defaultRoute(n.Gateway.V4, n.Gateway.Range)
	}
	if n.Gateway.V6.IsValid() {
		n.defaultRoute(n.Gateway.V6, n.Gateway.Range)
	}
	for _, r := range n.Routes {
		n.route(r.To, r.Metric, state.Route{Via: r.Via, Dev: r.Dev}, r.Range)
	}
	if n.Hosts {
		k := state.BlockKey{Path: state.HostsFile, Topology: n.cluster.Name}
		n.state.Blocks[k] = state.Block{Text: n.hosts()}
		n.at(state.KindFile, k, n.Range)
	}
}

// hosts is every node by name: at its address on a subnet that both are on, else
// the one it serves or directs with, else its first; one a family.
func (n *node) hosts() string {
	var b strings.Builder
	for _, other := range n.cluster.Nodes {
		for _, ipv6 := range []bool{false, true} {
			addr, ok := n.Neighbour(other, ipv6)
			for _, own := range []netip.Addr{other.DIP, other.RIP} {
				if !ok && own.IsValid() && own.Is6() == ipv6 {
					addr, ok = own, true
				}
			}
			if !ok {
				addr, ok = other.First(ipv6)
			}
			if ok {
				fmt.Fprintf(&b, "%s\t%s\n", addr, other.Name)
			}
		}
	}
	return b.String()
}

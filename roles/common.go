package roles

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

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
	n.keepsQuiet()
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
		n.defaultRoute(n.Gateway.V4, n.Gateway.Dev4, n.Gateway.Range)
	}
	if n.Gateway.V6.IsValid() {
		n.defaultRoute(n.Gateway.V6, n.Gateway.Dev6, n.Gateway.Range)
	}
	for _, r := range n.Routes {
		n.route(r.To, r.Metric, n.hop(r.Via, r.Dev), r.Range)
	}
	if n.Hosts {
		k := state.BlockKey{Path: state.HostsFile, Topology: n.cluster.Name}
		n.state.Blocks[k] = state.Block{Text: n.hosts()}
		n.at(state.KindFile, k, n.Range)
	}
}

// keepsQuiet refuses a device for a real server's VIPs that would tell the
// neighbours of them: they would come to the server and pass the director by.
// arp_ignore = 1 does not help, as the VIP is on the device that is asked.
func (n *node) keepsQuiet() {
	if n.VIPInterface == "" || state.Quiet(n.VIPInterface) {
		return
	}
	n.diags = append(n.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "VIP on a device that answers",
		Detail:   fmt.Sprintf("vip_interface is %q, and a device of that name answers when neighbours ask who has the VIP, so clients would reach %s past the director. Use \"lo\", a dummy such as \"dummy0\", or a tunnel such as \"tunl0\"; without vip_interface the right one is taken.", n.VIPInterface, n.Name),
		Subject:  n.VIPInterfaceRange.Ptr(),
	})
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

package roles

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/state"
)

// common wants what the node's own attributes ask for, whatever its role.
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
			delete(n.state.Sysctls, key) // a written parameter overrides the role's
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

// keepsQuiet refuses a vip_interface that answers ARP requests for a real server's VIPs:
// clients would send to the server and not to the director. arp_ignore = 1 does not
// prevent it, because the VIP is on the very device that the request comes in by.
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

// hosts is the text for /etc/hosts: the name and address of every node, one line for
// each family. The address is one on a subnet of this node, else the RIP or DIP, else
// the first.
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

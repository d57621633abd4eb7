package roles

import (
	"strconv"

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
}

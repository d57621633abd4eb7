package adopt

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// Which gateway and routes a node has, and by which way its replies go. The roles want some
// of that anyway; only what differs from it is written.

// gateway writes down the default route of a family, where the node's role does not want
// the same.
func (f *finder) gateway(n *found, w roles.Want, ipv6 bool) {
	have, ok := n.defaultRoute(ipv6)
	if !ok {
		return
	}
	want, wanted := w.State.Routes[have.key]
	answers := f.answers[answering{n.Node, ipv6}]
	if wanted && want.Via == have.Via && (answers == nil || !answers.several) {
		return
	}
	if answers != nil && n.WayBack == topology.WayBackRoute && !answers.via[have.Via] {
		f.wayBack(n, ipv6)
		return
	}
	f.setGateway(n, have)
}

// setGateway writes down a default route, unless it leads by a device that is left out.
func (f *finder) setGateway(n *found, r defaultRoute) {
	ipv6 := r.Via.Is6()
	if _, has := n.First(ipv6); !has {
		return // nothing uses this family there
	}
	dev := ""
	if _, _, near := n.On(r.Via); !near {
		dev = r.Dev
		if !r.Via.IsLinkLocalUnicast() && !n.alone(dev, ipv6) || !n.hasDevice(dev) {
			f.Remark(Remark{Lost, Of(n.Node), n.Node.Name, fmt.Sprintf("Its default route leads to %s on %s, which is on no subnet of it; it is left as it is.", r.Via, dev)})
			return
		}
	}
	g := &n.Gateway
	if ipv6 {
		g.V6, g.Dev6 = r.Via, dev
		return
	}
	g.V4, g.Dev4 = r.Via, dev
}

// alone reports whether a device has an address of a family that is a subnet by itself.
func (n *found) alone(dev string, ipv6 bool) bool {
	return slices.ContainsFunc(n.base, func(k state.AddressKey) bool {
		return k.Dev == dev && k.Prefix.IsSingleIP() && k.Prefix.Addr().Is6() == ipv6
	})
}

// hasDevice reports whether a device is one of the node's interfaces.
func (n *found) hasDevice(dev string) bool {
	return slices.ContainsFunc(n.Interfaces, func(i topology.Interface) bool { return i.Name == dev })
}

type defaultRoute struct {
	state.Route
	key state.RouteKey
}

// defaultRoute is the one that a person has set, and not a protocol. Of several it is the
// one that the kernel uses.
func (n *found) defaultRoute(ipv6 bool) (defaultRoute, bool) {
	var best defaultRoute
	found := false
	for k, r := range n.State.Routes {
		if !k.IsDefault() || k.Table != "" || !k.ForAll() || k.Dst.Addr().Is6() != ipv6 {
			continue
		}
		if !found || k.Metric < best.key.Metric {
			best, found = defaultRoute{r, k}, true
		}
	}
	usable := found && best.Via.IsValid() && best.Type == "" && !best.learnt() && best.Behind == ""
	_, ours := n.Record.Set.Routes[best.key]
	return best, usable && (ours || !strings.Contains(" "+best.Rest+" ", " proto dhcp "))
}

// learnt reports whether a protocol has set a route.
func (r defaultRoute) learnt() bool { return r.Learnt || byProtocol(r.Rest) }

func byProtocol(rest string) bool {
	for _, p := range []string{"ra", "bird", "zebra", "bgp", "ospf", "rip", "isis", "eigrp", "babel", "kernel", "redirect"} {
		if strings.Contains(" "+rest+" ", " proto "+p+" ") {
			return true
		}
	}
	return false
}

// answering is a node and a family.
type answering struct {
	node *topology.Node
	ipv6 bool
}

// An answer is how a nat real server answers: by one of some addresses. several is set if
// it serves for several directors, so that its gateway says which of them is meant.
type answer struct {
	via     map[netip.Addr]bool
	several bool
}

// findAnswers finds how the nat real servers answer.
func (f *finder) findAnswers() {
	f.answers = map[answering]*answer{}
	for _, v := range f.Topology.Services {
		var via []netip.Addr
		for _, d := range v.Directors {
			via = slices.AppendSeq(via, addresses(d))
		}
		if v.VRRPInstance != nil {
			for _, a := range v.VRRPInstance.Addresses {
				via = append(via, a.Prefix.Addr())
			}
		}
		for _, s := range v.RealServers {
			if s.Mode != topology.NAT || slices.Contains(v.Directors, s.Node) {
				continue
			}
			k := answering{s.Node, v.IPv6()}
			if f.answers[k] == nil {
				f.answers[k] = &answer{via: map[netip.Addr]bool{}}
			}
			f.answers[k].several = f.answers[k].several || len(v.Directors) > 1 && v.VRRPInstance == nil
			for _, addr := range via {
				f.answers[k].via[addr] = true
			}
		}
	}
}

// wayBack is for a nat real server whose default route does not lead to the director. A
// rule leads its answers there: one of its own, or one that lvsctl adds.
func (f *finder) wayBack(n *found, ipv6 bool) {
	for k := range n.State.Policies {
		if k.V6 == ipv6 && strings.HasPrefix(k.Selector, "from ") && covers(strings.TrimPrefix(k.Selector, "from "), n.RIP) {
			return // a plan sees that answers take their way by it
		}
	}
	n.WayBack = topology.WayBackRule
	f.Remark(Remark{Guess, Of(n.Node), n.Node.Name, "Its default route does not lead to the director, so its answers are led there by a rule (ip rule). If the director rewrites the clients' addresses, say mode \"fullnat\" and leave way_back out."})
}

// ruled reports whether lvsctl's rule leads the node's answers back, so that its default
// route may lead anywhere.
func (n *found) ruled() bool {
	for k, p := range n.State.Policies {
		if k.Priority == state.ReplyPriority && strings.HasPrefix(k.Selector, "from ") && p.Action == "lookup "+strconv.Itoa(state.ReplyTable) {
			return true
		}
	}
	return false
}

// routes writes down the other routes that a person has set.
func (f *finder) routes(n *found, w roles.Want) {
	var keys []state.RouteKey
	for k, r := range n.State.Routes {
		_, ours := n.Record.Set.Routes[k]
		_, wanted := w.State.Routes[k]
		connected := !r.Via.IsValid() && !ours
		if k.IsDefault() || k.Table != "" || !k.ForAll() || wanted || connected || r.Type != "" || r.Learnt || byProtocol(r.Rest) {
			continue
		}
		if strings.Contains(" "+r.Rest+" ", " proto dhcp ") && !ours {
			continue
		}
		if _, _, near := n.On(r.Via); r.Via.IsValid() && !near && !(n.alone(r.Dev, k.Dst.Addr().Is6()) && n.hasDevice(r.Dev)) || !r.Via.IsValid() && !n.hasDevice(r.Dev) {
			if _, uses := n.First(k.Dst.Addr().Is6()); uses && n.hasDevice(r.Dev) {
				f.Remark(Remark{Lost, Of(n.Node), n.Node.Name, fmt.Sprintf("Its route to %s leads to %s, which is on no subnet of it; it is left as it is.", k.Dst, r.Via)})
			}
			continue
		}
		if r.Behind != "" || strings.Contains(r.Rest, "nexthop") {
			f.Remark(Remark{Lost, Of(n.Node), n.Node.Name, fmt.Sprintf("Its route to %s has several next hops, which a topology cannot say.", k.Dst)})
			continue
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b state.RouteKey) int {
		return cmp.Or(a.Dst.Addr().Compare(b.Dst.Addr()), cmp.Compare(a.Dst.Bits(), b.Dst.Bits()), cmp.Compare(a.Metric, b.Metric))
	})
	for _, k := range keys {
		r := n.State.Routes[k]
		out := topology.Route{To: k.Dst, Via: r.Via}
		if k.ExplicitMetric() {
			out.Metric = int(k.Metric)
		}
		if dev, _, near := n.On(r.Via); !r.Via.IsValid() || !near || dev != r.Dev {
			out.Dev = r.Dev
		}
		n.Node.Routes = append(n.Node.Routes, out)
	}
}

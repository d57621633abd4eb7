package topology

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/plural"
)

// resolveGateways reads gateways and routes. They may name any node, so all nodes are
// read before.
func (l *loader) resolveGateways() {
	for _, name := range lang.SortedKeys(l.nodes) {
		n := l.nodes[name]
		before := n.Errors
		n.SSH = n.readSSH(n.raw.SSH, l.ssh)
		l.readGateway(n)
		l.readRoutes(n)
		n.broken = n.broken || n.Errors > before
	}
}

func (l *loader) readGateway(n *node) {
	words, _ := n.Texts(n.raw.Gateway)
	for _, w := range words {
		n.Gateway.Range = n.raw.Gateway.Expr.Range()
		for _, h := range l.via(n, "gateway", w, "") {
			slot, dev := &n.Gateway.V4, &n.Gateway.Dev4
			if h.addr.Is6() {
				slot, dev = &n.Gateway.V6, &n.Gateway.Dev6
			}
			if slot.IsValid() {
				n.Refuse(w.At, "Two default routes", "%s has the gateway %s already. There is one default route a family.", n.Name, *slot)
				continue
			}
			*slot, *dev = h.addr, h.dev
		}
	}
}

// A hop is the next hop of a route. dev is "" if a subnet of the node decides the
// device.
type hop struct {
	addr netip.Addr
	dev  string
}

// via resolves an address or a node's name to next hops of node n, at most one of each
// family. dev is the device that the route names, or "". An address can also name a
// device, as in "fe80::1%eth0".
func (l *loader) via(n *node, what string, w lang.Element, dev string) []hop {
	text, zone, zoned := strings.Cut(w.Key, "%")
	if zoned && !(n.device("The device of "+what, zone, w.At) && n.hasDeviceAt(zone, w.At)) {
		return nil
	}
	if zoned {
		dev = zone
	}
	addr, err := parseAddr(text)
	if err == nil {
		err = host(addr)
	}
	switch {
	case err == nil:
		if h, ok := n.reach(addr, dev, w); ok {
			return []hop{h}
		}
		return nil
	case zoned || l.nodes[w.Key] == nil && (strings.Trim(w.Key, lang.Digits+"./") == "" || strings.Contains(w.Key, ":")):
		n.refuseAddr(what, w.Key, w.At, err)
		return nil
	}
	gw, ok := l.one(what, w)
	if !ok || gw.broken || n.broken {
		return nil
	}
	if gw == n {
		n.Refuse(w.At, "Gateway to itself", "%s cannot be its own gateway.", n.Name)
		return nil
	}
	shared := sharedSubnets(n, gw)
	if len(shared) == 0 {
		n.Refuse(w.At, "Gateway out of reach", "%s and %s have no subnet in common. Write the address, or the interface that is missing.", n.Name, gw.Name)
	}
	return shared
}

// reach returns how n sends to an address, and refuses an address that it cannot reach.
// The device must be known for an address that is on none of n's subnets. Two kinds of
// gateway are not: a router's link-local address, and the gateway of a host whose own
// address is a /32 or /128.
func (n *node) reach(addr netip.Addr, dev string, w lang.Element) (hop, bool) {
	if n.broken {
		return hop{addr: addr}, true
	}
	if n.Owns(addr) {
		n.Refuse(w.At, "Gateway to itself", "%s is an address of %s itself.", addr, n.Name)
		return hop{}, false
	}
	on, _, near := n.On(addr)
	switch {
	case near && (dev == "" || dev == on):
		return hop{addr: addr}, true
	case near && !addr.IsLinkLocalUnicast():
		n.Refuse(w.At, "Gateway on another device", "%s is on a subnet of %s, not of %s.", addr, on, dev)
		return hop{}, false
	}
	candidates := n.devicesToward(addr)
	switch {
	case dev != "" && (addr.IsLinkLocalUnicast() || slices.Contains(candidates, dev)):
		return hop{addr, dev}, true
	case dev == "" && len(candidates) == 1:
		return hop{addr, candidates[0]}, true
	case dev == "" && len(candidates) > 1:
		n.Refuse(w.At, "Which device?", "%s has %s that can lead to %s. Say which: \"%s%%%s\".", n.Name, plural.Of(len(candidates), "device"), addr, addr, candidates[0])
	default:
		n.Refuse(w.At, "Gateway out of reach", "%s is on no subnet of %s. A gateway is on a subnet of one of the node's interfaces; if it is, write that interface down. Only a device with a /32 or /128 of its own can have a gateway on none.", addr, n.Name)
	}
	return hop{}, false
}

// devicesToward lists the devices that may lead to an address on no subnet of n. To a
// link-local address that is every device, to any other one those that have a /32 or
// /128.
func (n *node) devicesToward(addr netip.Addr) []string {
	var devices []string
	for _, i := range n.Interfaces {
		alone := func(p netip.Prefix) bool { return p.IsSingleIP() && p.Addr().Is6() == addr.Is6() }
		if addr.IsLinkLocalUnicast() && addr.Is6() || slices.ContainsFunc(i.Addresses, alone) {
			devices = append(devices, i.Name)
		}
	}
	return devices
}

// sharedSubnets returns, for each family, the first address of other that is on a subnet
// of n.
func sharedSubnets(n, other *node) []hop {
	var found []hop
	for _, i := range other.Interfaces {
		for _, p := range i.Addresses {
			same := func(h hop) bool { return h.addr.Is6() == p.Addr().Is6() }
			if _, _, ok := n.On(p.Addr()); ok && !slices.ContainsFunc(found, same) {
				found = append(found, hop{addr: p.Addr()})
			}
		}
	}
	return found
}

// readRoutes reads the route blocks.
func (l *loader) readRoutes(n *node) {
	type key struct {
		to     netip.Prefix
		metric int
	}
	first := map[key]hcl.Range{}
	for _, raw := range n.raw.Routes {
		if !n.Require(raw.To, "to", raw.Range, "A route needs the subnet, or the address, that it leads to.") {
			continue
		}
		to, ok := n.destination(raw.To)
		if !ok {
			continue
		}
		r := Route{To: to, Metric: n.IntegerOr(raw.Metric, 0, 1<<31-1, 0), Range: raw.Range}
		if !n.IsSet(raw.Via) && !n.IsSet(raw.Dev) {
			n.Refuse(raw.Range, "Route to nowhere", "A route needs via, dev or both.")
			continue
		}
		if dev, ok := n.deviceAttr(raw.Dev); ok && n.hasDevice(dev, raw.Dev) {
			r.Dev = dev
		}
		if !l.routeVia(n, raw.Via, &r) {
			continue
		}
		if at, twice := first[key{r.To, r.Metric}]; twice {
			n.Refuse(raw.Range, "Route twice", "%s has a route to %s with this metric at %s.", n.Name, r.To, at)
			continue
		}
		first[key{r.To, r.Metric}] = raw.Range
		n.Routes = append(n.Routes, r)
	}
}

// routeVia reads the next hop of a route, and the device if the next hop names one.
func (l *loader) routeVia(n *node, a *hcl.Attribute, r *Route) bool {
	text, ok := n.Text(a)
	if !ok {
		return !n.IsSet(a)
	}
	hops := l.via(n, "via", lang.Element{Key: text, At: a.Expr.Range()}, r.Dev)
	for _, h := range hops {
		if h.addr.Is6() == r.To.Addr().Is6() {
			r.Via = h.addr
			if h.dev != "" {
				r.Dev = h.dev
			}
			return true
		}
	}
	if len(hops) > 0 {
		n.Refuse(a.Expr.Range(), "Two address families", "The route goes to %s, and via is %s.", r.To, hops[0].addr)
	}
	return false
}

// destination reads the destination of a route: a subnet, or the address of a host.
func (n *node) destination(a *hcl.Attribute) (netip.Prefix, bool) {
	text, ok := n.Text(a)
	if !ok {
		return netip.Prefix{}, false
	}
	at := a.Expr.Range()
	if addr, err := parseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := parsePrefix(text)
	switch {
	case text == "default" || (err == nil && p.Bits() == 0):
		n.Refuse(at, "Default route", "The default route is the node's gateway attribute.")
	case err != nil:
		n.refuseAddr("to", text, at, err)
	case p.Masked() != p:
		n.Refuse(at, "Not a subnet", "%s has bits after its prefix. Write %s for the subnet, or %s for the one host.", p, p.Masked(), p.Addr())
	default:
		return p, true
	}
	return netip.Prefix{}, false
}

// hasDevice refuses a device that the node does not have.
func (n *node) hasDevice(dev string, a *hcl.Attribute) bool {
	return n.hasDeviceAt(dev, a.Expr.Range())
}

// hasDeviceAt is hasDevice for a device that is only a part of an attribute's value.
func (n *node) hasDeviceAt(dev string, at hcl.Range) bool {
	var devices []string
	for _, raw := range n.raw.Interfaces {
		devices = append(devices, raw.Name)
	}
	if slices.Contains(devices, dev) || slices.Contains(kernelDevices, dev) {
		return true
	}
	n.Refuse(at, "Unknown device", "%s has no interface %s.%s Write interface %s { } in it if there is one.", n.Name, lang.Quote(dev), lang.DidYouMean(dev, devices), lang.Quote(dev))
	return false
}

// kernelDevices need no interface block: the kernel has them, or lvsctl makes them.
var kernelDevices = []string{"lo", "tunl0", "ip6tnl0", "gre0", "ip6gre0"}

package topology

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// resolveGateways reads gateways and routes, which may name any node, once all
// nodes are known.
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
		for _, addr := range l.via(n, "gateway", w) {
			slot := &n.Gateway.V4
			if addr.Is6() {
				slot = &n.Gateway.V6
			}
			if slot.IsValid() {
				n.Refuse(w.At, "Two default routes", "%s has the gateway %s already. There is one default route a family.", n.Name, *slot)
				continue
			}
			*slot = addr
		}
	}
}

// via resolves an address or a node's name to what node n can send to: one
// address a family at most.
func (l *loader) via(n *node, what string, w lang.Element) []netip.Addr {
	addr, err := parseAddr(w.Key)
	if err == nil {
		err = host(addr)
	}
	switch {
	case err == nil && n.reaches(addr, w):
		return []netip.Addr{addr}
	case err == nil:
		return nil
	case l.nodes[w.Key] == nil && (strings.Trim(w.Key, lang.Digits+"./") == "" || strings.Contains(w.Key, ":")):
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

// reaches refuses an address that n cannot send to.
func (n *node) reaches(addr netip.Addr, w lang.Element) bool {
	if n.broken {
		return true
	}
	if n.Owns(addr) {
		n.Refuse(w.At, "Gateway to itself", "%s is an address of %s itself.", addr, n.Name)
		return false
	}
	if _, _, ok := n.On(addr); !ok {
		n.Refuse(w.At, "Gateway out of reach", "%s is on no subnet of %s. A gateway is on a subnet of one of the node's interfaces; if it is, write that interface down.", addr, n.Name)
		return false
	}
	return true
}

// sharedSubnets returns the first address a family of other that is on a subnet
// of n.
func sharedSubnets(n, other *node) []netip.Addr {
	var found []netip.Addr
	for _, i := range other.Interfaces {
		for _, p := range i.Addresses {
			same := func(a netip.Addr) bool { return a.Is6() == p.Addr().Is6() }
			if _, _, ok := n.On(p.Addr()); ok && !slices.ContainsFunc(found, same) {
				found = append(found, p.Addr())
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
		r.Via, ok = l.routeVia(n, raw.Via, to)
		if !ok {
			continue
		}
		if dev, ok := n.deviceAttr(raw.Dev); ok && n.hasDevice(dev, raw.Dev) {
			r.Dev = dev
		}
		if at, twice := first[key{r.To, r.Metric}]; twice {
			n.Refuse(raw.Range, "Route twice", "%s has a route to %s with this metric at %s.", n.Name, r.To, at)
			continue
		}
		first[key{r.To, r.Metric}] = raw.Range
		n.Routes = append(n.Routes, r)
	}
}

func (l *loader) routeVia(n *node, a *hcl.Attribute, to netip.Prefix) (netip.Addr, bool) {
	text, ok := n.Text(a)
	if !ok {
		return netip.Addr{}, !n.IsSet(a)
	}
	gateways := l.via(n, "via", lang.Element{Key: text, At: a.Expr.Range()})
	for _, addr := range gateways {
		if addr.Is6() == to.Addr().Is6() {
			return addr, true
		}
	}
	if len(gateways) > 0 {
		n.Refuse(a.Expr.Range(), "Two address families", "The route goes to %s, and via is %s.", to, gateways[0])
	}
	return netip.Addr{}, false
}

// destination reads where a route leads: a subnet, or one host's address.
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

// hasDeviceAt is hasDevice for a device that is a part of a value.
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

// kernelDevices are there, or are made, without an interface block.
var kernelDevices = []string{"lo", "tunl0", "ip6tnl0"}

package topology

import (
	"iter"
	"net/netip"
	"slices"
)

// Node returns the node called name, or nil.
func (t *Topology) Node(name string) *Node {
	for _, n := range t.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// Addresses are the node's own addresses, each with the name of its interface, in the order
// of the topology.
func (n *Node) Addresses() iter.Seq2[string, netip.Prefix] {
	return func(yield func(string, netip.Prefix) bool) {
		for _, i := range n.Interfaces {
			for _, p := range i.Addresses {
				if !yield(i.Name, p) {
					return
				}
			}
		}
	}
}

// AddressesOn are the node's own addresses on an interface.
func (n *Node) AddressesOn(dev string) []netip.Prefix {
	for _, i := range n.Interfaces {
		if i.Name == dev {
			return i.Addresses
		}
	}
	return nil
}

// ServerAddresses are all addresses by which directors may know a real server: its own and
// its RIP, which may be another one. They are sorted.
func (n *Node) ServerAddresses() []netip.Addr {
	var list []netip.Addr
	for _, p := range n.Addresses() {
		list = append(list, p.Addr())
	}
	if n.RIP.IsValid() {
		list = append(list, n.RIP)
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// On returns the first interface with a subnet that addr is in, and the node's own
// address there. ok is false if there is none.
func (n *Node) On(addr netip.Addr) (dev string, own netip.Prefix, ok bool) {
	for dev, p := range n.Addresses() {
		if p.Contains(addr) {
			return dev, p, true
		}
	}
	return "", netip.Prefix{}, false
}

// Owns reports whether addr is one of the node's base addresses.
func (n *Node) Owns(addr netip.Addr) bool {
	for _, p := range n.Addresses() {
		if p.Addr() == addr {
			return true
		}
	}
	return false
}

// First returns the node's first address of a family, or false if it has none.
func (n *Node) First(ipv6 bool) (netip.Addr, bool) {
	for _, p := range n.Addresses() {
		if p.Addr().Is6() == ipv6 {
			return p.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// Neighbour returns the first address of other, in a family, that is in one of n's
// subnets, or false if there is none.
func (n *Node) Neighbour(other *Node, ipv6 bool) (netip.Addr, bool) {
	for _, p := range other.Addresses() {
		if _, _, ok := n.On(p.Addr()); ok && p.Addr().Is6() == ipv6 {
			return p.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// Towards returns the address of a director that the real server at rip can reach. It is
// the DIP if that is of rip's family, or else the director's address in rip's subnet.
func (n *Node) Towards(rip netip.Addr) (netip.Addr, bool) {
	if n.DIP.Is6() == rip.Is6() {
		return n.DIP, n.DIP.IsValid()
	}
	_, own, ok := n.On(rip)
	return own.Addr(), ok
}

// Of returns the gateway of a family, or the zero Addr if there is none.
func (g Gateways) Of(ipv6 bool) netip.Addr {
	if ipv6 {
		return g.V6
	}
	return g.V4
}

// Device is the device for the service's VIP on a director: the one written, else the
// one in whose subnet the VIP is, else the DIP's.
func (v *VirtualServer) Device(director *Node) string {
	if v.Interface != "" {
		return v.Interface
	}
	if dev, _, ok := director.On(v.VIP.Addr()); ok {
		return dev
	}
	dev, _, _ := director.On(director.DIP)
	return dev
}

// Device is the device for the address on a director: the one written, else the one in
// whose subnet the address is.
func (a FloatingAddress) Device(director *Node) string {
	if a.Dev != "" {
		return a.Dev
	}
	dev, _, _ := director.On(a.Prefix.Addr())
	return dev
}

// VIPDevice is the device on which a real server of dr or tun has the VIP: the one that the
// node names, else lo for dr and the tunnel's for tun. "" for other modes.
func (s Server) VIPDevice() string {
	switch {
	case s.Mode != DR && s.Mode != TUN:
		return ""
	case s.Node.VIPInterface != "":
		return s.Node.VIPInterface
	case s.Mode == DR:
		return "lo"
	}
	return s.TunnelDevice()
}

// Inner is the address in the instance's addresses that is in a real server's subnet. It
// moves with the VIP, so it can be that server's gateway.
func (v *VRRPInstance) Inner(server netip.Addr) (FloatingAddress, bool) {
	for _, a := range v.Addresses {
		if a.Prefix.Contains(server) {
			return a, true
		}
	}
	return FloatingAddress{}, false
}

// Source is a director's own address on the instance's device. With unicast it sends its
// adverts from there.
func (v *VRRPInstance) Source(director *Node, ipv6 bool) (netip.Addr, bool) {
	for _, i := range director.Interfaces {
		for _, p := range i.Addresses {
			if i.Name == v.Interface && p.Addr().Is6() == ipv6 {
				return p.Addr(), true
			}
		}
	}
	return netip.Addr{}, false
}

package adopt

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// Which of a node's addresses is its RIP or DIP, and which real servers there are that were
// not read.

// chooseAddresses finds the RIPs and DIPs among the nodes' own addresses.
func (f *finder) chooseAddresses() {
	for _, n := range f.nodes {
		n.used = map[netip.Addr]int{}
	}
	for _, t := range f.table {
		for _, s := range t.servers {
			if n := f.owner[s.addr.Addr()]; n != nil && n != t.on {
				n.used[s.addr.Addr()]++
			}
			t.on.dipFor(s)
		}
	}
	for _, n := range f.inTopology() {
		switch n.Node.Role {
		case topology.RealServer:
			n.RIP = n.mostUsed()
		case topology.Director:
			n.DIP = n.mostUsed()
			for _, t := range f.table {
				for _, s := range t.servers {
					if t.on == n && f.owner[s.addr.Addr()] == n {
						n.DIP = s.addr.Addr() // it serves itself there
					}
				}
			}
			f.dipIsNoVIP(n)
		}
	}
}

// dipFor counts the address with which a director speaks to a server.
func (n *found) dipFor(s tableServer) {
	for _, k := range n.base {
		if k.Prefix.Contains(s.addr.Addr()) && k.Prefix.Addr() != s.addr.Addr() {
			n.used[k.Prefix.Addr()]++
			return
		}
	}
}

// mostUsed is the node's own address that most services use, or the first.
func (n *found) mostUsed() netip.Addr {
	var best netip.Addr
	for _, k := range n.base {
		if addr := k.Prefix.Addr(); !best.IsValid() || n.used[addr] > n.used[best] {
			best = addr
		}
	}
	return best
}

// dipIsNoVIP takes another DIP where the DIP is a VIP too, which a topology cannot say.
func (f *finder) dipIsNoVIP(n *found) {
	if !f.floating[n.DIP] {
		return
	}
	for _, k := range n.base {
		if a := k.Prefix.Addr(); !f.floating[a] && a.Is6() == n.DIP.Is6() {
			n.DIP = a
			return
		}
	}
}

// findUnseen makes real servers of the addresses that directors send to and that no node
// has that was read. What a record says of one is taken from there.
func (f *finder) findUnseen() {
	device := f.usualDevice()
	for _, t := range f.table {
		for _, s := range t.servers {
			addr := s.addr.Addr()
			if n := f.owner[addr]; n != nil && n.Node != nil || f.unseen[addr] != nil {
				continue
			}
			n := f.recorded(addr)
			if n == nil {
				n = Unseen(addr, device, t.on.prefixOf(addr))
				f.Remark(Remark{Guess, Of(n), t.on.Seen.Name, fmt.Sprintf("%s was not read; its name, device and prefix length are guessed. Add it to the import: lvsctl import ... %s.", addr, addr)})
			} else {
				f.Remark(Remark{Note, Of(n), t.on.Seen.Name, fmt.Sprintf("%s was not read; the record of topology %s knows it. Add it to the import: lvsctl import ... %s.", n.Name, f.Topology.Name, n.Address)})
			}
			for a := range addresses(n) {
				f.unseen[a] = n
			}
			f.Topology.Nodes = append(f.Topology.Nodes, n)
		}
	}
}

// Unseen is a real server of which only the address is known, and the subnet that it is in
// for a director.
func Unseen(addr netip.Addr, device string, bits int) *topology.Node {
	n := Node("rs-"+AddressName(addr), topology.RealServer)
	n.Address, n.RIP = addr.String(), addr
	n.Interfaces = []topology.Interface{{Name: device, Addresses: []netip.Prefix{netip.PrefixFrom(addr, bits)}}}
	return n
}

// prefixOf is the length of the director's subnet that an address is in, else that of an
// ordinary one.
func (n *found) prefixOf(addr netip.Addr) int {
	for _, k := range n.base {
		if k.Prefix.Contains(addr) {
			return k.Prefix.Bits()
		}
	}
	return UsualBits(addr)
}

// UsualBits is the length of an ordinary subnet's prefix.
func UsualBits(addr netip.Addr) int {
	if addr.Is6() {
		return 64
	}
	return 24
}

// usualDevice is the device that most real servers have their RIP on.
func (f *finder) usualDevice() string {
	best, count := "eth0", map[string]int{}
	for _, n := range f.inTopology() {
		for _, k := range n.base {
			if k.Prefix.Addr() == n.RIP {
				count[k.Dev]++
			}
		}
	}
	for dev, c := range count {
		if c > count[best] || c == count[best] && naturally(dev, best) < 0 {
			best = dev
		}
	}
	return best
}

// recorded is the node of a record that has an address.
func (f *finder) recorded(addr netip.Addr) *topology.Node {
	for _, seen := range f.nodes {
		for _, m := range seen.Record.Members.Others {
			if topology.Role(m.Role) != topology.RealServer || !slices.ContainsFunc(m.Addresses, func(k state.AddressKey) bool { return k.Prefix.Addr() == addr }) || f.named[m.Name] != nil {
				continue
			}
			n := Node(m.Name, topology.RealServer)
			n.Address, n.RIP = m.Host, addr
			n.SSH = topology.SSH{User: m.User, Port: m.Port, ProxyJump: m.Jump, Sudo: m.Sudo, HostKey: m.HostKey}
			for _, k := range m.Addresses {
				at := slices.IndexFunc(n.Interfaces, func(i topology.Interface) bool { return i.Name == k.Dev })
				if at < 0 {
					at = len(n.Interfaces)
					n.Interfaces = append(n.Interfaces, topology.Interface{Name: k.Dev})
				}
				n.Interfaces[at].Addresses = append(n.Interfaces[at].Addresses, k.Prefix)
			}
			return n
		}
	}
	return nil
}

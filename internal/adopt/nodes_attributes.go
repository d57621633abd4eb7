package adopt

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// What a node's own block says: address, interfaces, timeouts, sync, hosts.

// describe fills in what a node's own attributes say, but for what its role decides.
func (f *finder) describe() {
	for _, n := range f.inTopology() {
		n.interfaces(f)
		if n.Seen.Address != "" {
			n.Node.Address = n.Seen.Address
		} else if first, ok := firstAddress(n.Node); ok {
			n.Node.Address = first.String()
		}
		for k := range n.Record.Set.Blocks {
			n.Hosts = n.Hosts || k.Path == state.HostsFile
		}
		if n.Node.Role != topology.Director {
			continue
		}
		n.Exclusive = n.Record.Exclusive
		n.timeouts()
		f.sync(n)
		for _, o := range n.Owners {
			f.Remark(Remark{Note, Of(n.Node), n.Node.Name, fmt.Sprintf("%s runs there and may change the same virtual services.", o)})
		}
	}
}

// inTopology are the nodes that are in the topology: those that have a role.
func (f *finder) inTopology() []*found {
	return slices.DeleteFunc(slices.Clone(f.nodes), func(n *found) bool { return n.Node == nil })
}

// interfaces writes down the devices: first those with the addresses that services use,
// in the order of their names otherwise. Addresses of IPv6 are left out where nothing
// uses them: many come and go.
func (n *found) interfaces(f *finder) {
	only4 := !slices.ContainsFunc(n.base, func(k state.AddressKey) bool { return n.used[k.Prefix.Addr()] > 0 && k.Prefix.Addr().Is6() }) &&
		!f.ipv6() && slices.ContainsFunc(n.base, func(k state.AddressKey) bool { return k.Prefix.Addr().Is4() })
	first := slices.Clone(n.base)
	slices.SortStableFunc(first, func(a, b state.AddressKey) int {
		return cmp.Or(naturally(a.Dev, b.Dev), cmp.Compare(n.used[b.Prefix.Addr()], n.used[a.Prefix.Addr()]))
	})
	for _, k := range first {
		if only4 && k.Prefix.Addr().Is6() {
			continue
		}
		at := slices.IndexFunc(n.Interfaces, func(i topology.Interface) bool { return i.Name == k.Dev })
		if at < 0 {
			at = len(n.Interfaces)
			n.Interfaces = append(n.Interfaces, topology.Interface{Name: k.Dev})
		}
		n.Interfaces[at].Addresses = append(n.Interfaces[at].Addresses, k.Prefix)
	}
}

// ipv6 reports whether any service balances IPv6.
func (f *finder) ipv6() bool {
	return slices.ContainsFunc(f.table, func(t *tableService) bool { return t.ipv6 })
}

// addressesOf are the addresses of a node's only device, sorted later.
func addressesOf(n *topology.Node) []netip.Prefix {
	if len(n.Interfaces) == 0 {
		return nil
	}
	return n.Interfaces[0].Addresses
}

// bits is the length of the prefix that an address has on the nodes' subnets.
func (f *finder) bits(addr netip.Addr) int {
	for _, n := range f.inTopology() {
		for _, k := range n.base {
			if k.Prefix.Contains(addr) {
				return k.Prefix.Bits()
			}
		}
	}
	return UsualBits(addr)
}

// timeouts writes down the timeouts that are not the kernel's.
func (n *found) timeouts() {
	usual := map[string]int{state.TimeoutTCP: 900, state.TimeoutTCPFin: 120, state.TimeoutUDP: 300}
	var t topology.Timeouts
	for k, to := range map[string]*int{state.TimeoutTCP: &t.TCP, state.TimeoutTCPFin: &t.TCPFin, state.TimeoutUDP: &t.UDP} {
		v, set := n.State.Timeouts[k]
		if _, ours := n.Record.Set.Timeouts[k]; set && (v != usual[k] || ours) {
			*to = v
		}
	}
	if t != (topology.Timeouts{}) {
		n.Timeouts = &t
	}
}

// sync writes down the sync daemons.
func (f *finder) sync(n *found) {
	if n.Keepalived != nil && n.Keepalived.Sync != nil {
		return // keepalived's
	}
	var s *topology.Sync
	for _, role := range []string{state.DaemonMaster, state.DaemonBackup} {
		d, runs := n.State.Daemons[role]
		switch {
		case !runs:
		case s == nil:
			s = &topology.Sync{Role: role, Interface: d.Interface, ID: d.ID}
		case s.Interface == d.Interface && s.ID == d.ID || d.Interface == "":
			s.Role = "both"
		default:
			f.Remark(Remark{Lost, Of(n.Node), n.Node.Name, fmt.Sprintf("Its backup sync daemon is on %s with syncid %d, and its master sync daemon on %s with syncid %d; a topology has one of both.", d.Interface, d.ID, s.Interface, s.ID)})
		}
		if d.Rest != "" {
			f.Remark(Remark{Lost, Of(n.Node), n.Node.Name, fmt.Sprintf("The settings %s of its %s sync daemon cannot be said.", d.Rest, role)})
		}
	}
	n.Sync = s
}

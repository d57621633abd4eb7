package adopt

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/topology"
)

// The HCL of nodes.

const auto = netsystem.Auto

// nodes are the blocks of the nodes of a role: one for each, or for each group.
func (w *writer) nodes(role topology.Role) []*block {
	var blocks []*block
	done := map[string]bool{}
	for _, n := range w.Topology.Nodes {
		switch {
		case n.Role != role || done[n.Group]:
			// written already, or of another role
		case w.groups[n.Group] != nil:
			done[n.Group] = true
			blocks = append(blocks, w.group(n.Group))
		default:
			b := w.node(n)
			b.label, b.remarks = n.Name, w.at[Of(n)]
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// node is the block of a node, without its name.
func (w *writer) node(n *topology.Node) *block {
	b := &block{kind: string(n.Role)}
	first, _ := firstAddress(n)
	if n.Address != "" && n.Address != first.String() {
		b.set("address", n.Address)
	}
	if own := ownAddress(n); own.IsValid() && own != first {
		b.set(map[topology.Role]string{topology.Director: "dip", topology.RealServer: "rip"}[n.Role], own.String())
	}
	gateways(b, n.Gateway)
	setIf(b, "vip_interface", n.VIPInterface)
	if n.Role == topology.RealServer {
		differing(b, "way_back", string(n.WayBack), string(topology.WayBackRoute))
	}
	setIf(b, "maintenance", n.Maintenance)
	setIf(b, "exclusive", n.Exclusive)
	if n.IPForward != nil {
		b.set("ip_forward", *n.IPForward)
	}
	setIf(b, "hosts", n.Hosts)
	differing(b, "persist", string(n.Persist), string(auto))
	differing(b, "packages", string(n.Packages), string(topology.PackagesInstall))
	sysctls(b, n.Sysctls)
	b.addUnlessEmpty(sshBlock(n.SSH, w.Topology.SSH))
	for _, i := range n.Interfaces {
		interfaceBlock(b, i)
	}
	for _, r := range n.Routes {
		c := b.add("route", "")
		c.set("to", destination(r.To))
		if r.Via.IsValid() {
			c.set("via", r.Via.String())
		}
		setIf(c, "dev", r.Dev)
		setIf(c, "metric", r.Metric)
	}
	if t := n.Timeouts; t != nil {
		c := b.add("timeouts", "")
		setIf(c, "tcp", t.TCP)
		setIf(c, "tcp_fin", t.TCPFin)
		setIf(c, "udp", t.UDP)
	}
	if s := n.Sync; s != nil {
		c := b.add("sync", "")
		c.set("role", s.Role)
		c.set("interface", s.Interface)
		setIf(c, "id", s.ID)
	}
	return b
}

// ownAddress is the DIP of a director, and the RIP of a real server.
func ownAddress(n *topology.Node) netip.Addr {
	switch n.Role {
	case topology.Director:
		return n.DIP
	case topology.RealServer:
		return n.RIP
	}
	return netip.Addr{}
}

// firstAddress is the first of a node's own addresses.
func firstAddress(n *topology.Node) (netip.Addr, bool) {
	for _, p := range n.Addresses() {
		return p.Addr(), true
	}
	return netip.Addr{}, false
}

func gateways(b *block, g topology.Gateways) {
	var list []value
	add := func(a netip.Addr, dev string) {
		text := a.String()
		if dev != "" {
			text += "%" + dev
		}
		if a.IsValid() {
			list = append(list, text)
		}
	}
	add(g.V4, g.Dev4)
	add(g.V6, g.Dev6)
	switch len(list) {
	case 1:
		b.set("gateway", list[0])
	case 2:
		b.set("gateway", list)
	}
}

func sysctls(b *block, all []topology.Sysctl) {
	if len(all) == 0 {
		return
	}
	var entries []entry
	for _, s := range all {
		var v value = s.Value
		if n, err := strconv.Atoi(s.Value); err == nil && strconv.Itoa(n) == s.Value {
			v = n
		}
		entries = append(entries, entry{sysctlName(s.Key), v})
	}
	b.set("sysctl", entries)
}

// sysctlName is a parameter with dots, or with slashes if a device's name has a dot.
func sysctlName(key string) string {
	if strings.Contains(key, ".") {
		return key
	}
	return strings.ReplaceAll(key, "/", ".")
}

func interfaceBlock(b *block, i topology.Interface) {
	c := b.add("interface", i.Name)
	var list []value
	for _, p := range i.Addresses {
		list = append(list, p.String())
	}
	switch len(list) {
	case 0:
	case 1:
		c.set("address", list[0])
	default:
		c.set("addresses", list)
	}
	if i.RPFilter != nil {
		c.set("rp_filter", *i.RPFilter)
	}
}

// destination is a subnet, or an address alone if it is one host.
func destination(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

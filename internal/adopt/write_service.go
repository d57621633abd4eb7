package adopt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/topology"
)

// The HCL of virtual servers and their real servers.

// defaultScheduler is the one of a virtual_server without scheduler.
const defaultScheduler = "wlc"

// service is the block of a virtual server.
func (w *writer) service(v *topology.VirtualServer) *block {
	b := &block{kind: "virtual_server", label: v.Name, remarks: w.at[OfService(v)]}
	w.directors(b, v)
	if v.VIP.IsValid() {
		b.set("vip", destination(v.VIP))
	}
	if v.FWMark != 0 {
		b.set("fwmark", int(v.FWMark))
	} else {
		b.set("port", int(v.Port))
		differing(b, "protocol", string(v.Protocol), string(topology.TCP))
	}
	b.set("mode", string(v.Mode))
	differing(b, "scheduler", v.Scheduler, defaultScheduler)
	if len(v.SchedulerFlags) > 0 {
		b.set("scheduler_flags", texts(v.SchedulerFlags))
	}
	setIf(b, "one_packet", v.OnePacket)
	setIf(b, "interface", v.Interface)
	setIf(b, "mss", v.MSS)
	if v.Tunnel != (topology.Tunnel{}) {
		tunnelBlock(b, v.Tunnel)
	}
	if v.Drain > 0 {
		b.set("drain", seconds(v.Drain))
	}
	if s := v.SorryServer; s.IsValid() {
		text := s.String()
		if s.Port() == v.Port {
			text = s.Addr().String()
		}
		b.set("sorry_server", text)
	}
	w.servers(b, v)
	for _, m := range v.Marks {
		c := b.add("mark", "")
		differing(c, "protocol", string(m.Protocol), string(topology.TCP))
		c.set("ports", portList(m.Ports))
	}
	if p := v.Persistence; p != nil {
		c := b.add("persistence", "")
		c.set("timeout", p.Timeout)
		if full := map[bool]int{false: 32, true: 128}[v.IPv6()]; p.Netmask != full {
			c.set("netmask", "/"+strconv.Itoa(p.Netmask))
		}
		setIf(c, "engine", p.Engine)
	}
	healthCheck(b, v)
	return b
}

// directors names the directors where there are several to choose from. Those of an
// instance are in its order, by which it is chosen.
func (w *writer) directors(b *block, v *topology.VirtualServer) {
	all := 0
	for _, n := range w.Topology.Nodes {
		if n.Role == topology.Director {
			all++
		}
	}
	switch {
	case all <= 1:
	case len(v.Directors) == 1:
		b.set("director", v.Directors[0].Name)
	case v.VRRPInstance != nil:
		b.set("directors", nodeNames(v.VRRPInstance.Directors))
	default:
		b.set("directors", w.names(v.Directors))
	}
}

func nodeNames(nodes []*topology.Node) []value {
	var list []value
	for _, n := range nodes {
		list = append(list, n.Name)
	}
	return list
}

// servers writes the real servers: as a list if they have no more than a name, as a map if
// they have a weight too, and otherwise as a block each. What holds for all of a group is
// written once.
func (w *writer) servers(b *block, v *topology.VirtualServer) {
	var plain, weighted, long []topology.Server
	for _, s := range v.RealServers {
		switch {
		case s.Port != v.Port || s.Mode != v.Mode || s.Upper != 0 || s.Lower != 0 || s.Tunnel != v.Tunnel:
			long = append(long, s)
		case w.weight(s) != 1:
			weighted = append(weighted, s)
		default:
			plain = append(plain, s)
		}
	}
	if len(weighted) == 0 && len(plain) > 0 {
		var nodes []*topology.Node
		for _, s := range plain {
			nodes = append(nodes, s.Node)
		}
		b.set("real_servers", w.names(nodes))
	} else if len(plain)+len(weighted) > 0 {
		var entries []entry
		for _, a := range w.alike(append(plain, weighted...)) {
			entries = append(entries, entry{a.name, w.weight(a.Server)})
		}
		slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
		b.set("real_servers", entries)
	}
	for _, a := range w.alike(long) {
		c := b.add("real_server", a.name)
		differing(c, "weight", w.weight(a.Server), 1)
		differing(c, "port", int(a.Port), int(v.Port))
		differing(c, "mode", string(a.Mode), string(v.Mode))
		setIf(c, "upper_threshold", a.Upper)
		setIf(c, "lower_threshold", a.Lower)
		if a.Mode == topology.TUN && a.Tunnel != v.Tunnel {
			tunnelBlock(c, a.Tunnel)
		}
	}
}

// weight is what a server's weight is written as. Maintenance makes it 0 by itself.
func (w *writer) weight(s topology.Server) int {
	if s.Node.Maintenance {
		return 1
	}
	return s.Weight
}

// A named server stands for one node, or for all of a group.
type named struct {
	topology.Server
	name string
}

// alike names servers: those of a whole group that are alike have one name.
func (w *writer) alike(servers []topology.Server) []named {
	like := func(s topology.Server) topology.Server {
		return topology.Server{Port: s.Port, Weight: w.weight(s), Upper: s.Upper, Lower: s.Lower, Mode: s.Mode, Tunnel: s.Tunnel}
	}
	nodes := map[topology.Server][]*topology.Node{}
	for _, s := range servers {
		nodes[like(s)] = append(nodes[like(s)], s.Node)
	}
	whole := map[topology.Server]map[string]bool{}
	for l, list := range nodes {
		whole[l] = w.whole(list)
	}
	type key struct {
		group string
		like  topology.Server
	}
	var list []named
	done := map[key]bool{}
	for _, s := range servers {
		switch g := s.Node.Group; {
		case !whole[like(s)][g]:
			list = append(list, named{s, s.Node.Name})
		case !done[key{g, like(s)}]:
			done[key{g, like(s)}] = true
			list = append(list, named{s, g})
		}
	}
	return list
}

func portList(ports []topology.PortRange) []value {
	var list []value
	for _, p := range ports {
		if p.First == p.Last {
			list = append(list, int(p.First))
			continue
		}
		list = append(list, fmt.Sprintf("%d-%d", p.First, p.Last))
	}
	return list
}

// seconds is a duration as the language has it: in seconds, or smaller.
func seconds(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return d.String()
}

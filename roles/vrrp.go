package roles

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// isPaired reports whether keepalived runs something on a node.
func isPaired(n *node) bool { return len(n.instances()) > 0 }

// instances are those that a node is a director of, in the topology's order.
func (n *node) instances() []*topology.VRRPInstance {
	var list []*topology.VRRPInstance
	for _, v := range n.cluster.VRRP {
		if slices.Contains(v.Directors, n.Node) {
			list = append(list, v)
		}
	}
	return list
}

// paired wants keepalived on a director, with all that it is to hold and to
// check. The services and their servers are wanted in the table as anywhere: a
// keepalived that starts takes over what it finds there.
func paired(n *node) {
	c := &keepalived.Config{RouterID: n.Name}
	for _, v := range n.instances() {
		n.tool("ipvsadm", v.Range)
		n.tool("keepalived", v.Range)
		n.module("ip_vs", v.Range)
		n.at(state.KindConf, state.Path(keepalived.File), v.Range)
		n.at(state.KindKeepalived, state.Name(state.KeepalivedName), v.Range)
		c.Instances = append(c.Instances, n.instance(v))
		if v.Sync {
			c.Sync = &keepalived.Sync{Interface: v.Interface, Instance: v.Name, ID: v.RouterID}
		}
	}
	for _, s := range n.directs {
		if s.VRRPInstance != nil {
			c.Services = append(c.Services, checked(s))
		}
	}
	// Not by name: a topology that calls a service something else wants the same file.
	slices.SortFunc(c.Services, func(a, b keepalived.Service) int {
		return cmp.Or(cmp.Compare(a.Mark, b.Mark), a.Addr.Compare(b.Addr), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(family(a), family(b)))
	})
	n.keepalived = c
}

// family is 4 or 6.
func family(s keepalived.Service) int {
	if s.IPv6() {
		return 6
	}
	return 4
}

// instance is a director's part in a vrrp_instance. Its adverts carry the lowest
// address of one family; the others may then come and go without the directors
// hearing different lists.
func (n *node) instance(v *topology.VRRPInstance) keepalived.Instance {
	place := slices.Index(v.Directors, n.Node)
	i := keepalived.Instance{
		Name: v.Name, Interface: v.Interface, RouterID: v.RouterID, Priority: v.Priorities[place],
		AdvertInt: v.AdvertInt, Preempt: v.Preempt, AuthPass: v.AuthPass,
	}
	all := n.floating(v)
	if len(all) > 0 {
		i.Advertised, i.Excluded = all[:1], all[1:]
	}
	for _, a := range all {
		if a.Dev != v.Interface && !slices.Contains(i.Tracked, a.Dev) {
			i.Tracked = append(i.Tracked, a.Dev)
		}
	}
	slices.Sort(i.Tracked)
	if v.Unicast {
		i.Source, _ = v.Source(n.Node, i.IPv6())
		for _, d := range v.Directors {
			if peer, ok := v.Source(d, i.IPv6()); ok && d != n.Node {
				i.Peers = append(i.Peers, peer)
			}
		}
	}
	return i
}

// floating are the addresses of an instance: IPv4 first, each family from the
// lowest.
func (n *node) floating(v *topology.VRRPInstance) []keepalived.Address {
	byAddr := map[netip.Addr]keepalived.Address{}
	for _, a := range v.Addresses {
		byAddr[a.Prefix.Addr()] = keepalived.Address{Prefix: a.Prefix, Dev: a.Device(n.Node)}
	}
	for _, s := range n.cluster.Services {
		if s.VRRPInstance == v && s.VIP.IsValid() {
			byAddr[s.VIP.Addr()] = keepalived.Address{Prefix: s.VIP, Dev: s.Device(n.Node)}
		}
	}
	list := make([]keepalived.Address, 0, len(byAddr))
	for _, a := range byAddr {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b keepalived.Address) int { return a.Prefix.Addr().Compare(b.Prefix.Addr()) })
	return list
}

// methods are IPVS's names for the modes; see forwards.
var methods = map[topology.Mode]string{topology.NAT: "NAT", topology.FULLNAT: "NAT", topology.DR: "DR", topology.TUN: "TUN"}

func method(m topology.Mode, t topology.Tunnel) string {
	return keepalived.Method{Kind: methods[m], Type: string(t.Type), Port: t.Port, Checksum: string(t.Checksum)}.String()
}

// retryDelay is what passes between two tries of a check.
const retryDelay = time.Second

// checked is a service as keepalived runs it.
func checked(v *topology.VirtualServer) keepalived.Service {
	s := keepalived.Service{
		Mark: v.FWMark, Protocol: protocols[v.Protocol], Method: method(v.Mode, v.Tunnel),
		Scheduler: v.Scheduler, Flags: v.SchedulerFlags, OnePacket: v.OnePacket,
		Sorry: v.SorryServer,
	}
	if v.FWMark == 0 {
		s.Addr = netip.AddrPortFrom(v.VIP.Addr(), v.Port)
	}
	if p := v.Persistence; p != nil {
		s.Persistence, s.Mask, s.Engine = p.Timeout, p.Netmask, p.Engine
	}
	var check keepalived.Check
	if h := v.HealthCheck; h != nil {
		s.Interval = h.Interval
		check = keepalived.Check{
			Kind: h.Kind, Path: h.Path, Status: h.Status, Command: h.Command,
			Timeout: h.Timeout, Retries: h.Retries, Delay: retryDelay,
		}
	}
	for _, server := range v.RealServers {
		r := keepalived.Server{
			Addr:   netip.AddrPortFrom(server.Address, server.Port),
			Weight: server.Weight, Upper: server.Upper, Lower: server.Lower, Check: check,
		}
		if m := method(server.Mode, server.Tunnel); m != s.Method {
			r.Method = m
		}
		s.Servers = append(s.Servers, r)
	}
	return s
}

var protocols = map[topology.Protocol]string{topology.TCP: "TCP", topology.UDP: "UDP", topology.SCTP: "SCTP"}

// towards is the director's address that a NAT server of a service answers
// through: the instance's where there is one, because it goes where the VIP goes.
func towards(v *topology.VirtualServer, rip netip.Addr) netip.Addr {
	if i := v.VRRPInstance; i != nil {
		if a, ok := i.Inner(rip); ok {
			return a.Prefix.Addr()
		}
	}
	via, _ := v.Directors[0].Towards(rip)
	return via
}

package roles

import (
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// director wants the IPVS table, the VIPs, and what forwarding takes with nat.
func director(n *node) {
	if len(n.directs) == 0 && !n.Exclusive && n.Timeouts == nil && n.Sync == nil {
		return
	}
	n.tool("ipvsadm", n.Range)
	n.module("ip_vs", n.Range)
	n.timeouts()
	n.sync()
	for _, v := range n.directs {
		n.virtualService(v)
		n.forgetClosed(v)
		n.vip(v)
		n.marks(v)
		n.masquerade(v)
		for _, s := range v.RealServers {
			if s.Mode == topology.NAT || s.Mode == topology.FULLNAT {
				n.translate(v)
			}
		}
	}
}

// forgetClosed wants conn_reuse_mode=3, by which a client that uses a port again is
// scheduled again. A director that sees no replies (dr, tun) does not know whether a
// connection is closed already. Without bit 2 it would send the client's new connection
// to the old server for two minutes, although that may be gone, or be reached by another
// mode (is_new_conn_expected, net/netfilter/ipvs/ip_vs_core.c). A director of nat gets
// it too: when a service changes from dr or tun to nat, the old entries stay a while.
func (n *node) forgetClosed(v *topology.VirtualServer) {
	const key = state.ConnReuseMode
	for _, s := range n.Sysctls {
		if s.Key == key {
			return // a written parameter overrides this one
		}
	}
	n.sysctl(key, "3", v.Range)
}

// timeouts wants the connection timeouts that the topology names.
func (n *node) timeouts() {
	t := n.Timeouts
	if t == nil {
		return
	}
	for k, seconds := range map[string]int{state.TimeoutTCP: t.TCP, state.TimeoutTCPFin: t.TCPFin, state.TimeoutUDP: t.UDP} {
		if seconds > 0 {
			n.state.Timeouts[k] = seconds
			n.at(state.KindTimeout, state.Name(k), t.Range)
		}
	}
}

// sync wants the daemons that copy connections between directors.
func (n *node) sync() {
	s := n.Sync
	if s == nil {
		return
	}
	for _, k := range []string{state.DaemonMaster, state.DaemonBackup} {
		if s.Role == k || s.Role == "both" {
			n.state.Daemons[k] = state.Daemon{Interface: s.Interface, ID: s.ID}
			n.at(state.KindDaemon, state.Name(k), s.Range)
		}
	}
}

// virtualService wants a service and its servers in the table.
func (n *node) virtualService(v *topology.VirtualServer) {
	k := ServiceKey(v)
	want := state.Service{
		Scheduler: v.Scheduler,
		Flags:     state.SortFlags(v.SchedulerFlags),
		OnePacket: v.OnePacket,
	}
	if p := v.Persistence; p != nil {
		want.Timeout, want.Mask, want.Engine = p.Timeout, p.Netmask, p.Engine
	}
	n.state.Services[k] = want
	n.at(state.KindService, k, v.Range)
	if v.Drain > 0 {
		n.state.Drain[k] = v.Drain
	}
	n.schedulers[v.Scheduler] = true

	for _, s := range v.RealServers {
		sk := state.ServerKey{Service: k, Addr: netip.AddrPortFrom(s.Address, s.Port)}
		n.state.Servers[sk] = state.Server{Forward: forwards[s.Mode], Weight: s.Weight, Upper: s.Upper, Lower: s.Lower, Tunnel: wrapping(s.Tunnel).String()}
		n.at(state.KindServer, sk, s.Range)
		if s.Node.Maintenance {
			n.state.Quiesce[s.Address] = true
		}
		if s.Node != n.Node {
			n.servers[s.Address] = s.Node.Name
		}
	}
}

// ServiceKey is what identifies a service in the kernel.
func ServiceKey(v *topology.VirtualServer) state.ServiceKey {
	if v.FWMark != 0 {
		return state.ServiceKey{Protocol: state.FWMark, Mark: v.FWMark, V6: v.IPv6()}
	}
	return state.ServiceKey{Protocol: state.Protocol(v.Protocol), Addr: netip.AddrPortFrom(v.VIP.Addr(), v.Port)}
}

// forwards is IPVS's forwarding method for each mode. FULLNAT is masquerading, and
// netfilter rewrites the source in addition.
var forwards = map[topology.Mode]state.Forward{
	topology.NAT:     state.Masq,
	topology.FULLNAT: state.Masq,
	topology.DR:      state.Direct,
	topology.TUN:     state.Tunnel,
}

func wrapping(t topology.Tunnel) state.Wrapping {
	return state.Wrapping{Type: string(t.Type), Port: t.Port, Checksum: string(t.Checksum)}
}

// vip wants the service's address on the director, unless it is one of the director's
// own, or keepalived moves it.
func (n *node) vip(v *topology.VirtualServer) {
	if !v.VIP.IsValid() || n.Owns(v.VIP.Addr()) || v.VRRPInstance != nil {
		return
	}
	n.address(v.VIP, v.Device(n.Node), v.Range)
}

// translate wants what a director needs with nat, where replies pass it too: it forwards
// them, and sends no ICMP redirects that would lead them around it.
func (n *node) translate(v *topology.VirtualServer) {
	senders := []netip.Addr{n.DIP} // of replies that come by a router
	for _, s := range v.RealServers {
		if s.Mode == topology.NAT || s.Mode == topology.FULLNAT {
			senders = append(senders, s.Address)
		}
	}
	n.forward(v.IPv6(), v.Range, senders...)
	if v.IPv6() {
		return
	}
	devices := []string{"all", "default"}
	if v.VIP.IsValid() {
		devices = append(devices, v.Device(n.Node))
	}
	if dev, _, ok := n.On(n.DIP); ok {
		devices = append(devices, dev)
	}
	for _, dev := range devices {
		n.sysctl("net/ipv4/conf/"+dev+"/send_redirects", "0", v.Range)
	}
}

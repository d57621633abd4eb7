package adopt

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// Virtual servers, of the tables of directors that were read. A table does not say everything:
// a masqueraded server may be nat or fullnat, and no name of a service stands in it.

// A tableService is a service in a director's table.
type tableService struct {
	*topology.VirtualServer
	on      *found
	key     state.ServiceKey
	ipv6    bool
	servers []tableServer
}

type tableServer struct {
	addr netip.AddrPort
	mode topology.Mode
	state.Server
}

// findServices reads the directors' tables.
func (f *finder) findServices() {
	for _, n := range f.inTopology() {
		if n.Node.Role != topology.Director {
			continue
		}
		for k, why := range n.State.Unreadable {
			what := "A line of its table"
			if k != (state.ServiceKey{}) {
				what = "Its service " + k.String()
			}
			f.Remark(Remark{Lost, Of(n.Node), n.Node.Name, fmt.Sprintf("%s cannot be read: %s.", what, why)})
		}
		servers := map[state.ServiceKey][]state.ServerKey{}
		for k := range n.State.Servers {
			servers[k.Service] = append(servers[k.Service], k)
		}
		for _, k := range slices.SortedFunc(maps.Keys(n.State.Services), compareServices) {
			if _, bad := n.State.Unreadable[k]; bad {
				continue
			}
			t := f.service(n, k)
			slices.SortFunc(servers[k], state.CompareServers)
			for _, s := range servers[k] {
				t.servers = append(t.servers, f.server(t, s))
			}
			t.Mode = t.usualMode()
			f.table = append(f.table, t)
		}
	}
	f.nameServices()
}

func compareServices(a, b state.ServiceKey) int { return cmp.Compare(a.String(), b.String()) }

// service is a service of a table without its servers.
func (f *finder) service(n *found, k state.ServiceKey) *tableService {
	s := n.State.Services[k]
	t := &tableService{
		VirtualServer: &topology.VirtualServer{Protocol: topology.TCP, Scheduler: s.Scheduler, OnePacket: s.OnePacket, Directors: []*topology.Node{n.Node}},
		on:            n, key: k, ipv6: k.V6 || k.Addr.Addr().Is6(),
	}
	if s.Flags != "" {
		t.SchedulerFlags = strings.Split(s.Flags, ",")
	}
	if s.Timeout > 0 {
		t.Persistence = &topology.Persistence{Timeout: s.Timeout, Netmask: s.Mask, Engine: s.Engine}
	}
	if k.Protocol == state.FWMark {
		t.FWMark = k.Mark
		return t
	}
	t.Protocol, t.Port = topology.Protocol(k.Protocol), k.Addr.Port()
	t.VIP = netip.PrefixFrom(k.Addr.Addr(), k.Addr.Addr().BitLen())
	return t
}

// server is an entry of a director's table.
func (f *finder) server(t *tableService, k state.ServerKey) tableServer {
	s := tableServer{addr: k.Addr, Server: t.on.State.Servers[k]}
	switch s.Forward {
	case state.Direct:
		s.mode = topology.DR
	case state.Tunnel:
		s.mode = topology.TUN
	default:
		s.mode = topology.NAT
		if yes, _ := f.rewritesSource(t.on, k.Service, k.Addr.Addr()); yes {
			s.mode = topology.FULLNAT
		}
	}
	return s
}

// usualMode is the mode of most servers; of as many, that of the first.
func (t *tableService) usualMode() topology.Mode {
	mode, most := topology.DR, 0
	count := map[topology.Mode]int{}
	for _, s := range t.servers {
		if count[s.mode]++; count[s.mode] > most {
			mode, most = s.mode, count[s.mode]
		}
	}
	return mode
}

// serve makes services of those in the tables: with their nodes, and once for directors
// that balance alike.
func (f *finder) serve() {
	byKey := map[serviceKey][]*topology.VirtualServer{}
	names := map[string]bool{}
	for _, t := range f.table {
		f.holdVIP(t)
		for _, s := range t.servers {
			f.addServer(t, s)
		}
		t.Tunnel = usualTunnel(t.VirtualServer)
		if t.FWMark != 0 {
			f.marks(t.VirtualServer, t.on, t.ipv6)
			f.holdVIP(t)
		}
		f.mss(t.VirtualServer)
		key := t.kernelKey()
		if slices.ContainsFunc(byKey[key], func(v *topology.VirtualServer) bool {
			return v.VIP == t.VIP && v.Interface == t.Interface && mergeServices(v, t.VirtualServer)
		}) {
			continue
		}
		for names[t.Name] {
			t.Name = another(t.Name)
		}
		names[t.Name] = true
		byKey[key] = append(byKey[key], t.VirtualServer)
		f.Topology.Services = append(f.Topology.Services, t.VirtualServer)
	}
	f.vipInterfaces()
}

// holdVIP finds how the director holds the VIP.
func (f *finder) holdVIP(t *tableService) {
	vip := t.VIP.Addr()
	if !vip.IsValid() || f.owner[vip] == t.on {
		return
	}
	if a, moves := t.on.floatingAddress(vip); moves {
		t.VIP = a.Prefix
		if t.Device(t.on.Node) != a.Dev {
			t.Interface = a.Dev
		}
		return
	}
	var at []state.AddressKey
	for k := range t.on.State.Addresses {
		if k.Prefix.Addr() == vip {
			at = append(at, k)
		}
	}
	if len(at) == 0 {
		return
	}
	slices.SortFunc(at, func(a, b state.AddressKey) int {
		return cmp.Or(cmp.Compare(b.Prefix.Bits(), a.Prefix.Bits()), cmp.Compare(a.Dev, b.Dev))
	})
	t.VIP = at[0].Prefix
	if t.Device(t.on.Node) != at[0].Dev {
		t.Interface = at[0].Dev
	}
}

// addServer adds an entry of the table to its service.
func (f *finder) addServer(t *tableService, s tableServer) {
	n := f.servant(t, s.addr.Addr())
	if n == nil {
		return
	}
	w, _ := state.ParseWrapping(s.Tunnel) // it was written by the same
	tunnel, lost := tunnelOf(w)
	if lost != "" {
		f.Remark(Remark{Lost, OfService(t.VirtualServer), t.on.Node.Name, n.Name + ": " + lost})
	}
	weight := s.Weight
	for node, d := range t.on.Record.Drained {
		if slices.Contains(d.Addresses, s.addr.Addr()) {
			weight = 1
			f.Remark(Remark{Guess, OfService(t.VirtualServer), t.on.Node.Name, fmt.Sprintf("%s is drained there, so that its weight is not known: 1.", node)})
		}
	}
	t.RealServers = append(t.RealServers, topology.Server{
		Node: n, Address: s.addr.Addr(), Port: s.addr.Port(), Weight: weight, Upper: s.Upper, Lower: s.Lower, Mode: s.mode, Tunnel: tunnel,
	})
}

// servant is the node that serves at an address.
func (f *finder) servant(t *tableService, addr netip.Addr) *topology.Node {
	if n := f.owner[addr]; n != nil && n.Node != nil {
		if own := ownAddress(n.Node); own != addr && own.IsValid() && own.Is6() == addr.Is6() {
			f.Remark(Remark{Lost, OfService(t.VirtualServer), t.on.Node.Name, fmt.Sprintf("%s serves it at %s, and other services at %s. A real server has one RIP of a family; give it one for all.", n.Node.Name, addr, own)})
			return nil
		}
		return n.Node
	}
	return f.unseen[addr]
}

// vipInterfaces finds the devices on which real servers hold VIPs, where those are not
// the usual ones.
func (f *finder) vipInterfaces() {
	type held struct {
		node *found
		vip  netip.Addr
	}
	// tunnels are the devices that have a VIP anyhow: vip_interface does not say so.
	tunnels := map[held][]string{}
	for _, v := range f.Topology.Services {
		for _, s := range v.RealServers {
			if k := (held{f.named[s.Node.Name], v.VIP.Addr()}); s.Mode == topology.TUN && !s.Address.Is6() {
				tunnels[k] = append(tunnels[k], s.TunnelDevice())
			}
		}
	}
	for _, v := range f.Topology.Services {
		for _, s := range v.RealServers {
			n := f.named[s.Node.Name]
			if n == nil || s.Mode != topology.DR && s.Mode != topology.TUN || slices.Contains(v.Directors, s.Node) || !v.VIP.IsValid() {
				continue
			}
			usual := "lo"
			if s.Mode == topology.TUN {
				usual = s.TunnelDevice()
			}
			var devs []string
			for k := range n.State.Addresses {
				if k.Prefix.Addr() == v.VIP.Addr() {
					devs = append(devs, k.Dev)
				}
			}
			slices.Sort(devs)
			there := slices.Contains(devs, usual)
			if s.Mode == topology.TUN && !s.Address.Is6() {
				devs = slices.DeleteFunc(devs, func(dev string) bool { return slices.Contains(tunnels[held{n, v.VIP.Addr()}], dev) })
				there = there && (len(devs) == 0 || !state.Quiet(devs[0]))
			}
			switch {
			case len(devs) == 0 || there && n.VIPInterface == "":
			case state.Quiet(devs[0]) && (n.VIPInterface == "" || n.VIPInterface == devs[0]):
				n.VIPInterface = devs[0]
			default:
				f.Remark(Remark{Lost, Of(n.Node), n.Node.Name, fmt.Sprintf("It holds the VIP %s on %s, which answers when neighbours ask for it. lvsctl adds it to %s.", v.VIP.Addr(), devs[0], usual)})
			}
		}
	}
}

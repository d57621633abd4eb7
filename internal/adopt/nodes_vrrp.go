package adopt

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// vrrp_instances, of what a director's keepalived has loaded, and what it says of services that
// the kernel's table shows only in part.

// byKeepalived puts into a node's table what keepalived's configuration says of its
// services. In the kernel's table a real server that failed its check has no weight or is
// gone, and a sorry server may be there in its place.
func (n *found) byKeepalived() {
	if n.Keepalived == nil || len(n.Keepalived.Services) == 0 {
		return
	}
	n.State = n.State.Clone()
	for _, s := range n.Keepalived.Services {
		k := live.KeepalivedService(s)
		service := state.Service{Scheduler: s.Scheduler, Flags: state.SortFlags(s.Flags), OnePacket: s.OnePacket}
		if s.Persistence > 0 {
			service.Timeout, service.Mask, service.Engine = s.Persistence, s.Mask, s.Engine
			if service.Mask == 0 {
				service.Mask = map[bool]int{false: 32, true: 128}[s.IPv6()]
			}
		}
		n.State.Services[k] = service
		maps.DeleteFunc(n.State.Servers, func(sk state.ServerKey, _ state.Server) bool { return sk.Service == k })
		for _, r := range s.Servers {
			m, _ := keepalived.ReadMethod(strings.Fields(cmp.Or(r.Method, s.Method))) // keepalived runs with it
			forward := map[string]state.Forward{"NAT": state.Masq, "DR": state.Direct, "TUN": state.Tunnel}[m.Kind]
			n.State.Servers[state.ServerKey{Service: k, Addr: r.Addr}] = state.Server{Forward: forward, Weight: r.Weight, Upper: r.Upper, Lower: r.Lower, Tunnel: state.Wrapping{Type: m.Type, Port: m.Port, Checksum: m.Checksum}.String()}
		}
	}
}

// A vrrpPart is one director's part in a vrrp_instance.
type vrrpPart struct {
	by *found
	keepalived.Instance
}

// findInstances makes vrrp_instances of what the directors' keepalived says: those with one
// number that share an address are one.
func (f *finder) findInstances() {
	var all [][]vrrpPart
	for _, n := range f.inTopology() {
		if n.Keepalived == nil || n.Node.Role != topology.Director {
			continue
		}
		for _, i := range n.Keepalived.Instances {
			at := slices.IndexFunc(all, func(same []vrrpPart) bool { return shares(same[0].Instance, i) })
			if at < 0 {
				at = len(all)
				all = append(all, nil)
			}
			all[at] = append(all[at], vrrpPart{n, i})
		}
	}
	names := map[string]bool{}
	for _, same := range all {
		v := f.instance(same)
		for names[v.Name] {
			v.Name = another(v.Name)
		}
		names[v.Name] = true
		f.Topology.VRRP = append(f.Topology.VRRP, v)
	}
}

func shares(a, b keepalived.Instance) bool {
	return a.RouterID == b.RouterID && slices.ContainsFunc(a.Addresses(), func(x keepalived.Address) bool {
		return slices.ContainsFunc(b.Addresses(), func(y keepalived.Address) bool { return x.Prefix.Addr() == y.Prefix.Addr() })
	})
}

// instance makes one instance of its directors' parts.
func (f *finder) instance(parts []vrrpPart) *topology.VRRPInstance {
	slices.SortStableFunc(parts, func(a, b vrrpPart) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.by.Node.Name, b.by.Node.Name))
	})
	first := parts[0]
	v := &topology.VRRPInstance{
		Name: first.Name, Interface: first.Interface, RouterID: first.RouterID, AdvertInt: first.AdvertInt,
		Preempt: true, AuthPass: first.AuthPass,
	}
	for _, p := range parts {
		priority := p.Priority
		if last := len(v.Priorities) - 1; last >= 0 && priority >= v.Priorities[last] {
			priority = v.Priorities[last] - 1
			f.Remark(Remark{Lost, OfInstance(v), p.by.Node.Name, fmt.Sprintf("Its priority is %d, and in a topology each director's is lower than the one before it: %d.", p.Priority, priority)})
		}
		v.Directors, v.Priorities = append(v.Directors, p.by.Node), append(v.Priorities, priority)
		v.Preempt = v.Preempt && p.Preempt
		v.Unicast = v.Unicast || len(p.Peers) > 0
		if s := p.by.Keepalived.Sync; s != nil && s.Instance == p.Name {
			v.Sync = true
		}
		for what, differs := range map[string]bool{"interface": p.Interface != v.Interface, "advert_int": p.AdvertInt != v.AdvertInt, "auth_pass": p.AuthPass != v.AuthPass} {
			if differs {
				f.Remark(Remark{Lost, OfInstance(v), p.by.Node.Name, "Its " + what + " is another than that of " + first.by.Node.Name + ", which is taken for both."})
			}
		}
	}
	return v
}

// assignInstances gives each service the instance that moves its VIP, and each instance
// the addresses that are no VIPs.
func (f *finder) assignInstances() {
	vips := map[*topology.VRRPInstance]map[netip.Addr]bool{}
	for _, v := range f.Topology.VRRP {
		vips[v] = map[netip.Addr]bool{}
	}
	for _, s := range f.Topology.Services {
		for _, v := range f.Topology.VRRP {
			if !sameNodes(v.Directors, s.Directors) || s.VIP.IsValid() && !f.moves(v, s.VIP.Addr()) {
				continue
			}
			if s.VIP.IsValid() || s.VRRPInstance == nil && f.runs(v, s) {
				s.VRRPInstance = v
			}
		}
		if s.VRRPInstance != nil {
			vips[s.VRRPInstance][s.VIP.Addr()] = true
			f.check(s)
		} else if s.VIP.IsValid() && slices.ContainsFunc(f.Topology.VRRP, func(v *topology.VRRPInstance) bool { return f.moves(v, s.VIP.Addr()) }) {
			f.Remark(Remark{Lost, OfService(s), "", "Its VIP moves between directors that do not all have this service alike. A topology wants it the same on each."})
		}
	}
	for _, v := range f.Topology.VRRP {
		n := f.named[v.Directors[0].Name]
		for _, i := range n.Keepalived.Instances {
			if i.RouterID != v.RouterID {
				continue
			}
			for _, a := range i.Addresses() {
				if vips[v][a.Prefix.Addr()] {
					continue
				}
				out := topology.FloatingAddress{Prefix: a.Prefix}
				if out.Device(n.Node) != a.Dev {
					out.Dev = a.Dev
				}
				v.Addresses = append(v.Addresses, out)
			}
		}
	}
}

func sameNodes(a, b []*topology.Node) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(n *topology.Node) bool { return !slices.Contains(b, n) })
}

// moves reports whether an instance moves an address.
func (f *finder) moves(v *topology.VRRPInstance, addr netip.Addr) bool {
	_, ok := f.named[v.Directors[0].Name].floatingAddress(addr)
	return ok && slices.ContainsFunc(f.named[v.Directors[0].Name].Keepalived.Instances, func(i keepalived.Instance) bool {
		return i.RouterID == v.RouterID && slices.ContainsFunc(i.Addresses(), func(a keepalived.Address) bool { return a.Prefix.Addr() == addr })
	})
}

// floatingAddress is how the node's keepalived sets an address.
func (n *found) floatingAddress(addr netip.Addr) (keepalived.Address, bool) {
	if n.Keepalived == nil {
		return keepalived.Address{}, false
	}
	for _, i := range n.Keepalived.Instances {
		for _, a := range i.Addresses() {
			if a.Prefix.Addr() == addr {
				return a, true
			}
		}
	}
	return keepalived.Address{}, false
}

// runs reports whether the keepalived of an instance's directors has a service.
func (f *finder) runs(v *topology.VRRPInstance, s *topology.VirtualServer) bool {
	_, ok := f.checked(f.named[v.Directors[0].Name], s)
	return ok
}

// checked is a service as keepalived has it on a node.
func (f *finder) checked(n *found, v *topology.VirtualServer) (keepalived.Service, bool) {
	for _, s := range n.Keepalived.Services {
		if s.Mark != 0 && s.Mark == v.FWMark && s.IPv6() == v.IPv6() ||
			s.Mark == 0 && v.FWMark == 0 && s.Addr == netip.AddrPortFrom(v.VIP.Addr(), v.Port) && strings.EqualFold(s.Protocol, string(v.Protocol)) {
			return s, true
		}
	}
	return keepalived.Service{}, false
}

// check writes down how keepalived checks a service's servers, and its sorry server.
func (f *finder) check(v *topology.VirtualServer) {
	n := f.named[v.VRRPInstance.Directors[0].Name]
	s, ok := f.checked(n, v)
	h := defaultCheck
	v.HealthCheck = &h
	if !ok {
		h.Kind = "none"
		f.Remark(Remark{Guess, OfService(v), n.Node.Name, "keepalived does not run this service, and would from now on: without a check."})
		return
	}
	v.SorryServer = s.Sorry
	h.Interval = cmp.Or(s.Interval, h.Interval)
	if len(s.Servers) == 0 {
		return
	}
	c := s.Servers[0].Check
	h.Kind, h.Path, h.Status, h.Command = cmp.Or(c.Kind, "none"), c.Path, c.Status, c.Command
	h.Timeout, h.Retries = cmp.Or(c.Timeout, h.Timeout), c.Retries
	if h.Kind == "none" {
		h.Timeout, h.Retries = cmp.Or(c.Timeout, defaultCheck.Timeout), cmp.Or(c.Retries, defaultCheck.Retries)
	}
	if h.Kind == "http" {
		h.Path, h.Status = cmp.Or(h.Path, "/"), cmp.Or(h.Status, 200)
	}
	for _, r := range s.Servers {
		if r.Check != c || r.Check.Port != 0 && r.Check.Port != r.Addr.Port() {
			f.Remark(Remark{Lost, OfService(v), n.Node.Name, fmt.Sprintf("keepalived checks its real servers in different ways, or at other ports; a service has one check, that of %s.", s.Servers[0].Addr)})
			break
		}
	}
	if c.Delay != time.Second && h.Kind != "none" && c.Retries > 0 {
		f.Remark(Remark{Lost, OfService(v), n.Node.Name, fmt.Sprintf("keepalived waits %s before it tries a check again; lvsctl's waits 1s.", c.Delay)})
	}
}

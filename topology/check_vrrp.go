package topology

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// checkVRRP compares the instances with one another and with their services.
func (l *loader) checkVRRP() {
	l.checkRouterIDs()
	l.checkFloating()
	for _, v := range l.vrrp {
		if v.broken {
			continue
		}
		v.checkAdverts()
		v.checkSync()
		l.checkContent(v)
	}
}

// checkRouterIDs refuses two instances with one router id on one LAN, because each would
// take the other's adverts for those of its own. Two directors are on one LAN if their
// addresses on the instance's device share a subnet.
func (l *loader) checkRouterIDs() {
	for i, v := range l.vrrp {
		for _, other := range l.vrrp[:i] {
			if v.broken || other.broken || v.RouterID != other.RouterID {
				continue
			}
			if d := v.meets(other); d != nil {
				v.Refuse(v.raw.VirtualRouterID.Expr.Range(), "Router id twice", "%s has virtual_router_id %d on %s in vrrp_instance %s already. Each instance of a LAN has its own.", d.Name, v.RouterID, other.Interface, lang.Quote(other.Name))
			}
		}
	}
}

// meets returns a director of other that receives the adverts of v, or nil.
func (v *vrrp) meets(other *vrrp) *node {
	for _, d := range other.directors {
		for _, mine := range v.directors {
			if mine == d && v.Interface == other.Interface {
				return d
			}
			for _, p := range mine.AddressesOn(v.Interface) {
				if slices.ContainsFunc(d.AddressesOn(other.Interface), func(q netip.Prefix) bool { return p.Masked() == q.Masked() }) {
					return d
				}
			}
		}
	}
	return nil
}

// checkAdverts checks an advert_int with a fraction of a second, which takes VRRP 3: that
// has a smaller range, and no passwords.
func (v *vrrp) checkAdverts() {
	fraction := v.AdvertInt%time.Second != 0
	// Twelve bits of centiseconds: RFC 5798, 5.2.7.
	if fraction && (v.AdvertInt > 4095*10*time.Millisecond || v.AdvertInt%(10*time.Millisecond) != 0) {
		v.Refuse(v.raw.AdvertInt.Expr.Range(), "Duration out of range", "advert_int with a fraction of a second is VRRP 3, which counts in hundredths of a second up to 40.95s.")
	}
	if v.AuthPass != "" && fraction {
		v.Refuse(v.raw.AuthPass.Expr.Range(), "Password in VRRP 3", "advert_int with a fraction of a second is VRRP 3, which has no passwords: keepalived drops it. Remove auth_pass, or write whole seconds.")
	}
}

// checkSync refuses sync with preempt, which would cut connections, and a director with
// a sync block of its own, because keepalived switches the daemon.
func (v *vrrp) checkSync() {
	if v.Sync && v.Preempt {
		at := v.raw.Sync.Expr.Range()
		v.Refuse(at, "Sync with preempt", "A director that comes back has no connections yet, and nobody sends it those that are open: taking the addresses back at once would cut them. Write preempt = false.")
	}
	for _, d := range v.directors {
		if d.Sync != nil {
			d.Complain(d.Sync.Range, "Sync in two hands", "%s is in vrrp_instance %s, where keepalived switches the sync daemon as it becomes master or backup. Remove this block, and write sync = true in the vrrp_instance.", d.Name, lang.Quote(v.Name))
		}
	}
}

// checkContent warns of an instance without addresses. It refuses a password if all
// addresses are IPv6, and unicast for a director without an address to send from.
func (l *loader) checkContent(v *vrrp) {
	var v4, v6, broken bool
	add := func(a netip.Addr) { v4, v6 = v4 || a.Is4(), v6 || a.Is6() }
	for _, a := range v.Addresses {
		add(a.Prefix.Addr())
	}
	for _, s := range l.services {
		broken = broken || s.broken
		if s.VRRPInstance == v.VRRPInstance && s.vip.IsValid() {
			add(s.vip)
		}
	}
	switch {
	case broken:
	case !v4 && !v6:
		v.Warn(v.Range, "Instance without addresses", "No virtual server has exactly the directors of vrrp_instance %s, so it would move nothing. Name its directors in the virtual servers, or give it addresses.", lang.Quote(v.Name))
	case !v4 && v.AuthPass != "":
		v.Refuse(v.raw.AuthPass.Expr.Range(), "Password in VRRP 3", "All addresses of vrrp_instance %s are IPv6, which takes VRRP 3, and that has no passwords. Remove auth_pass.", lang.Quote(v.Name))
	case v.Unicast:
		for _, d := range v.directors {
			if _, ok := v.Source(d.Node, !v4); !ok && !d.broken {
				v.Refuse(v.raw.Unicast.Expr.Range(), "No address to send from", "%s has no %s address on %s for its adverts. Write it in its interface, or leave unicast out.", d.Name, family(!v4), v.Interface)
			}
		}
	}
}

// checkFloating refuses an address that two instances move, and one that an instance
// moves while it is a node's own address or the VIP of a service elsewhere.
func (l *loader) checkFloating() {
	mover := map[netip.Addr]*vrrp{}
	for _, v := range l.vrrp {
		if v.broken {
			continue
		}
		for _, a := range v.Addresses {
			addr := a.Prefix.Addr()
			if other := mover[addr]; other != nil {
				v.Refuse(a.Range, "Address in two hands", "%s is an address of vrrp_instance %s already.", addr, lang.Quote(other.Name))
			}
			mover[addr] = v
			for _, name := range lang.SortedKeys(l.nodes) {
				if l.nodes[name].Owns(addr) {
					v.Refuse(a.Range, "Address of a node", "%s is %s's own address, which moves nowhere. Use another one.", addr, name)
				}
			}
		}
	}
	first := map[netip.Addr]*service{}
	for _, s := range l.services {
		if s.broken || !s.vip.IsValid() {
			continue
		}
		at := s.raw.VIP.Expr.Range()
		if v := mover[s.vip]; v != nil && v.VRRPInstance != s.VRRPInstance {
			l.Complain(at, "Address in two hands", "%s is an address of vrrp_instance %s, which has other directors than this service.", s.vip, lang.Quote(v.Name))
		}
		other := first[s.vip]
		if other == nil {
			first[s.vip] = s
			continue
		}
		if other.VRRPInstance != s.VRRPInstance && (s.VRRPInstance != nil || other.VRRPInstance != nil) {
			l.Complain(at, "VIP in two hands", "%s holds %s too, with other directors. An address that keepalived moves belongs to one vrrp_instance: give both services the same directors, or two VIPs.", other.Name, s.vip)
		}
	}
}

// checkSorry refuses a sorry server that could not answer.
func (c *serviceCheck) checkSorry() {
	sorry := c.SorryServer
	if c.VRRPInstance == nil || !sorry.IsValid() {
		return
	}
	at := c.raw.SorryServer.Expr.Range()
	for _, srv := range c.servers {
		if srv.Address == sorry.Addr() && srv.Port == sorry.Port() {
			c.Complain(at, "Sorry server is a real server", "%s is one of the servers whose loss it stands in for, and keepalived would have it twice. Name another one.", sorry)
			return
		}
	}
	switch {
	case sorry.Addr().Is6() != c.IPv6():
		c.Complain(at, "No address of this family", "The service is %s, and sorry_server is %s.", family(c.IPv6()), sorry.Addr())
	case (c.Mode == NAT || c.Mode == FULLNAT) && sorry.Addr().IsLoopback():
		c.Complain(at, "Sorry server on the loopback", "In mode %q packets leave for %s with another destination, and the kernel drops what would go to a loopback address. Name an address of a host, or use mode \"dr\".", c.Mode, sorry.Addr())
	case (c.Mode == DR || c.Mode == TUN) && sorry.Port() != c.Port:
		c.Complain(at, "Port cannot differ", "In mode %q packets reach the sorry server unchanged, so its port %d must be the service's, %d.", c.Mode, sorry.Port(), c.Port)
	}
}

// checkWeights refuses a service of keepalived whose weights are all 0: keepalived
// computes its quorum from their sum, and 0 underflows.
func (c *serviceCheck) checkWeights() {
	if c.VRRPInstance == nil || len(c.servers) == 0 {
		return
	}
	if !slices.ContainsFunc(c.servers, func(s server) bool { return s.Weight > 0 }) {
		c.Complain(c.Range, "All weights are 0", "No server of %s gets connections, and keepalived miscounts such a service. Give one a weight, or remove the service.", c.Name)
	}
}

// checkOwnServers refuses a director of a pair that is a real server of its own service
// with dr. As a backup it has the service in its IPVS table, so it would balance again
// what the master sent to it.
func (c *serviceCheck) checkOwnServers() {
	v := c.VRRPInstance
	if v == nil {
		return
	}
	for _, srv := range c.servers {
		if srv.Mode != DR && srv.Mode != TUN || !slices.Contains(c.directors, srv.node) || v.Sync && srv.node.backupOnly() {
			continue
		}
		c.Complain(srv.at.name, "Director as its pair's real server", "%s is a director of this service too: while it waits, it would balance again what the master sent it. Use another server, mode \"nat\", or sync = true in the vrrp_instance with sysctl = { \"net.ipv4.vs.backup_only\" = 1 } on its directors.", srv.node.Name)
	}
}

func (n *node) backupOnly() bool {
	return slices.ContainsFunc(n.Sysctls, func(s Sysctl) bool { return s.Key == "net/ipv4/vs/backup_only" && s.Value == "1" })
}

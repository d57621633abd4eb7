package topology

import (
	"fmt"
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/plural"
)

// checkServers checks each real server of the service against the mode table in the
// README.
func (c *serviceCheck) checkServers() {
	if c.vip.IsValid() {
		c.checkMixedSync()
	}
	for _, srv := range c.servers {
		if srv.node.broken || srv.Mode == "" || !c.checkFamily(srv) {
			continue
		}
		c.checkServerPort(srv)
		c.checkOnePacket(srv)
		if srv.node.Role == Director {
			continue // the director serves itself: it needs no subnet and no route back
		}
		for _, d := range c.directors {
			if !d.broken {
				c.checkSubnet(srv, d)
			}
		}
		c.checkGateway(srv)
		c.checkOneWayBack(srv)
	}
}

// checkFamily refuses a server that cannot be reached in the service's family.
func (c *serviceCheck) checkFamily(srv server) bool {
	if srv.Address.IsLinkLocalUnicast() && srv.Address.Is6() {
		c.Complain(srv.at.name, "Not a usable address", "%s is reached at %s, a link-local address, which IPVS cannot use.", srv.node.Name, srv.Address)
		return false
	}
	ipv6 := c.IPv6()
	if srv.Address.Is6() == ipv6 || srv.Mode == TUN && c.vip.IsValid() {
		return true
	}
	c.Complain(srv.at.name, "No address of this family", "The service is %s, and %s has no such address. Only mode \"tun\" carries one family in the other.", family(ipv6), srv.node.Name)
	return false
}

func family(ipv6 bool) string {
	if ipv6 {
		return "IPv6"
	}
	return "IPv4"
}

// checkMixedSync refuses a server of the other family on a director that runs a sync
// daemon, as the kernel does: ip_vs_genl_set_cmd, net/netfilter/ipvs/ip_vs_ctl.c.
func (c *serviceCheck) checkMixedSync() {
	for _, srv := range c.servers {
		if srv.node.broken || srv.Mode != TUN || srv.Address.Is6() == c.vip.Is6() {
			continue
		}
		for _, d := range c.directors {
			if d.Sync != nil {
				c.Complain(srv.at.name, "Mixed families under sync", "%s is reached at %s for the VIP %s, and %s runs a sync daemon, which IPVS allows for one family only.", srv.node.Name, srv.Address, c.vip, d.Name)
				return
			}
		}
	}
}

// checkServerPort refuses a server's own port with dr and tun, which do not change the
// packet. ipvsadm would replace the port by the service's and not say so.
func (c *serviceCheck) checkServerPort(srv server) {
	if srv.Mode != DR && srv.Mode != TUN || srv.Port == c.Port {
		return
	}
	if c.FWMark != 0 {
		c.Complain(srv.at.port, "Port cannot differ", "In mode %q packets reach %s with the port they were sent to. Remove port, or use mode \"nat\".", srv.Mode, srv.node.Name)
		return
	}
	c.Complain(srv.at.port, "Port cannot differ", "In mode %q packets reach %s unchanged, so port %d must be the service's, %d. Use mode \"nat\" to change it.", srv.Mode, srv.node.Name, srv.Port, c.Port)
}

// checkOnePacket refuses nat for a one-packet service. The kernel forgets its connection
// before the answer comes (ip_vs_conn_put with IP_VS_CONN_F_ONE_PACKET), so it does not
// write the VIP into the answer.
func (c *serviceCheck) checkOnePacket(srv server) {
	if c.OnePacket && (c.Protocol == UDP || c.FWMark != 0) && (srv.Mode == NAT || srv.Mode == FULLNAT) {
		c.Complain(srv.at.mode, "one_packet with translation", "One-packet scheduling forgets each datagram at once, so in mode %q the answer of %s would keep its own address as the source and be dropped by the client. Use mode \"dr\" or \"tun\", or remove one_packet.", srv.Mode, srv.node.Name)
	}
}

// checkSubnet refuses nat and dr if RIP and DIP are not in one subnet.
func (c *serviceCheck) checkSubnet(srv server, d *node) {
	if srv.Mode != NAT && srv.Mode != DR {
		return
	}
	dip, ok := d.Towards(srv.Address)
	if ok && d.prefix(dip).Contains(srv.Address) && srv.node.prefix(srv.Address).Contains(dip) {
		return
	}
	why := "the director hands the packet to the real server's own MAC address"
	if srv.Mode == NAT {
		why = "the real server's way back leads through the DIP"
	}
	if !ok {
		dip = d.DIP
	}
	remedy := "Put them into one subnet, or use mode \"tun\", which any router carries."
	if _, own, found := d.On(srv.Address); found && own.Addr() != dip {
		remedy = fmt.Sprintf("%s is %s there: set its dip to that.", d.Name, own.Addr())
	}
	c.Complain(srv.at.name, "RIP outside the DIP's subnet", "%s is reached at %s, and the DIP of %s is %s. In mode %q %s, so both are in one subnet. %s",
		srv.node.Name, srv.Address, d.Name, d.prefixText(dip), srv.Mode, why, remedy)
}

// prefix returns one of the node's own addresses with its subnet.
func (n *node) prefix(addr netip.Addr) netip.Prefix {
	for _, i := range n.Interfaces {
		for _, p := range i.Addresses {
			if p.Addr() == addr {
				return p
			}
		}
	}
	return netip.Prefix{}
}

func (n *node) prefixText(addr netip.Addr) string {
	if p := n.prefix(addr); p.IsValid() {
		return p.String()
	}
	return addr.String()
}

// checkGateway refuses a written gateway that contradicts the mode: with nat it must be
// a director, with dr and tun it must not be one.
func (c *serviceCheck) checkGateway(srv server) {
	gw := srv.node.Gateway.Of(c.IPv6())
	if !gw.IsValid() || srv.Mode == NAT && srv.node.WayBack == WayBackRule {
		return
	}
	through := gw == c.vip
	if v := c.VRRPInstance; v != nil && srv.Mode == NAT {
		c.checkFloatingGateway(srv, gw)
		return
	}
	var owner *node
	for _, d := range c.directors {
		if d.Owns(gw) {
			through, owner = true, d
		}
	}
	switch srv.Mode {
	case DR, TUN:
		// A director would drop the answers. fib_validate_source (net/ipv4/fib_frontend.c)
		// drops a packet to be forwarded whose source is the host's own address, here
		// the VIP, whatever rp_filter says.
		if through {
			holder := c.directors[0]
			if owner != nil {
				holder = owner
			}
			c.Complain(srv.node.Gateway.Range, "Director as gateway", "In mode %q %s answers with the VIP as its source, and %s drops such packets because the VIP is its own (\"martian source\"). The gateway must be a router; virtual server %s.",
				srv.Mode, srv.node.Name, holder.Name, lang.Quote(c.Name))
		}
	case NAT:
		if !through && !c.routesBack(srv) {
			c.Complain(srv.node.Gateway.Range, "Way back misses the director", "In mode \"nat\" answers go back through the director, which puts the VIP into them. The default route of %s leads to %s. Remove gateway, or add a route to the clients via the DIP; virtual server %s.",
				srv.node.Name, gw, lang.Quote(c.Name))
		}
	}
}

// routesBack reports whether a route of the server leads through a director of the
// service. The clients may be in that route's subnet.
func (c *serviceCheck) routesBack(srv server) bool {
	for _, r := range srv.node.Routes {
		for _, d := range c.directors {
			if r.Via.IsValid() && d.Owns(r.Via) {
				return true
			}
		}
	}
	return false
}

// checkFloatingGateway refuses a gateway of a NAT server behind a pair of directors that
// does not move with the VIP.
func (c *serviceCheck) checkFloatingGateway(srv server, gw netip.Addr) {
	for _, a := range c.VRRPInstance.Addresses {
		if a.Prefix.Addr() == gw {
			return
		}
	}
	for _, d := range c.directors {
		if d.Owns(gw) {
			c.Complain(srv.node.Gateway.Range, "Gateway that does not move", "%s is %s's own address. When another director takes over, answers of %s would go on to the old one. Write an address of their subnet into addresses of vrrp_instance %s, and no gateway here.", gw, d.Name, srv.node.Name, lang.Quote(c.VRRPInstance.Name))
			return
		}
	}
	if !c.routesBack(srv) {
		c.Complain(srv.node.Gateway.Range, "Way back misses the director", "In mode \"nat\" answers go back through the director, which puts the VIP into them. The default route of %s leads to %s. Remove gateway, and the real server gets the address of vrrp_instance %s.", srv.node.Name, gw, lang.Quote(c.VRRPInstance.Name))
	}
}

// answersByDirector reports whether lvsctl sets the route by which the node's nat
// answers reach the director: by a rule, or by a default route if no gateway is written.
func (n *node) answersByDirector(ipv6 bool) bool {
	return n.WayBack == WayBackRule || !n.Gateway.Of(ipv6).IsValid()
}

// checkOneWayBack refuses a NAT server with two directors, unless their vrrp_instance
// has an address in the server's subnet that can be its gateway.
func (c *serviceCheck) checkOneWayBack(srv server) {
	if v := c.VRRPInstance; v != nil && srv.Mode == NAT && srv.node.answersByDirector(c.IPv6()) {
		if _, ok := v.Inner(srv.Address); !ok {
			c.Complain(srv.at.name, "No inner address", "In mode \"nat\" %s answers through the director, whichever of them that is. Give vrrp_instance %s an address in the subnet of %s: addresses = [\"ADDRESS/LENGTH\"].", srv.node.Name, lang.Quote(v.Name), srv.Address)
		}
		return
	}
	if srv.Mode != NAT || len(c.directors) < 2 || c.VRRPInstance != nil || !srv.node.answersByDirector(c.IPv6()) {
		return
	}
	c.Complain(srv.at.name, "Two ways back", "In mode \"nat\" %s answers through the director, and this service has %s. Use one director, a vrrp_instance, or set gateway on the real server.", srv.node.Name, plural.Of(len(c.directors), "director"))
}

package topology

import (
	"fmt"
	"net/netip"
	"slices"
)

// checkVIP refuses a VIP that is a node's own address, and one for which a director has
// no device.
func (c *serviceCheck) checkVIP() {
	if !c.vip.IsValid() {
		return
	}
	at := c.raw.VIP.Expr.Range()
	for _, d := range c.directors {
		if _, subnet, ok := d.On(c.vip); ok {
			if err := hostOf(c.vip, subnet); err != nil {
				c.Complain(at, "Not a usable address", "vip is %s: %s, on %s.", c.vip, err, d.Name)
				return
			}
		}
	}
	owner := c.owners[c.vip]
	switch {
	case owner == nil:
	case !slices.Contains(c.directors, owner):
		c.Complain(at, "VIP is a node's own address", "%s is an address of %s. A VIP is an address that no node has for itself; choose another one.", c.vip, owner.Name)
	case owner.DIP == c.vip:
		c.Complain(at, "VIP is the DIP", "%s is also the address with which %s speaks to the real servers. Use another VIP, or set dip of %s to another of its addresses.", c.vip, owner.Name, owner.Name)
	case len(c.directors) > 1:
		c.Complain(at, "VIP is a node's own address", "%s is %s's own address, so the other directors of this service cannot hold it. Use another VIP.", c.vip, owner.Name)
	case c.Port == 0 && c.FWMark == 0:
		c.Complain(c.raw.Port.Expr.Range(), "Port 0 on a node's own address", "Port 0 takes every port of %s, SSH included, and that is how %s is reached. Use a VIP of its own.", c.vip, owner.Name)
	}
}

// checkDevice refuses an interface for the VIP that one of the directors does not have.
func (c *serviceCheck) checkDevice() {
	if c.Interface == "" {
		return
	}
	for _, d := range c.directors {
		if !d.broken {
			d.hasDevice(c.Interface, c.raw.Interface)
		}
	}
}

// checkPort refuses the ports that ipvsadm or the kernel refuse.
func (c *serviceCheck) checkPort() {
	if c.Port == 0 && c.FWMark == 0 && c.Persistence == nil {
		c.Complain(c.raw.Port.Expr.Range(), "Port 0 without persistence", "Port 0 takes every port, which IPVS does for persistent services only. Write the port, or add persistence { }.")
	}
	if c.OnePacket && c.Protocol != UDP && c.FWMark == 0 {
		c.Complain(c.raw.OnePacket.Expr.Range(), "one_packet without UDP", "One-packet scheduling treats each datagram by itself, and this service is %s. It needs protocol = \"udp\", or a fwmark.", c.Protocol)
	}
}

// checkKeepalived refuses a sorry server and a health check without keepalived.
func (c *serviceCheck) checkKeepalived() {
	if c.VRRPInstance != nil {
		return
	}
	const why = "%s is keepalived's work, and it runs the services whose directors are exactly a vrrp_instance's. Write such a vrrp_instance, or remove this."
	if c.raw.SorryServer != nil {
		c.Complain(c.raw.SorryServer.Range, "No keepalived here", why, "A sorry_server")
	}
	if c.raw.HealthCheck != nil {
		c.Complain(c.raw.HealthCheck.Range, "No keepalived here", why, "A health_check")
	}
}

// serviceOnDirector identifies a service on one director, as its kernel does.
type serviceOnDirector struct {
	director *node
	vip      netip.Addr
	protocol Protocol
	port     uint16
	mark     uint32
	ipv6     bool
}

// checkServicesOfDirectors compares the services of each director: two must not be the
// same for the kernel, and a VIP that two have must be written alike in both.
func (l *loader) checkServicesOfDirectors() {
	services := map[serviceOnDirector]*service{}
	type vipOn struct {
		director *node
		vip      netip.Addr
	}
	vips := map[vipOn]*service{}
	holder := map[netip.Addr]*node{}
	for _, s := range l.services {
		if s.broken {
			continue
		}
		for _, d := range s.directors {
			key := serviceOnDirector{director: d, vip: s.vip, protocol: s.Protocol, port: s.Port}
			if s.FWMark != 0 {
				key = serviceOnDirector{director: d, mark: s.FWMark, ipv6: s.IPv6()}
			}
			if first := services[key]; first != nil {
				l.Complain(s.Range, "Virtual server twice", "%s and %s are both %s on %s. Put their real servers into one of them.", first.Name, s.Name, s.what(), d.Name)
				break
			}
			services[key] = s
			if !s.vip.IsValid() {
				continue
			}
			on := vipOn{d, s.vip}
			if first := vips[on]; first == nil {
				vips[on] = s
			} else if first.VIP != s.VIP || first.Interface != s.Interface {
				l.Complain(s.raw.VIP.Expr.Range(), "One VIP in two ways", "%s holds %s for %s already, with another prefix length or interface. Write vip and interface alike in both.", d.Name, s.vip, first.Name)
				break
			}
			if first := holder[s.vip]; first == nil {
				holder[s.vip] = d
			} else if first != d && s.VRRPInstance == nil {
				l.Warn(s.raw.VIP.Expr.Range(), "VIP on several directors", "%s and %s both hold %s and both answer for it. Where they share a LAN, let one hold it at a time: write a vrrp_instance.", first.Name, d.Name, s.vip)
			}
		}
	}
}

// what is the service's identity in words, for a diagnostic.
func (s *service) what() string {
	if s.FWMark != 0 {
		return fmt.Sprintf("fwmark %d", s.FWMark)
	}
	return fmt.Sprintf("%s %s", s.Protocol, netip.AddrPortFrom(s.vip, s.Port))
}

package topology

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
)

var (
	tunnelTypes = []string{"ipip", string(GUE), string(GRE)}
	checksums   = []string{"none", string(ChecksumInner), string(ChecksumRemote)}
)

// readTunnel reads a tunnel block in something of that mode: a service or a real server.
func (s scope) readTunnel(raw *rawTunnel, mode Mode, what string) Tunnel {
	if raw == nil {
		return Tunnel{}
	}
	if mode != TUN && mode != "" {
		s.Refuse(raw.Range, "tunnel without mode tun", "tunnel says what mode \"tun\" wraps packets in, and this %s is %s. Remove it, or write mode = \"tun\".", what, lang.Quote(string(mode)))
		return Tunnel{}
	}
	s.Require(raw.Type, "type", raw.Range, "A tunnel needs a type: "+lang.OrList(tunnelTypes)+".")
	kind, ok := s.Choice(raw.Type, tunnelTypes)
	if !ok {
		return Tunnel{}
	}
	var t Tunnel
	if kind != "ipip" {
		t.Type = TunnelType(kind)
	}
	s.readTunnelPort(raw, &t)
	s.readChecksum(raw, &t)
	return t
}

// readTunnelPort reads the port, which gue has and no other tunnel: ipvsadm refuses both
// gue without one and another tunnel with one.
func (s scope) readTunnelPort(raw *rawTunnel, t *Tunnel) {
	switch {
	case t.Type == GUE:
		s.Require(raw.Port, "port", raw.Range, "A gue tunnel needs the UDP port at which real servers take the packets off, such as 6080.")
		if port, ok := s.Integer(raw.Port, 1, 65535); ok {
			t.Port = uint16(port)
		}
	case s.IsSet(raw.Port):
		s.Refuse(raw.Port.NameRange, "port without gue", "%s is an IP protocol of its own and has no port. Remove port, or write type = \"gue\".", t.name())
	}
}

// readChecksum reads the checksum. The kernel has one for gue and gre. A real server's gre0
// drops every packet with one, because it was not made with the option csum and cannot get
// it (ip_tunnel_rcv and ip_tunnel_changelink, net/ipv4/ip_tunnel.c).
func (s scope) readChecksum(raw *rawTunnel, t *Tunnel) {
	text, ok := s.Choice(raw.Checksum, checksums)
	switch {
	case !ok:
	case t.Type == "":
		s.Refuse(raw.Checksum.NameRange, "checksum with ipip", "An ipip packet has no place for a checksum. Remove checksum, or write type = \"gue\".")
	case text == "none":
	case t.Type == GRE:
		s.Refuse(raw.Checksum.NameRange, "checksum with gre", "The real servers' gre0 drops packets with a checksum. Remove checksum, or write type = \"gue\".")
	default:
		t.Checksum = Checksum(text)
	}
}

func (t Tunnel) name() string {
	if t.Type == "" {
		return "ipip"
	}
	return string(t.Type)
}

// TunnelDevice is the device by which the packets of a tun director come to a real server.
func (s Server) TunnelDevice() string {
	switch gre, ipv6 := s.Tunnel.Type == GRE, s.Address.Is6(); {
	case gre && ipv6:
		return "ip6gre0"
	case gre:
		return "gre0"
	case ipv6:
		return "ip6tnl0"
	}
	return "tunl0"
}

// checkTunnelPorts refuses a gue port at which a real server serves UDP. The kernel takes
// the port on all of the node's addresses (fou_create, net/ipv4/fou.c), so that no program
// can listen there.
func (l *loader) checkTunnelPorts() {
	type port struct {
		node   *node
		number uint16
	}
	udp := map[port]*service{}
	for _, s := range l.services {
		for _, srv := range s.servers {
			if s.Protocol == UDP && s.FWMark == 0 {
				udp[port{srv.node, srv.Port}] = s
			}
		}
	}
	said := map[hcl.Range]bool{}
	for _, s := range l.services {
		for _, srv := range s.servers {
			other := udp[port{srv.node, srv.Tunnel.Port}]
			if srv.Tunnel.Type != GUE || other == nil || s.broken || said[srv.at.tunnel] {
				continue
			}
			said[srv.at.tunnel] = true
			l.Complain(srv.at.tunnel, "Port in use", "%s takes gue packets at UDP port %d on all of its addresses, and serves %s at that port. Choose another port for the tunnel.", srv.node.Name, srv.Tunnel.Port, other.Name)
		}
	}
}

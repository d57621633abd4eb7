package adopt

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// virtual_server of keepalived.conf, with its real servers. keepalived lets a statement stand
// in any order, so some are kept until the whole block was read.

// service reads what is in a virtual_server.
func (r *keepalivedReader) service(s *service, block *keepalived.Block) {
	s.scheduler, s.mode = defaultScheduler, topology.NAT
	s.check = topology.HealthCheck{Interval: keepalivedInterval}
	defaults := checkDefaults{retries: -1}
	var servers []*keepalived.Block
	var mask *keepalived.Block
	var engine string
	for _, b := range block.Inside {
		switch b.Word(0) {
		case "delay_loop":
			s.check.Interval = r.seconds(s, b, keepalivedInterval)
		case "connect_timeout":
			defaults.timeout = r.seconds(s, b, 0)
		case "retry":
			defaults.retries = r.number(s, b, 0, 100, -1)
		case "lb_algo", "lvs_sched":
			s.scheduler = r.scheduler(s, b)
		case "lb_kind", "lvs_method":
			s.mode, s.tunnel = r.mode(s, b, topology.NAT)
		case "sh-port", "sh-fallback", "mh-port", "mh-fallback":
			s.flags = append(s.flags, b.Word(0))
		case "persistence_timeout":
			timeout := 360 // PERSISTENCE_TIMEOUT, check_data.h
			if len(b.Words) > 1 {
				timeout = r.number(s, b, 0, 31*24*3600, 0)
			}
			if timeout > 0 {
				s.persistence = &topology.Persistence{Timeout: timeout, Netmask: full(s.ipv6)}
			}
		case "persistence_granularity":
			mask = b
		case "persistence_engine":
			engine = b.Word(1)
			if engine != "sip" {
				r.misread(s, b, "is left out")
				engine = ""
			}
		case "protocol":
			r.protocol(s, b)
		case "ip_family":
			s.ipv6 = s.ipv6 || b.Word(1) == "inet6"
		case "ops":
			s.onePacket = true
		case "sorry_server":
			r.sorry(s, b)
		case "real_server":
			servers = append(servers, b)
		default:
			r.unsaid(s, b)
		}
	}
	for _, b := range servers {
		r.server(s, b, defaults)
	}
	if s.mark != 0 && len(s.servers) > 0 {
		s.ipv6 = s.servers[0].addr.Is6()
		if s.persistence != nil {
			s.persistence.Netmask = full(s.ipv6)
		}
	}
	if mask != nil {
		r.granularity(s, mask)
	}
	if engine != "" {
		if s.persistence == nil {
			s.persistence = &topology.Persistence{Timeout: 360, Netmask: full(s.ipv6)}
		}
		s.persistence.Engine = engine
	}
}

func (r *keepalivedReader) scheduler(s *service, b *keepalived.Block) string {
	if !slices.Contains(schedulers, b.Word(1)) {
		r.lost(s, at(b), "%q is no scheduler that lvsctl knows, and keepalived takes wlc in its place.", b.Word(1))
		return defaultScheduler
	}
	return b.Word(1)
}

var schedulers = []string{"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"}

func (r *keepalivedReader) mode(s *service, b *keepalived.Block, without topology.Mode) (topology.Mode, topology.Tunnel) {
	m, ok := map[string]topology.Mode{"NAT": topology.NAT, "DR": topology.DR, "TUN": topology.TUN}[b.Word(1)]
	if !ok {
		r.misread(s, b, "the mode is "+string(without))
		return without, topology.Tunnel{}
	}
	method, err := keepalived.ReadMethod(b.Words[1:])
	if err != nil {
		r.lost(s, at(b), "%q is left out: %s.", strings.Join(b.Words[2:], " "), err)
		return m, topology.Tunnel{}
	}
	tunnel, lost := tunnelOf(state.Wrapping{Type: method.Type, Port: method.Port, Checksum: method.Checksum})
	if lost != "" {
		r.lost(s, at(b), "%s", lost)
	}
	return m, tunnel
}

func (r *keepalivedReader) protocol(s *service, b *keepalived.Block) {
	p, ok := map[string]topology.Protocol{"TCP": topology.TCP, "UDP": topology.UDP, "SCTP": topology.SCTP}[strings.ToUpper(b.Word(1))]
	switch {
	case !ok:
		r.misread(s, b, "the protocol is tcp")
	case s.mark != 0:
		if p != topology.TCP {
			r.lost(s, at(b), "protocol %s is left out: a fwmark service is for whatever has the mark.", b.Word(1))
		}
	default:
		s.protocol = p
	}
}

// granularity reads a mask: dotted for IPv4, a length for IPv6.
func (r *keepalivedReader) granularity(s *service, b *keepalived.Block) {
	bits, ok := maskLength(b.Word(1), s.ipv6)
	switch {
	case !ok:
		r.misread(s, b, "each client is by itself")
	case s.persistence == nil:
		if bits < full(s.ipv6) {
			r.lost(s, at(b), "persistence_granularity is left out: there is no persistence_timeout.")
		}
	default:
		s.persistence.Netmask = bits
	}
}

// maskLength reads a dotted mask of IPv4, or a prefix length.
func maskLength(word string, ipv6 bool) (int, bool) {
	if n, err := strconv.Atoi(word); err == nil {
		return n, n >= 1 && n <= full(ipv6)
	}
	a, err := netip.ParseAddr(word)
	if err != nil || !a.Is4() || ipv6 {
		return 0, false
	}
	b := a.As4()
	m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	n := 0
	for ; m&(1<<31) != 0; m <<= 1 {
		n++
	}
	return n, m == 0 && n > 0
}

func (r *keepalivedReader) sorry(s *service, b *keepalived.Block) {
	a, err := netip.ParseAddr(b.Word(1))
	port := uint64(s.port)
	if err == nil && b.Word(2) != "" {
		port, err = strconv.ParseUint(b.Word(2), 10, 16)
	}
	if err != nil {
		r.misread(s, b, "is left out")
		return
	}
	s.sorry, s.sorryAt = netip.AddrPortFrom(a.Unmap(), uint16(port)), at(b)
	for _, inside := range b.Inside {
		r.unsaid(s, inside)
	}
}

// server reads a real_server.
func (r *keepalivedReader) server(s *service, block *keepalived.Block, defaults checkDefaults) {
	a, err := netip.ParseAddr(block.Word(1))
	port := uint64(s.port)
	if err == nil && block.Word(2) != "" {
		port, err = strconv.ParseUint(block.Word(2), 10, 16)
	}
	if err != nil || a.Zone() != "" {
		r.misread(s, block, "the real server is left out")
		return
	}
	v := &server{place: at(block), addr: a.Unmap(), port: uint16(port), weight: 1, mode: s.mode, tunnel: s.tunnel}
	var checks []*keepalived.Block
	for _, b := range block.Inside {
		switch b.Word(0) {
		case "weight":
			v.weight = r.number(s, b, 0, 65535, 1)
			if len(b.Words) > 2 {
				r.lost(s, at(b), "%q is left out of %q.", strings.Join(b.Words[2:], " "), strings.Join(b.Words, " "))
			}
		case "uthreshold":
			v.upper = r.number(s, b, 0, 1<<31-1, 0)
		case "lthreshold":
			v.lower = r.number(s, b, 0, 1<<31-1, 0)
		case "lvs_method", "lb_kind":
			v.mode, v.tunnel = r.mode(s, b, s.mode)
		case "connect_timeout":
			defaults.timeout = r.seconds(s, b, 0)
		case "retry":
			defaults.retries = r.number(s, b, 0, 100, -1)
		case "TCP_CHECK", "HTTP_GET", "SSL_GET", "MISC_CHECK", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "PING_CHECK", "BFD_CHECK", "FILE_CHECK":
			checks = append(checks, b)
		default:
			r.unsaid(s, b)
		}
	}
	for i, b := range checks {
		if i > 0 {
			r.lost(s, at(b), "%s is left out: a real server has one check in a topology, and here is another one before it.", b.Word(0))
			continue
		}
		v.check = r.checker(s, v, b, defaults)
		v.check.Interval = s.check.Interval
	}
	s.servers = append(s.servers, v)
}

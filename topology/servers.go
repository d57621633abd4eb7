package topology

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// A server is a Server while it is read and checked.
type server struct {
	Server
	node *node
	at   servedAt
}

// servedAt holds where a server's name, port, mode and tunnel are written. For one that is
// not written it is the place of the name.
type servedAt struct{ name, port, mode, tunnel hcl.Range }

// at is the servedAt of a server of which only the name is written, and perhaps the weight.
func (s *service) at(name hcl.Range) servedAt {
	at := servedAt{name, name, name, name}
	if s.raw.Tunnel != nil {
		at.tunnel = s.raw.Tunnel.Range
	}
	return at
}

// readServers reads a service's real servers, in the short form (real_servers) and in the
// long one (real_server blocks).
func (l *loader) readServers(s *service) {
	before := s.Errors
	seen := map[serverKey]hcl.Range{}
	if s.IsSet(s.raw.ServerList) {
		l.readServerList(s, seen)
	}
	for _, raw := range s.raw.Servers {
		l.readServerBlock(s, raw, seen)
	}
	if len(s.servers) == 0 && s.Errors == before {
		s.Warn(s.Range, "Virtual server without real servers", "%s has no real servers: clients are refused until it has some.", s.Name)
	}
}

// serverKey identifies a real server within a service, as in IPVS.
type serverKey struct {
	node *node
	port uint16
}

// readServerList reads a list of names, or a map of names to weights.
func (l *loader) readServerList(s *service, seen map[serverKey]hcl.Range) {
	a := s.raw.ServerList
	v, ok := s.Value(a, cty.DynamicPseudoType)
	if !ok {
		return
	}
	if !v.Type().IsMapType() && !v.Type().IsObjectType() {
		words, _ := s.Texts(a)
		for _, w := range words {
			l.addServers(s, w, Server{Port: s.Port, Weight: 1, Mode: s.Mode, Tunnel: s.Tunnel, Range: w.At}, s.at(w.At), seen)
		}
		return
	}
	entries, _ := s.Entries(a)
	for _, e := range entries {
		if weight, ok := s.Whole("The weight of "+lang.Quote(e.Key), e.Value, e.At, 0, mostWeight); ok {
			l.addServers(s, e, Server{Port: s.Port, Weight: weight, Mode: s.Mode, Tunnel: s.Tunnel, Range: e.At}, s.at(e.At), seen)
		}
	}
}

// mostWeight is the largest weight that each ipvsadm accepts. Debian's accepts more.
const mostWeight = 65535

func (l *loader) readServerBlock(s *service, raw rawServer, seen map[serverKey]hcl.Range) {
	srv := Server{Port: s.Port, Mode: s.Mode, Range: raw.Range}
	at := s.at(raw.NameRange)
	srv.Weight = s.IntegerOr(raw.Weight, 0, mostWeight, 1)
	if port, ok := s.Integer(raw.Port, 0, 65535); ok {
		srv.Port, at.port = uint16(port), raw.Port.Expr.Range()
	}
	if m, ok := s.Choice(raw.Mode, modes); ok {
		srv.Mode, at.mode = Mode(m), raw.Mode.Expr.Range()
	}
	if srv.Mode == TUN {
		srv.Tunnel = s.Tunnel
	}
	if raw.Tunnel != nil {
		srv.Tunnel, at.tunnel = s.readTunnel(raw.Tunnel, srv.Mode, "real server"), raw.Tunnel.Range
	}
	srv.Upper = s.IntegerOr(raw.Upper, 0, 1<<31-1, 0)
	srv.Lower = s.IntegerOr(raw.Lower, 0, 1<<31-1, 0)
	if srv.Lower > srv.Upper && raw.Lower != nil && (raw.Upper == nil || s.IsSet(raw.Upper)) {
		s.Refuse(raw.Lower.Expr.Range(), "Thresholds crossed", "lower_threshold is %d and upper_threshold is %d. A server that reached the upper one is used again below the lower one, which must not be the greater.", srv.Lower, srv.Upper)
	}
	l.addServers(s, lang.Element{Key: raw.Name, At: raw.NameRange}, srv, at, seen)
}

// addServers adds the node, or all nodes of the group, that w names.
func (l *loader) addServers(s *service, w lang.Element, srv Server, at servedAt, seen map[serverKey]hcl.Range) {
	found, ok := l.members("A real server of "+s.Name, w, RealServer, Director)
	if !ok {
		return
	}
	if !l.grow(len(found)*max(len(s.directors), 1), w.At) {
		return
	}
	for _, n := range found {
		key := serverKey{n, srv.Port}
		if first, twice := seen[key]; twice {
			s.Refuse(w.At, "Real server named twice", "%s is in this service already, at %s.", n.Name, first)
			continue
		}
		seen[key] = w.At
		if n.Role == Director && !slices.Contains(s.directors, n) {
			if len(s.directors) > 0 {
				s.Refuse(w.At, "Director of another service", "%s is a director, and can only serve what it directs itself. Add it to this service's directors, or describe it as a real_server.", n.Name)
			}
			continue
		}
		srv.Node = n.Node
		s.servers = append(s.servers, server{Server: srv, node: n, at: at})
	}
}

// address is the address by which a service reaches a server. It is the RIP if that is of
// the service's family, or else the server's first address of that family. A tunnel can
// carry one family in the other, so with tun it may be a RIP of the other family.
func (s *service) address(srv server) (netip.Addr, bool) {
	rip := srv.own()
	if !s.vip.IsValid() || rip.Is6() == s.vip.Is6() {
		return rip, rip.IsValid()
	}
	if first, ok := srv.node.First(s.vip.Is6()); ok {
		return first, true
	}
	return rip, srv.Mode == TUN && rip.IsValid()
}

package topology

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// A server is a Server while it is checked.
type server struct {
	Server
	node *node
	at   servedAt
}

// servedAt is where each thing about a server was written; the server's own
// place where nothing was.
type servedAt struct{ name, port, mode hcl.Range }

// readServers reads the short form and the long form.
func (l *loader) readServers(s *service) {
	before := s.errors
	seen := map[serverKey]hcl.Range{}
	if s.isSet(s.raw.ServerList) {
		l.readServerList(s, seen)
	}
	for _, raw := range s.raw.Servers {
		l.readServerBlock(s, raw, seen)
	}
	if len(s.servers) == 0 && s.errors == before {
		s.warn(s.Range, "Virtual server without real servers", "%s has no real servers: clients are refused until it has some.", s.Name)
	}
}

// serverKey is what IPVS knows a real server by within a service.
type serverKey struct {
	node *node
	port uint16
}

// readServerList reads a list of names, or a map of names to weights.
func (l *loader) readServerList(s *service, seen map[serverKey]hcl.Range) {
	a := s.raw.ServerList
	v, ok := s.value(a, cty.DynamicPseudoType)
	if !ok {
		return
	}
	if !v.Type().IsMapType() && !v.Type().IsObjectType() {
		words, _ := s.texts(a)
		for _, w := range words {
			l.addServers(s, w, Server{Port: s.Port, Weight: 1, Mode: s.Mode, Range: w.at}, servedAt{w.at, w.at, w.at}, seen)
		}
		return
	}
	entries, _ := s.entries(a)
	for _, e := range entries {
		weight, err := convert.Convert(e.value, cty.Number)
		if err != nil || weight.IsNull() || enormous(weight) {
			s.refuse(e.at, "Wrong kind of value", "The weight of %s must be a number.", quote(e.key))
			continue
		}
		if weight, ok := s.whole("The weight of "+quote(e.key), weight, e.at, 0, mostWeight); ok {
			l.addServers(s, e, Server{Port: s.Port, Weight: weight, Mode: s.Mode, Range: e.at}, servedAt{e.at, e.at, e.at}, seen)
		}
	}
}

// mostWeight is what ipvsadm accepts everywhere; Debian's accepts more.
const mostWeight = 65535

func (l *loader) readServerBlock(s *service, raw rawServer, seen map[serverKey]hcl.Range) {
	srv := Server{Port: s.Port, Mode: s.Mode, Range: raw.Range}
	at := servedAt{name: raw.NameRange, port: raw.NameRange, mode: raw.NameRange}
	srv.Weight = s.integerOr(raw.Weight, 0, mostWeight, 1)
	if port, ok := s.integer(raw.Port, 0, 65535); ok {
		srv.Port, at.port = uint16(port), raw.Port.Expr.Range()
	}
	if m, ok := s.choice(raw.Mode, modes); ok {
		srv.Mode, at.mode = Mode(m), raw.Mode.Expr.Range()
	}
	srv.Upper = s.integerOr(raw.Upper, 0, 1<<31-1, 0)
	srv.Lower = s.integerOr(raw.Lower, 0, 1<<31-1, 0)
	if srv.Lower > srv.Upper && raw.Lower != nil && (raw.Upper == nil || s.isSet(raw.Upper)) {
		s.refuse(raw.Lower.Expr.Range(), "Thresholds crossed", "lower_threshold is %d and upper_threshold is %d. A server that reached the upper one is used again below the lower one, which must not be the greater.", srv.Lower, srv.Upper)
	}
	l.addServers(s, element{key: raw.Name, at: raw.NameRange}, srv, at, seen)
}

// addServers adds the node, or the group, that a name stands for.
func (l *loader) addServers(s *service, w element, srv Server, at servedAt, seen map[serverKey]hcl.Range) {
	found, ok := l.members("A real server of "+s.Name, w, RealServer, Director)
	if !ok {
		return
	}
	for _, n := range found {
		key := serverKey{n, srv.Port}
		if first, twice := seen[key]; twice {
			s.refuse(w.at, "Real server named twice", "%s is in this service already, at %s.", n.Name, first)
			continue
		}
		seen[key] = w.at
		if n.Role == Director && !slices.Contains(s.directors, n) {
			if len(s.directors) > 0 {
				s.refuse(w.at, "Director of another service", "%s is a director, and can only serve what it directs itself. Add it to this service's directors, or describe it as a real_server.", n.Name)
			}
			continue
		}
		srv.Node = n.Node
		s.servers = append(s.servers, server{Server: srv, node: n, at: at})
	}
}

// address is where a service reaches a server: at its RIP, or at its first
// address of the service's family if the RIP is of the other one. A tunnel
// carries one family in the other, so it falls back to the RIP.
func (s *service) address(srv server) (netip.Addr, bool) {
	rip := srv.node.RIP
	if srv.node.Role == Director {
		rip = srv.node.DIP
	}
	if !s.vip.IsValid() || rip.Is6() == s.vip.Is6() {
		return rip, rip.IsValid()
	}
	if first, ok := srv.node.First(s.vip.Is6()); ok {
		return first, true
	}
	return rip, srv.Mode == TUN && rip.IsValid()
}

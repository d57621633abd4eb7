package state

import (
	"cmp"
	"encoding"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// RouteKey identifies a route. The kernel replaces a route that has the same destination,
// type of service, source, metric and table; if one of them differs, it keeps both routes
// (fib_table_insert, net/ipv4/fib_trie.c; fib6_add, net/ipv6/ip6_fib.c).
type RouteKey struct {
	Dst    netip.Prefix
	Metric uint32
	// TOS is the type of service in the words of ip, or "" for a route for every packet.
	// lvsctl wants only those.
	TOS string
	// Source are the addresses of senders that an IPv6 route is for, or the zero value for
	// a route for every packet. lvsctl wants only those.
	Source netip.Prefix
	// Table is the routing table in the words of ip, a number or a name, or "" for main.
	Table string
}

// Route holds where a route leads, and its other properties.
type Route struct {
	Via netip.Addr `json:"via,omitzero"`
	Dev string     `json:"dev,omitempty"`
	// Type is blackhole, unreachable or the like, or "" for unicast.
	Type string `json:"type,omitempty"`
	// Rest are the other words that ip printed: protocol, source, next hops. A wanted
	// route has at most onlink, and accepts a live one's Rest.
	Rest string `json:"rest,omitempty"`
	// Behind are further routes with the same key, in the words and the order of ip, one
	// on each line. IPv4 uses none of them while this one is there. IPv6 may use any.
	Behind string `json:"behind,omitempty"`
	// Learnt is set for a route from a router advertisement. It ends by itself, and would
	// not if lvsctl set it.
	Learnt bool `json:"learnt,omitempty"`
}

var (
	_ encoding.TextMarshaler   = RouteKey{}
	_ encoding.TextUnmarshaler = (*RouteKey)(nil)
)

// DefaultMetric6 is the metric that the kernel gives an IPv6 route without one
// (IP6_RT_PRIO_USER, include/net/ip6_route.h).
const DefaultMetric6 = 1024

// winningMetric6 is the metric of a wanted IPv6 route that would lose to another one with
// the default metric.
const winningMetric6 = 1

// learntLifetime is how long, in seconds, a route from a router advertisement stays after
// an undo. The router announces it again within 1800 s (RFC 4861, 6.2.1).
const learntLifetime = "1800"

// NewRouteKey makes a key in the main table. metric 0 means the family's default.
func NewRouteKey(dst netip.Prefix, metric uint32) RouteKey {
	if metric == 0 && dst.Addr().Is6() {
		metric = DefaultMetric6
	}
	return RouteKey{Dst: dst.Masked(), Metric: metric}
}

// ForAll reports whether the route is for every packet to its destination.
func (k RouteKey) ForAll() bool { return k.TOS == "" && !k.Source.IsValid() }

// IsDefault reports whether it is a default route.
func (k RouteKey) IsDefault() bool { return k.Dst.Bits() == 0 }

func (k RouteKey) String() string {
	s := k.destination()
	if k.Dst.Addr().Is6() && k.IsDefault() {
		s = "default6"
	}
	if k.ExplicitMetric() {
		s += " metric " + strconv.FormatUint(uint64(k.Metric), 10)
	}
	return s + k.suffix()
}

// suffix is the end of a key's text if it has a type of service, a source or another
// table than main.
func (k RouteKey) suffix() string {
	var s string
	if k.TOS != "" {
		s += " tos " + k.TOS
	}
	if k.Source.IsValid() {
		s += " from " + k.Source.String()
	}
	if k.Table != "" {
		s += " table " + k.Table
	}
	return s
}

// ExplicitMetric reports whether the metric differs from the family's default.
func (k RouteKey) ExplicitMetric() bool {
	return k.Metric != 0 && !(k.Dst.Addr().Is6() && k.Metric == DefaultMetric6)
}

func (k RouteKey) destination() string {
	if k.IsDefault() {
		return "default"
	}
	return k.Dst.String()
}

// MarshalText makes the key a JSON object's key.
func (k RouteKey) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%s metric %d%s", k.Dst, k.Metric, k.suffix()), nil
}

// UnmarshalText is the inverse of MarshalText.
func (k *RouteKey) UnmarshalText(text []byte) error {
	words := strings.Split(string(text), " ")
	bad := fmt.Errorf("cannot read route %q", text)
	if len(words) < 3 || len(words)%2 == 0 || words[1] != "metric" {
		return bad
	}
	p, err := netip.ParsePrefix(words[0])
	m, merr := strconv.ParseUint(words[2], 10, 32)
	if err != nil || merr != nil {
		return bad
	}
	read := RouteKey{Dst: p, Metric: uint32(m)}
	for i := 3; i < len(words); i += 2 {
		switch {
		case words[i] == "tos" && words[i+1] != "":
			read.TOS = words[i+1]
		case words[i] == "from":
			if read.Source, err = netip.ParsePrefix(words[i+1]); err != nil {
				return bad
			}
		case words[i] == "table" && words[i+1] != "":
			read.Table = words[i+1]
		default:
			return bad
		}
	}
	*k = read
	return nil
}

var routes = &table[RouteKey, Route]{
	kind: KindRoute,
	of:   func(s *State) *map[RouteKey]Route { return &s.Routes },
	compare: func(a, b RouteKey) int {
		return cmp.Or(a.Dst.Addr().Compare(b.Dst.Addr()), cmp.Compare(a.Dst.Bits(), b.Dst.Bits()), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.TOS, b.TOS), comparePrefixes(a.Source, b.Source), cmp.Compare(a.Table, b.Table))
	},
	key:   func(k RouteKey) Key { return k },
	value: Route.String,
	make: func(_ *State, k RouteKey, r Route) []shell.Command {
		switch {
		case r.Behind != "":
			return []shell.Command{RouteCommand("prepend", k, r)} // those behind it exist
		case k.Table != "":
			// Routes of other tables are read only if a policy leads there, so this one may
			// exist already.
			return []shell.Command{RouteCommand("replace", k, r)}
		}
		return []shell.Command{RouteCommand("add", k, r)}
	},
	edit: replaceRoute,
	unmake: func(_ *State, k RouteKey, r Route) []shell.Command {
		return []shell.Command{RouteCommand("del", k, r)}
	},
	fit:      fitRoutes,
	possible: (*State).accepts,
}

func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// onLink is ip's word for a next hop that is on the device's link, although it is in none
// of the device's subnets.
const onLink = "onlink"

// OnLink reports whether the route's next hop needs no subnet of the device.
func (r Route) OnLink() bool { return slices.Contains(strings.Fields(r.Rest), onLink) }

// ByGateway is a route through a next hop. offSubnet is set if that is in none of the
// device's subnets.
func ByGateway(via netip.Addr, dev string, offSubnet bool) Route {
	r := Route{Via: via, Dev: dev}
	if offSubnet && !via.IsLinkLocalUnicast() {
		r.Rest = onLink
	}
	return r
}

// accepts reports whether the kernel would accept a route: its next hop must be in a
// subnet of its device (fib_check_nh, net/ipv4/fib_semantics.c), unless it is onlink. A
// node that has lost its own address accepts no default route.
func (s *State) accepts(r Route) bool {
	if !r.Via.IsValid() || r.Via.IsLinkLocalUnicast() || r.OnLink() {
		return true
	}
	for k := range s.Addresses {
		if (k.Dev == r.Dev || r.Dev == "") && k.Prefix.Masked().Contains(r.Via) {
			return true
		}
	}
	for k, other := range s.Routes {
		if (other.Dev == r.Dev || r.Dev == "") && !other.Via.IsValid() && other.Type == "" && k.Dst.Contains(r.Via) {
			return true
		}
	}
	return false
}

func (r Route) String() string {
	var words []string
	if r.Type != "" {
		words = append(words, r.Type)
	}
	if r.Via.IsValid() {
		words = append(words, "via", r.Via.String())
	}
	if r.Dev != "" {
		words = append(words, "dev", r.Dev)
	}
	if !r.Via.IsValid() && r.Rest != "" {
		words = append(words, r.Rest)
	}
	return strings.Join(words, " ")
}

// rest returns the words that String leaves out, because only ip needs them.
func (r Route) rest() string {
	if r.Via.IsValid() {
		return r.Rest
	}
	return ""
}

// object is the next hop object (ip-nexthop(8)) that a route names, "" for none. ip takes
// nothing else of where the route leads then, although it prints it.
func (r Route) object() string {
	words := strings.Fields(r.Rest)
	if i := slices.Index(words, "nhid"); i >= 0 && i+1 < len(words) {
		return words[i+1]
	}
	return ""
}

// options are the words of Rest in a command.
func (r Route) options() []string {
	words := strings.Fields(r.Rest)
	if id := r.object(); id != "" {
		i := slices.Index(words, "nhid")
		words = slices.Delete(words, i, i+2)
		if hops := slices.Index(words, "nexthop"); hops >= 0 {
			words = words[:hops]
		}
		words = slices.DeleteFunc(words, func(w string) bool { return w == onLink })
	}
	return words
}

// RouteCommand is the ip route command with a verb: add, prepend, append, replace or del.
func RouteCommand(verb string, k RouteKey, r Route) shell.Command {
	family := "-4"
	if k.Dst.Addr().Is6() {
		family = "-6"
	}
	args := []string{"ip", family, "route", verb}
	object := r.object()
	if r.Type != "" && object == "" {
		args = append(args, r.Type)
	}
	args = append(args, k.destination())
	if k.Source.IsValid() {
		args = append(args, "from", k.Source.String())
	}
	if k.TOS != "" {
		args = append(args, "tos", k.TOS)
	}
	if object != "" {
		args = append(args, "nhid", object)
	}
	if r.Via.IsValid() && object == "" {
		args = append(args, "via", r.Via.String())
	}
	if r.Dev != "" && object == "" {
		args = append(args, "dev", r.Dev)
	}
	// Without a metric ip6_route_del deletes the first route to the destination, whatever
	// its metric.
	if k.ExplicitMetric() || verb == "del" && k.Metric != 0 {
		args = append(args, "metric", strconv.FormatUint(uint64(k.Metric), 10))
	}
	if verb != "del" {
		args = append(args, r.options()...)
		if r.Learnt {
			args = append(args, "expires", learntLifetime)
		}
	}
	if k.Table != "" {
		args = append(args, "table", k.Table)
	}
	return shell.Cmd(args...)
}

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

// RouteKey is a route's identity: the kernel replaces a route with the same
// destination, type of service and metric in the same table, and keeps one that
// differs in any of them beside it (fib_table_insert, net/ipv4/fib_trie.c).
type RouteKey struct {
	Dst    netip.Prefix
	Metric uint32
	// TOS is the type of service in ip's words; "" for a route that takes every
	// packet. lvsctl only ever wants those.
	TOS string
	// Table is the routing table in ip's words, a number or a name; "" for main.
	Table string
}

// Route is where a route leads.
type Route struct {
	Via netip.Addr `json:"via,omitzero"`
	Dev string     `json:"dev,omitempty"`
	// Type is blackhole, unreachable or the like; "" for unicast.
	Type string `json:"type,omitempty"`
	// Rest is what else ip printed of it, in its words: protocol, source, next
	// hops. A wanted route has at most onlink; it takes a live one's.
	Rest string `json:"rest,omitempty"`
	// Behind are further routes of the same identity, in ip's words and order, one
	// a line. IPv4 never takes them while this one is there; IPv6 may take any.
	Behind string `json:"behind,omitempty"`
	// Learnt reports a route by router advertisement: it ends by itself, and
	// setting it by hand would make it last.
	Learnt bool `json:"learnt,omitempty"`
}

var (
	_ encoding.TextMarshaler   = RouteKey{}
	_ encoding.TextUnmarshaler = (*RouteKey)(nil)
)

// DefaultMetric6 is the metric the kernel gives an IPv6 route that names none
// (IP6_RT_PRIO_USER, include/net/ip6_route.h).
const DefaultMetric6 = 1024

// winningMetric6 is what a route gets that another would win over.
const winningMetric6 = 1

// learntLifetime is how long, in seconds, a route by router advertisement is there
// when it is put back: long enough for the router to announce it again (at most
// 1800 s apart, RFC 4861, 6.2.1).
const learntLifetime = "1800"

// NewRouteKey makes a route's identity; metric 0 is the family's default.
func NewRouteKey(dst netip.Prefix, metric uint32) RouteKey {
	if metric == 0 && dst.Addr().Is6() {
		metric = DefaultMetric6
	}
	return RouteKey{Dst: dst.Masked(), Metric: metric}
}

// IsDefault reports whether it is the default route of its family.
func (k RouteKey) IsDefault() bool { return k.Dst.Bits() == 0 }

func (k RouteKey) String() string {
	s := k.destination()
	if k.Dst.Addr().Is6() && k.IsDefault() {
		s = "default6"
	}
	if k.ExplicitMetric() {
		s += " metric " + strconv.FormatUint(uint64(k.Metric), 10)
	}
	return s + k.apart()
}

// apart is what tells the key from one of the main table for every packet.
func (k RouteKey) apart() string {
	var s string
	if k.TOS != "" {
		s += " tos " + k.TOS
	}
	if k.Table != "" {
		s += " table " + k.Table
	}
	return s
}

// ExplicitMetric reports whether the metric is not the family's default.
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
	return fmt.Appendf(nil, "%s metric %d%s", k.Dst, k.Metric, k.apart()), nil
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
		return cmp.Or(a.Dst.Addr().Compare(b.Dst.Addr()), cmp.Compare(a.Dst.Bits(), b.Dst.Bits()), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.TOS, b.TOS), cmp.Compare(a.Table, b.Table))
	},
	key:   func(k RouteKey) Key { return k },
	value: Route.String,
	make: func(_ *State, k RouteKey, r Route) []shell.Command {
		switch {
		case r.Behind != "":
			return []shell.Command{RouteCommand("prepend", k, r)} // the others are there
		case k.Table != "":
			return []shell.Command{RouteCommand("replace", k, r)} // read only if a policy leads there
		}
		return []shell.Command{RouteCommand("add", k, r)}
	},
	edit: replaceRoute,
	unmake: func(_ *State, k RouteKey, r Route) []shell.Command {
		return []shell.Command{RouteCommand("del", k, r)}
	},
	fit:      fitRoutes,
	possible: (*State).takes,
}

// onLink is ip's word for a next hop that is taken to be on the device's own link,
// although no subnet says so.
const onLink = "onlink"

// OnLink reports whether the route's next hop needs no subnet of the device.
func (r Route) OnLink() bool { return slices.Contains(strings.Fields(r.Rest), onLink) }

// ByGateway is a route to a next hop; offSubnet says that it is on none of the
// subnets of its device.
func ByGateway(via netip.Addr, dev string, offSubnet bool) Route {
	r := Route{Via: via, Dev: dev}
	if offSubnet && !via.IsLinkLocalUnicast() {
		r.Rest = onLink
	}
	return r
}

// takes reports whether the kernel would take a route: its next hop has to be on a
// network of its device (fib_check_nh, net/ipv4/fib_semantics.c), unless it is
// onlink. A node that has lost its own address takes no default route.
func (s *State) takes(r Route) bool {
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

// rest is what String leaves out: it matters to ip, not to a reader.
func (r Route) rest() string {
	if r.Via.IsValid() {
		return r.Rest
	}
	return ""
}

// RouteCommand is ip route with a verb: add, prepend, append, replace, del.
func RouteCommand(verb string, k RouteKey, r Route) shell.Command {
	family := "-4"
	if k.Dst.Addr().Is6() {
		family = "-6"
	}
	args := []string{"ip", family, "route", verb}
	if r.Type != "" {
		args = append(args, r.Type)
	}
	args = append(args, k.destination())
	if k.TOS != "" {
		args = append(args, "tos", k.TOS)
	}
	if r.Via.IsValid() {
		args = append(args, "via", r.Via.String())
	}
	if r.Dev != "" {
		args = append(args, "dev", r.Dev)
	}
	// Without one ip6_route_del takes the first that leads there, whatever its
	// metric.
	if k.ExplicitMetric() || verb == "del" && k.Metric != 0 {
		args = append(args, "metric", strconv.FormatUint(uint64(k.Metric), 10))
	}
	if verb != "del" {
		args = append(args, strings.Fields(r.Rest)...)
		if r.Learnt {
			args = append(args, "expires", learntLifetime)
		}
	}
	if k.Table != "" {
		args = append(args, "table", k.Table)
	}
	return shell.Cmd(args...)
}

// fitRoutes accepts a live route that leads where the wanted one does: with
// whatever else it has, and for a default metric also under the metric of the
// node's best route to that destination. One of the record keeps its own.
//
// A live route leads somewhere else, too, if the kernel may choose another of the
// same metric (IPv6), and it is never replaced if a router announced it: then the
// wanted one gets a metric that wins.
func fitRoutes(live *State, old Record, have, want map[RouteKey]Route) {
	best, held := bestRoutes(live), heldRoutes(old, want)
	for k, w := range want {
		found := k
		if b, ok := best[k.Dst]; ok && k.Table == "" && !k.ExplicitMetric() {
			first := live.Routes[b]
			wins := first.leads(w) && !first.strays(b, w)
			mine, ok := held[k.Dst]
			if ok {
				found = mine
			} else if wins {
				found = b
			}
			if !wins && (b.Metric < found.Metric || b == found && first.beside(b)) {
				found.Metric = winningMetric6 // the default is not the best metric
			}
		}
		h, ok := live.Routes[found]
		if ok && h.leads(w) {
			w = h
		} else if ok {
			w.Behind = h.without(w)
		}
		if found != k {
			delete(want, k)
			delete(have, k)
		}
		want[found] = w
		if ok {
			have[found] = h
		}
	}
}

// strays reports whether the kernel may take another route of the same identity
// that leads elsewhere: IPv6 chooses among them by what it knows of their gateways
// (rt6_select, net/ipv6/route.c).
func (r Route) strays(k RouteKey, want Route) bool {
	return k.Dst.Addr().Is6() && r.without(want) != ""
}

// beside reports whether another route has to stand beside this one, instead of
// taking its place.
func (r Route) beside(k RouteKey) bool { return r.Learnt || k.Dst.Addr().Is6() && r.Behind != "" }

// without is Behind without what leads where another route does.
func (r Route) without(other Route) string {
	var lines []string
	for b := range r.behind() {
		if !b.leads(other) {
			lines = append(lines, b.words())
		}
	}
	return strings.Join(lines, "\n")
}

// leads reports whether a live route leads where a wanted one does.
func (r Route) leads(want Route) bool {
	return r.Via == want.Via && r.Dev == want.Dev && r.Type == ""
}

// bestRoutes are the routes that the kernel takes, by destination.
func bestRoutes(live *State) map[netip.Prefix]RouteKey {
	best := map[netip.Prefix]RouteKey{}
	for k := range live.Routes {
		if k.TOS != "" || k.Table != "" {
			continue // not for every packet
		}
		if b, ok := best[k.Dst]; !ok || k.Metric < b.Metric {
			best[k.Dst] = k
		}
	}
	return best
}

// heldRoutes are those of the record that stand for a wanted default metric: what
// was there before them would come back, and win, were they left.
func heldRoutes(old Record, want map[RouteKey]Route) map[netip.Prefix]RouteKey {
	held := map[netip.Prefix]RouteKey{}
	for k := range old.Set.Routes {
		if k.Table != "" {
			continue
		}
		_, wanted := want[k]
		winning := k.Dst.Addr().Is6() && k.Metric == winningMetric6 && !wanted
		if k.ExplicitMetric() && !winning {
			continue
		}
		if h, ok := held[k.Dst]; !ok || k.Metric < h.Metric {
			held[k.Dst] = k
		}
	}
	return held
}

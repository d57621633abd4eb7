package state

import (
	"cmp"
	"encoding"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// RouteKey is a route's identity in the main table: the kernel replaces a route
// with the same destination and metric, and keeps one with another metric
// beside it.
type RouteKey struct {
	Dst    netip.Prefix
	Metric uint32
}

// Route is where a route leads.
type Route struct {
	Via netip.Addr `json:"via,omitzero"`
	Dev string     `json:"dev,omitempty"`
	// Type is blackhole, unreachable or the like; "" for unicast.
	Type string `json:"type,omitempty"`
	// Rest is what else ip printed of it, in its words: protocol, source, next
	// hops. A wanted route has none; it takes a live one's.
	Rest string `json:"rest,omitempty"`
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

// NewRouteKey makes a route's identity; metric 0 is the family's default.
func NewRouteKey(dst netip.Prefix, metric uint32) RouteKey {
	if metric == 0 && dst.Addr().Is6() {
		metric = DefaultMetric6
	}
	return RouteKey{dst.Masked(), metric}
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
	return fmt.Appendf(nil, "%s metric %d", k.Dst, k.Metric), nil
}

// UnmarshalText is the inverse of MarshalText.
func (k *RouteKey) UnmarshalText(text []byte) error {
	dst, metric, ok := strings.Cut(string(text), " metric ")
	p, err := netip.ParsePrefix(dst)
	m, merr := strconv.ParseUint(metric, 10, 32)
	if err != nil || merr != nil || !ok {
		return fmt.Errorf("cannot read route %q", text)
	}
	*k = RouteKey{p, uint32(m)}
	return nil
}

var routes = &table[RouteKey, Route]{
	kind: KindRoute,
	of:   func(s *State) *map[RouteKey]Route { return &s.Routes },
	compare: func(a, b RouteKey) int {
		return cmp.Or(a.Dst.Addr().Compare(b.Dst.Addr()), cmp.Compare(a.Dst.Bits(), b.Dst.Bits()), cmp.Compare(a.Metric, b.Metric))
	},
	key:   func(k RouteKey) Key { return k },
	value: Route.String,
	make: func(_ *State, k RouteKey, r Route) []shell.Command {
		return []shell.Command{RouteCommand("add", k, r)}
	},
	edit: func(_ *State, k RouteKey, _, r Route) []shell.Command {
		return []shell.Command{RouteCommand("replace", k, r)}
	},
	unmake: func(_ *State, k RouteKey, r Route) []shell.Command {
		return []shell.Command{RouteCommand("del", k, r)}
	},
	fit: fitRoutes,
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

// RouteCommand is ip route with a verb: add, replace, del.
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
	}
	return shell.Cmd(args...)
}

// fitRoutes accepts a live route that leads where the wanted one does: with
// whatever else it has, and for a default metric also under the metric of the
// node's best route to that destination. One of the record keeps its own.
func fitRoutes(live *State, old Record, have, want map[RouteKey]Route) {
	best, held := bestRoutes(live), heldRoutes(old, want)
	for k, w := range want {
		found := k
		if b, ok := best[k.Dst]; ok && !k.ExplicitMetric() {
			wins := live.Routes[b].leads(w)
			mine, ok := held[k.Dst]
			if ok {
				found = mine
			} else if wins {
				found = b
			}
			if !wins && b.Metric < found.Metric {
				found.Metric = winningMetric6 // the default is not the best metric
			}
		}
		h, ok := live.Routes[found]
		if ok && h.leads(w) {
			w = h
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

// leads reports whether a live route leads where a wanted one does.
func (r Route) leads(want Route) bool {
	return r.Via == want.Via && r.Dev == want.Dev && r.Type == ""
}

// bestRoutes are the routes that the kernel takes, by destination.
func bestRoutes(live *State) map[netip.Prefix]RouteKey {
	best := map[netip.Prefix]RouteKey{}
	for k := range live.Routes {
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

package state

import (
	"net/netip"
	"strings"
)

// fitRoutes lets a live route stand for the wanted one if both have the same next hop and
// device. The live one's other words are accepted. If the wanted route has the default
// metric, the live one may have any, provided that it is the node's best route to the
// destination. A route in the record keeps its metric.
//
// In two cases the wanted route gets a metric that wins over a live one: if the kernel may
// choose another route of the same metric in its place (IPv6), and if the live route is
// from a router advertisement, which must not be replaced.
func fitRoutes(live *State, old Record, have, want map[RouteKey]Route) {
	best, recorded := bestRoutes(live), recordedRoutes(old, want)
	for k, w := range want {
		found := k
		if b, ok := best[k.Dst]; ok && k.Table == "" && !k.ExplicitMetric() {
			first := live.Routes[b]
			wins := first.sameHop(w) && !first.mayUseOther(b, w)
			mine, ok := recorded[k.Dst]
			if ok {
				found = mine
			} else if wins {
				found = b
			}
			if !wins && (b.Metric < found.Metric || b == found && first.mustStay(b)) {
				found.Metric = winningMetric6 // it is less than the default metric
			}
		}
		h, ok := live.Routes[found]
		if ok && h.sameHop(w) {
			w = h
		} else if ok {
			w.Behind = h.behindExcept(w)
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

// mayUseOther reports whether the kernel may use a route behind this one that leads
// elsewhere. IPv6 chooses among routes of one key by what it knows of their gateways
// (rt6_select, net/ipv6/route.c).
func (r Route) mayUseOther(k RouteKey, want Route) bool {
	return k.Dst.Addr().Is6() && r.behindExcept(want) != ""
}

// mustStay reports whether a wanted route must be added beside this one and not in its
// place.
func (r Route) mustStay(k RouteKey) bool { return r.Learnt || k.Dst.Addr().Is6() && r.Behind != "" }

// behindExcept is Behind without the routes that have the same next hop as other.
func (r Route) behindExcept(other Route) string {
	var lines []string
	for b := range r.behind() {
		if !b.sameHop(other) {
			lines = append(lines, b.words())
		}
	}
	return strings.Join(lines, "\n")
}

// sameHop reports whether a live route has the next hop and device of a wanted one.
func (r Route) sameHop(want Route) bool {
	return r.Via == want.Via && r.Dev == want.Dev && r.Type == ""
}

// bestRoutes returns the routes of the main table that the kernel uses, by destination.
func bestRoutes(live *State) map[netip.Prefix]RouteKey {
	best := map[netip.Prefix]RouteKey{}
	for k := range live.Routes {
		if !k.ForAll() || k.Table != "" {
			continue // it is not for every packet, or in another table
		}
		if b, ok := best[k.Dst]; !ok || k.Metric < b.Metric {
			best[k.Dst] = k
		}
	}
	return best
}

// recordedRoutes returns the routes of the record that may stand for a wanted route with
// the default metric, by destination. If such a route were given up for one with another
// metric, what was there before it would be restored, and win.
func recordedRoutes(old Record, want map[RouteKey]Route) map[netip.Prefix]RouteKey {
	list := map[netip.Prefix]RouteKey{}
	for k := range old.Set.Routes {
		if k.Table != "" {
			continue
		}
		_, wanted := want[k]
		winning := k.Dst.Addr().Is6() && k.Metric == winningMetric6 && !wanted
		if k.ExplicitMetric() && !winning {
			continue
		}
		if h, ok := list[k.Dst]; !ok || k.Metric < h.Metric {
			list[k.Dst] = k
		}
	}
	return list
}

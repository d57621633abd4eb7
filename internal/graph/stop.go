package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/lvsctl/lvsctl/topology"
)

// The stops of a way, which are the nodes that its packets pass, each once, and the columns
// that they stand in.

// stop is the index of a node's stop.
func (w *way) stop(n *topology.Node) int {
	s := Stop{Node: -1, Title: "clients"}
	if n != nil {
		i := w.folds[n]
		s = Stop{Node: i, Title: w.Nodes[i].Title, Mark: w.Nodes[i].Mark, Text: w.stopText(n, i)}
	}
	at, ok := w.stops[s.Node]
	if !ok {
		at = len(w.list)
		w.stops[s.Node] = at
		w.list = append(w.list, s)
	}
	return at
}

// stopText says which of C, VIP, DIP and RIP are a stop's.
func (w *way) stopText(n *topology.Node, fold int) []string {
	v := w.service
	members := w.members[fold]
	own := func(name string, of func(*topology.Node) (netip.Addr, bool)) []string {
		first, ok := of(members[0])
		last, _ := of(members[len(members)-1])
		if !ok {
			return nil
		}
		return []string{name + " " + span(first, last)}
	}
	switch n.Role {
	case topology.Client:
		return own(cip, func(n *topology.Node) (netip.Addr, bool) { return n.First(v.IPv6()) })
	case topology.Director:
		text := own(dip, func(n *topology.Node) (netip.Addr, bool) { return n.DIP, n.DIP.IsValid() })
		return append(text, w.weights(members)...)
	case topology.RealServer:
		text := own("RIP", func(n *topology.Node) (netip.Addr, bool) {
			for _, s := range v.RealServers {
				if s.Node == n {
					return s.Address, true
				}
			}
			return netip.Addr{}, false
		})
		return append(text, w.weights(members)...)
	}
	return nil
}

// weights are what a service gives to nodes that serve.
func (w *way) weights(members []*topology.Node) []string {
	var list []int
	for _, s := range w.service.RealServers {
		if slices.Contains(members, s.Node) {
			list = append(list, s.Weight)
		}
	}
	switch {
	case len(list) == 0:
		return nil
	case slices.Min(list) == slices.Max(list):
		return []string{"weight " + strconv.Itoa(list[0])}
	}
	return []string{fmt.Sprintf("weights %d to %d", slices.Min(list), slices.Max(list))}
}

// sort puts the stops into columns: clients, routers, directors, real servers.
func (w *way) sort() {
	column := func(s Stop) int {
		if s.Node < 0 {
			return 0
		}
		return slices.Index(roleOrder, w.Nodes[s.Node].Role)
	}
	order := make([]int, len(w.list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(column(w.list[a]), column(w.list[b])), cmp.Compare(w.list[a].Node, w.list[b].Node))
	})
	place := make([]int, len(order))
	sorted := make([]Stop, len(order))
	for i, old := range order {
		place[old], sorted[i] = i, w.list[old]
	}
	w.list = sorted
	for i := range w.steps {
		w.steps[i].From, w.steps[i].To = place[w.steps[i].From], place[w.steps[i].To]
	}
}

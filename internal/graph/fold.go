package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/maruel/natural"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/topology"
)

// Nodes that are drawn as one.
//
// A cluster has fifty real servers that differ by name and address only. They are drawn as
// one, "web-1 ... web-50 (50)", with the span of their addresses. What a person would see
// between two nodes keeps them apart: their networks, services, modes, ports and marks.

// titleNames is how many names and ranges a title has.
const titleNames = 3

// drawing is a topology while it is drawn.
type drawing struct {
	Graph
	topology *topology.Topology
	marks    map[string]Mark
	// folds are the index of Graph.Nodes by node, and members the other way round.
	folds   map[*topology.Node]int
	members [][]*topology.Node
}

// New draws a topology. marks are what is known of its nodes, by name; a real server in
// maintenance that has none is marked as such.
func New(t *topology.Topology, marks map[string]Mark) *Graph {
	d := &drawing{topology: t, marks: marks, folds: map[*topology.Node]int{}}
	d.Name = t.Name
	d.networks()
	d.fold()
	d.paths()
	return &d.Graph
}

// networks collects the networks that nodes are on.
func (d *drawing) networks() {
	for _, n := range d.topology.Nodes {
		for _, p := range n.Addresses() {
			if !slices.Contains(d.Networks, p.Masked()) {
				d.Networks = append(d.Networks, p.Masked())
			}
		}
	}
	slices.SortFunc(d.Networks, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
}

var roleOrder = []topology.Role{topology.Client, topology.Router, topology.Director, topology.RealServer}

// fold makes the Graph's nodes.
func (d *drawing) fold() {
	nodes := slices.Clone(d.topology.Nodes)
	slices.SortStableFunc(nodes, func(a, b *topology.Node) int {
		return cmp.Or(cmp.Compare(slices.Index(roleOrder, a.Role), slices.Index(roleOrder, b.Role)), natural.Compare(a.Name, b.Name))
	})
	known := map[string]int{}
	places := map[int][]int{}
	for place, n := range nodes {
		k := d.likeness(n)
		i, ok := known[k]
		if !ok {
			i = len(d.members)
			known[k] = i
			d.members = append(d.members, nil)
		}
		d.members[i] = append(d.members[i], n)
		d.folds[n] = i
		places[i] = append(places[i], place)
	}
	for i, members := range d.members {
		d.Nodes = append(d.Nodes, d.node(members, places[i]))
	}
}

// likeness is all of a node that a drawing shows but its name and addresses.
func (d *drawing) likeness(n *topology.Node) string {
	parts := []string{string(n.Role), fmt.Sprint(d.mark(n))}
	for dev, p := range n.Addresses() {
		parts = append(parts, dev+" "+p.Masked().String())
	}
	for _, v := range d.topology.Services {
		if slices.Contains(v.Directors, n) {
			parts = append(parts, "directs "+v.Name)
		}
		for _, s := range v.RealServers {
			if s.Node == n {
				parts = append(parts, fmt.Sprintf("serves %s %s %d", v.Name, s.Mode, s.Port))
			}
		}
	}
	return strings.Join(parts, "\n")
}

// mark is what is known of a node; maintenance is known from the topology alone.
func (d *drawing) mark(n *topology.Node) Mark {
	if m, ok := d.marks[n.Name]; ok && m.Level != Fine {
		return m
	}
	if n.Maintenance {
		return Mark{Away, "in maintenance"}
	}
	return Mark{}
}

// node is what is drawn of nodes alike.
func (d *drawing) node(members []*topology.Node, places []int) Node {
	first, last := members[0], members[len(members)-1]
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.Name
	}
	n := Node{Title: plural.Names(names, places, titleNames), Count: len(members), Role: first.Role, Mark: d.mark(first)}
	for i, dev := range first.Interfaces {
		for j, p := range dev.Addresses {
			n.Links = append(n.Links, Link{
				Device: dev.Name, Network: slices.Index(d.Networks, p.Masked()),
				Address: span(p.Addr(), last.Interfaces[i].Addresses[j].Addr()),
			})
		}
	}
	services := slices.Clone(d.topology.Services)
	slices.SortStableFunc(services, func(a, b *topology.VirtualServer) int { return a.VIP.Addr().Compare(b.VIP.Addr()) })
	for _, v := range services {
		if slices.Contains(v.Directors, first) && v.VIP.IsValid() {
			if vip := v.VIP.Addr().String() + " on " + v.Device(first); !slices.Contains(n.VIPs, vip) {
				n.VIPs = append(n.VIPs, vip)
			}
		}
	}
	return n
}

// span is an address, or the first and the last of several.
func span(first, last netip.Addr) string {
	if first == last {
		return first.String()
	}
	return first.String() + " ... " + last.String()
}

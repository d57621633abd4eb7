// Package graph draws a topology: which node is on which network, and the way of a
// packet of each virtual server, there and back.
//
// [New] makes a Graph of a topology, and what is known of its nodes if anything is.
// Mermaid, DOT and SVG print one. All three show the same: a table of nodes and
// networks, then a panel for each [Path]. To add a format: a file with a method.
//
// The SVG is laid out here: a table and lanes need no layout program, and text is
// measured by its characters. A library that lays graphs out would add 10 MB to the
// program (goccy/go-graphviz 0.2, a Graphviz as WebAssembly) or 30 MB (terrastruct/d2),
// and both need to be told where everything stands to draw this.
package graph

import (
	"net/netip"

	"github.com/lvsctl/lvsctl/topology"
)

// Graph is a topology as it is drawn.
type Graph struct {
	Name     string
	Nodes    []Node
	Networks []netip.Prefix // sorted
	Paths    []Path
}

// Node is a node, or several of a role that are drawn as one because nothing but their
// names and addresses differs: networks, services and marks are the same.
type Node struct {
	// Title names the nodes, Count says how many they are.
	Title string
	Count int
	Role  topology.Role
	Links []Link
	// VIPs are those that a director has on a device: "192.0.2.100 on eth0".
	VIPs []string
	Mark Mark
}

// Link is a device on a network.
type Link struct {
	Device  string
	Network int // index of Graph.Networks
	// Address is the node's own one there; of several nodes the first and the last.
	Address string
}

// Mark is what is known of a node beside the topology.
type Mark struct {
	Level Level
	// Text says it in a few words: "drained by ops@laptop since ..."; "" for nothing.
	Text string
}

// Level is how a mark is coloured.
type Level int

// The levels, a worse one after a better one. Away is drained or in maintenance.
const (
	Fine Level = iota
	Differs
	Away
	Down
)

// Path is the way of packets that virtual servers have in common.
type Path struct {
	// Titles are the virtual servers: "web  tcp 192.0.2.100:80  dr  rr".
	Titles []string
	Stops  []Stop
	Steps  []Step
}

// Stop is where packets pass, in the order of the way there. Node is the index of
// Graph.Nodes, or -1 for what the topology does not have: clients, other networks.
type Stop struct {
	Node  int
	Title string
	// Text are lines below the title: addresses, VIPs, weights.
	Text []string
	Mark Mark
}

// Step is a packet on its way from one stop to another, or what one does with it if
// both are the same.
type Step struct {
	From, To int // indices of Path.Stops
	Back     bool
	// Packet is its source and destination, Note what is done to it and why it goes
	// there. Out and In are the devices at both ends, "" if the topology does not say.
	Packet, Note string
	Out, In      string
}

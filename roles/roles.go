// Package roles makes the wanted State of each node of a topology.
//
// A role is a pure function from the topology to a wanted State. It takes a file and a
// line in the table below. Together the roles are the mode table of the README; package
// topology has refused topologies that contradict it.
//
// "wants" in a comment means that the function adds something to the wanted State.
package roles

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// Want is what a topology wants of one node.
type Want struct {
	Node  *topology.Node
	State *state.State
	// Ranges is the place in the topology that each entry of State comes from.
	Ranges map[state.Ref]hcl.Range
	// Schedulers are those that the node's kernel must have, sorted.
	Schedulers []string
	// Servers are the names of the real servers that the node forwards to, by address.
	Servers map[netip.Addr]string
	// Replies are the packets that the node answers with as a real server. ByRole marks
	// the routes and rules that are wanted only for them, and by no attribute of the
	// node.
	Replies []state.Reply
	ByRole  map[state.Ref]bool
	// Forwards are the keys of the devices that forwarding packets come in by, with the
	// service that takes it. The switch of all devices (ip_forward) sets them, so they are
	// no entries; but of a packet only its device's value counts (IN_DEV_FORWARD,
	// net/ipv4/route.c).
	Forwards map[string]hcl.Range
	// Destroy is set if nothing is wanted because the topology gives everything back.
	Destroy bool
	// Keepalived is what keepalived is to do on the node; nil for nothing. How that
	// is written depends on the version there.
	Keepalived *keepalived.Config
}

// table lists the roles. A client has none, because nothing is configured on it.
var table = []struct {
	applies func(*node) bool
	fill    func(*node)
}{
	{isDirector, director},
	{isPaired, paired},
	{isRealServer, realServer},
	{isRouter, router},
	{isManaged, common},
}

// Wants returns what every node but the clients should have, in the topology's order.
// The diagnostics are contradictions: of a node's own attributes with its role, or of two
// services with each other.
func Wants(t *topology.Topology) ([]Want, hcl.Diagnostics) {
	c := newCluster(t)
	var wants []Want
	var diags hcl.Diagnostics
	for _, tn := range t.Nodes {
		if tn.Role == topology.Client {
			continue
		}
		n := c.nodes[tn]
		for _, role := range table {
			if role.applies(n) {
				role.fill(n)
			}
		}
		diags = append(diags, n.diags...)
		wants = append(wants, n.want())
	}
	return wants, diags
}

// cluster is the topology with the indexes that the roles need.
type cluster struct {
	*topology.Topology
	nodes   map[*topology.Node]*node
	routers []*topology.Node
}

// node is a node whose wanted State is being filled.
type node struct {
	*topology.Node
	cluster *cluster
	state   *state.State
	ranges  map[state.Ref]hcl.Range
	diags   hcl.Diagnostics

	directs []*topology.VirtualServer
	serves  []serving
	// schedulers, servers and keepalived become those of [Want].
	schedulers map[string]bool
	servers    map[netip.Addr]string
	answers    []state.Reply // becomes Want.Replies
	byRole     map[state.Ref]bool
	forwards   map[string]hcl.Range
	keepalived *keepalived.Config
}

// serving is a service that a node serves and whose director is another node.
type serving struct {
	service *topology.VirtualServer
	server  topology.Server
}

func newCluster(t *topology.Topology) *cluster {
	c := &cluster{Topology: t, nodes: make(map[*topology.Node]*node, len(t.Nodes))}
	for _, tn := range t.Nodes {
		c.nodes[tn] = &node{
			Node: tn, cluster: c,
			state: state.New(), ranges: map[state.Ref]hcl.Range{},
			schedulers: map[string]bool{}, servers: map[netip.Addr]string{}, byRole: map[state.Ref]bool{},
		}
		if tn.Role == topology.Router {
			c.routers = append(c.routers, tn)
		}
	}
	for _, v := range t.Services {
		for _, d := range v.Directors {
			c.nodes[d].directs = append(c.nodes[d].directs, v)
		}
		for _, s := range v.RealServers {
			// A director that serves its own service has the VIP already, so it needs
			// nothing that a real server gets.
			if !slices.Contains(v.Directors, s.Node) {
				c.nodes[s.Node].serves = append(c.nodes[s.Node].serves, serving{v, s})
			}
		}
	}
	return c
}

func isDirector(n *node) bool   { return n.Role == topology.Director }
func isRealServer(n *node) bool { return len(n.serves) > 0 }
func isRouter(n *node) bool     { return n.Role == topology.Router }
func isManaged(n *node) bool    { return n.Role != topology.Client }

func (n *node) want() Want {
	w := Want{Node: n.Node, State: n.state, Ranges: n.ranges, Servers: n.servers, Keepalived: n.keepalived, Replies: n.answers, ByRole: n.byRole, Forwards: n.forwards}
	for s := range n.schedulers {
		w.Schedulers = append(w.Schedulers, s)
	}
	slices.Sort(w.Schedulers)
	return w
}

func (n *node) at(kind state.Kind, key state.Key, r hcl.Range) {
	n.ranges[state.Ref{Kind: kind, Key: key}] = r
}

// sysctl wants a kernel parameter. It refuses a second value for the same parameter. A
// parameter that has two keys is wanted under the first of them.
func (n *node) sysctl(key, value string, from hcl.Range) {
	written := state.SysctlKey(key)
	if at, needed := n.forwards[key]; needed && value == "0" {
		n.contradicts(written, value, "1", at, from)
		return
	}
	if other, ok := state.SameSysctl(key); ok {
		if _, wanted := n.state.Sysctls[other]; wanted {
			key = other
		}
	}
	ref := state.Ref{Kind: state.KindSysctl, Key: state.SysctlKey(key)}
	if old, ok := n.state.Sysctls[key]; ok && old != value {
		n.contradicts(written, value, old, n.ranges[ref], from)
		return
	}
	n.state.Sysctls[key] = value
	if _, ok := n.ranges[ref]; !ok {
		n.ranges[ref] = from
	}
}

// contradicts refuses a value of a kernel parameter, because a place needs another one.
func (n *node) contradicts(key state.Key, value, needed string, at, from hcl.Range) {
	n.diags = append(n.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Contradicting kernel parameter",
		Detail:   fmt.Sprintf("%s %q wants %s = %s here, but its role needs %s (%s). Remove one of the two.", n.Role, n.Name, key, value, needed, at),
		Subject:  from.Ptr(),
	})
}

func (n *node) module(name string, from hcl.Range) {
	n.state.Modules[name] = state.Module{}
	n.at(state.KindModule, state.Name(name), from)
}

func (n *node) tool(command string, from hcl.Range) {
	n.state.Packages[command] = state.Package{}
	n.at(state.KindPackage, state.Name(command), from)
}

func (n *node) address(p netip.Prefix, dev string, from hcl.Range) {
	k := state.AddressKey{Prefix: p, Dev: dev}
	n.state.Addresses[k] = state.Address{}
	n.at(state.KindAddress, k, from)
}

// route wants a route unless there is one with that key already: a node's own attributes
// come first, and override its role.
func (n *node) route(dst netip.Prefix, metric int, r state.Route, from hcl.Range) state.RouteKey {
	k := state.NewRouteKey(dst, uint32(metric))
	if _, ok := n.state.Routes[k]; ok {
		return k
	}
	n.state.Routes[k] = r
	n.at(state.KindRoute, k, from)
	return k
}

// hop makes a route through a next hop and a device. via may be zero. dev may be "":
// then it is the device in whose subnet via is.
func (n *node) hop(via netip.Addr, dev string) state.Route {
	if !via.IsValid() {
		return state.Route{Dev: dev}
	}
	on, _, near := n.On(via)
	if dev == "" {
		dev = on
	}
	return state.ByGateway(via, dev, !near)
}

// forward wants packets of a family to be forwarded that come from the addresses: all
// that are on a subnet of the node.
func (n *node) forward(ipv6 bool, from hcl.Range, senders ...netip.Addr) {
	family := "net/ipv4/conf/"
	if ipv6 {
		family = "net/ipv6/conf/"
		n.sysctl(state.IPv6Forwarding, "1", from)
	} else {
		n.sysctl("net/ipv4/ip_forward", "1", from)
	}
	for _, sender := range senders {
		if dev, _, near := n.On(sender); near {
			if n.forwards == nil {
				n.forwards = map[string]hcl.Range{}
			}
			n.forwards[family+dev+"/forwarding"] = from
		}
	}
}

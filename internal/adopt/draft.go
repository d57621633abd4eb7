// Package adopt makes a topology of a cluster that exists already.
//
// What is read somewhere becomes a [Draft]: a part of a topology, and remarks about what
// it does not say. [FromNodes] makes one of nodes that were read; each file from_*.go makes
// one of a kind of file. [Join] makes one draft of several, and [Write] its HCL.
//
// A new source of drafts is a file with a function that returns one. What the language
// cannot say is a [Remark] with Kind [Lost], never nothing.
package adopt

import (
	"cmp"
	"slices"

	"github.com/lvsctl/lvsctl/topology"
)

// A Draft is a topology, or a part of one, and what is to be said of it.
//
// Its nodes, services and instances refer to one another as in a topology that was
// loaded, and have the defaults filled in as there. Ranges are not used. Nodes with one
// Group are written as one block if they differ in values only.
type Draft struct {
	Topology *topology.Topology
	Remarks  []Remark
}

// New returns a draft without anything in it.
func New() Draft { return Draft{Topology: &topology.Topology{}} }

// A Remark is for the reader of the topology. It is a comment above its element, and a
// line on standard error.
type Remark struct {
	Kind Kind
	// At is what the remark is about. The zero Element is the topology.
	At Element
	// Source is where it was read: "lvs-1", or "/etc/keepalived/keepalived.conf:12".
	Source string
	// Text is a sentence, or several, without a line break.
	Text string
}

// Kind is what a remark says of its element.
type Kind string

// The kinds of remarks. Lost is something that was read and that the topology does not
// say. Guess is something that the topology says and that was not read. Note is neither.
const (
	Lost  Kind = "lost"
	Guess Kind = "guess"
	Note  Kind = "note"
)

// An Element is a block of a topology.
type Element struct {
	Block string // the type of the block: "director", "virtual_server"
	Name  string
}

// Of is the element of a node.
func Of(n *topology.Node) Element { return Element{string(n.Role), n.Name} }

// OfService is the element of a virtual server.
func OfService(v *topology.VirtualServer) Element { return Element{"virtual_server", v.Name} }

// OfInstance is the element of a vrrp_instance.
func OfInstance(v *topology.VRRPInstance) Element { return Element{"vrrp_instance", v.Name} }

// Remark adds a remark, unless the draft has it already.
func (d *Draft) Remark(r Remark) {
	if !slices.Contains(d.Remarks, r) {
		d.Remarks = append(d.Remarks, r)
	}
}

// Lost are the remarks of what was read and is not in the topology.
func (d Draft) Lost() []Remark {
	var list []Remark
	for _, r := range d.Remarks {
		if r.Kind == Lost {
			list = append(list, r)
		}
	}
	return list
}

// Node returns a new node with the defaults of its role.
func Node(name string, role topology.Role) *topology.Node {
	n := &topology.Node{Name: name, Role: role, Persist: auto, Packages: topology.PackagesInstall}
	if role == topology.RealServer {
		n.WayBack = topology.WayBackRoute
	}
	return n
}

// sortAll brings a draft into the order that a loaded topology has.
func (d *Draft) sortAll() {
	t := d.Topology
	slices.SortFunc(t.Nodes, func(a, b *topology.Node) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(t.Services, func(a, b *topology.VirtualServer) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(t.VRRP, func(a, b *topology.VRRPInstance) int { return cmp.Compare(a.Name, b.Name) })
	for _, n := range t.Nodes {
		slices.SortFunc(n.Sysctls, func(a, b topology.Sysctl) int { return cmp.Compare(a.Key, b.Key) })
	}
	for _, v := range t.Services {
		slices.Sort(v.SchedulerFlags)
		slices.SortFunc(v.Directors, func(a, b *topology.Node) int { return cmp.Compare(a.Name, b.Name) })
		slices.SortStableFunc(v.RealServers, func(a, b topology.Server) int {
			return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Node.Name, b.Node.Name))
		})
	}
}

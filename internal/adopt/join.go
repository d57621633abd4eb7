package adopt

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"

	"github.com/lvsctl/lvsctl/topology"
)

// Join makes one draft of several, in which each element is there once:
//
//   - Nodes are one if they have one name, or one address. What the first does not say, the
//     others add.
//   - Services are one if the kernel takes them for one and they are balanced alike: they get
//     the directors and real servers of all. Services that differ keep a name each.
//   - Instances are one if they have one name, and one number on one device. Their directors
//     are in order of priority.
//
// The drafts are not of use after that.
func Join(drafts ...Draft) Draft {
	j := joiner{
		Draft: New(),
		nodes: map[*topology.Node]*topology.Node{}, vrrp: map[*topology.VRRPInstance]*topology.VRRPInstance{}, renamed: map[Element]Element{},
		named: map[string]*topology.Node{}, owners: map[netip.Addr]*topology.Node{},
		services: map[serviceKey][]*topology.VirtualServer{}, taken: map[string]bool{},
	}
	for _, d := range drafts {
		t := d.Topology
		j.Topology.Name = cmp.Or(j.Topology.Name, t.Name)
		if j.Topology.SSH == (topology.SSH{}) {
			j.Topology.SSH = t.SSH
		}
		clear(j.renamed)
		for _, n := range t.Nodes {
			j.node(n)
		}
		for _, v := range t.VRRP {
			j.instance(v)
		}
		for _, v := range t.Services {
			j.service(v)
		}
		for _, r := range d.Remarks {
			if to, ok := j.renamed[r.At]; ok {
				r.At = to
			}
			j.Remark(r)
		}
	}
	j.sortAll()
	return j.Draft
}

// A joiner is a draft to which others are added. The maps lead from an added element to
// the one that it became.
type joiner struct {
	Draft
	nodes   map[*topology.Node]*topology.Node
	vrrp    map[*topology.VRRPInstance]*topology.VRRPInstance
	renamed map[Element]Element
	// What is in the draft already: nodes by name and by address, services by what they are
	// for a kernel, and their names.
	named    map[string]*topology.Node
	owners   map[netip.Addr]*topology.Node
	services map[serviceKey][]*topology.VirtualServer
	taken    map[string]bool
}

func (j *joiner) node(n *topology.Node) {
	before := Of(n)
	known := j.known(n)
	if known == nil {
		for j.named[n.Name] != nil {
			n.Name, n.Group = another(n.Name), ""
		}
		j.named[n.Name] = n
		j.Topology.Nodes = append(j.Topology.Nodes, n)
		known = n
	} else {
		complete(known, n)
	}
	for addr := range addresses(n) {
		j.owners[addr] = known
	}
	j.nodes[n] = known
	j.renamed[before] = Of(known)
}

// known is the node that n is already, or nil.
func (j *joiner) known(n *topology.Node) *topology.Node {
	for addr := range addresses(n) {
		if k := j.owners[addr]; k != nil {
			return k
		}
	}
	if k := j.named[n.Name]; k != nil && k.Role == n.Role && (len(k.Interfaces) == 0 || len(n.Interfaces) == 0) {
		return k
	}
	return nil
}

// addresses are those of a node that no other node can have.
func addresses(n *topology.Node) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for _, p := range n.Addresses() {
			if !p.Addr().IsLinkLocalUnicast() && !yield(p.Addr()) {
				return
			}
		}
	}
}

// complete adds to a node what another reading of it says. A node that is a director
// anywhere is one.
func complete(n, more *topology.Node) {
	if more.Role == topology.Director {
		n.Role = topology.Director
	}
	n.Address = cmp.Or(n.Address, more.Address)
	for _, i := range more.Interfaces {
		at := slices.IndexFunc(n.Interfaces, func(o topology.Interface) bool { return o.Name == i.Name })
		if at < 0 {
			n.Interfaces = append(n.Interfaces, without(i, n))
			continue
		}
		n.Interfaces[at].Addresses = append(n.Interfaces[at].Addresses, without(i, n).Addresses...)
	}
	n.Interfaces = slices.DeleteFunc(n.Interfaces, func(i topology.Interface) bool { return len(i.Addresses) == 0 })
	if !n.DIP.IsValid() {
		n.DIP = more.DIP
	}
	if !n.RIP.IsValid() {
		n.RIP = more.RIP
	}
	if n.Timeouts == nil {
		n.Timeouts = more.Timeouts
	}
	if n.Sync == nil {
		n.Sync = more.Sync
	}
}

// without is an interface without the addresses that a node has already.
func without(i topology.Interface, n *topology.Node) topology.Interface {
	i.Addresses = slices.DeleteFunc(slices.Clone(i.Addresses), func(p netip.Prefix) bool { return n.Owns(p.Addr()) })
	return i
}

func (j *joiner) instance(v *topology.VRRPInstance) {
	for i, d := range v.Directors {
		v.Directors[i] = j.nodes[d]
	}
	for _, k := range j.Topology.VRRP {
		if k.Name == v.Name && k.RouterID == v.RouterID && k.Interface == v.Interface {
			j.vrrp[v] = k
			mergeInstances(k, v)
			return
		}
	}
	before := OfInstance(v)
	for slices.ContainsFunc(j.Topology.VRRP, func(k *topology.VRRPInstance) bool { return k.Name == v.Name }) {
		v.Name = another(v.Name)
	}
	j.renamed[before] = OfInstance(v)
	j.vrrp[v] = v
	j.Topology.VRRP = append(j.Topology.VRRP, v)
}

// mergeInstances adds the directors and addresses of more to v.
func mergeInstances(v, more *topology.VRRPInstance) {
	type member struct {
		node     *topology.Node
		priority int
	}
	var all []member
	for _, from := range []*topology.VRRPInstance{v, more} {
		for i, d := range from.Directors {
			if !slices.ContainsFunc(all, func(m member) bool { return m.node == d }) {
				all = append(all, member{d, from.Priorities[i]})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b member) int { return cmp.Compare(b.priority, a.priority) })
	v.Directors, v.Priorities = nil, nil
	for _, m := range all {
		v.Directors, v.Priorities = append(v.Directors, m.node), append(v.Priorities, m.priority)
	}
	for _, a := range more.Addresses {
		if !slices.ContainsFunc(v.Addresses, func(o topology.FloatingAddress) bool { return o.Prefix == a.Prefix }) {
			v.Addresses = append(v.Addresses, a)
		}
	}
	v.AuthPass = cmp.Or(v.AuthPass, more.AuthPass)
	// All directors of a topology's instance are alike: one that must not take over
	// decides.
	v.Preempt = v.Preempt && more.Preempt
	v.Sync = v.Sync || more.Sync
}

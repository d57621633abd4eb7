package adopt

import (
	"cmp"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"

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

func (j *joiner) service(v *topology.VirtualServer) {
	for i, d := range v.Directors {
		v.Directors[i] = j.nodes[d]
	}
	for i := range v.RealServers {
		v.RealServers[i].Node = j.nodes[v.RealServers[i].Node]
	}
	if v.VRRPInstance != nil {
		v.VRRPInstance = j.vrrp[v.VRRPInstance]
	}
	before := OfService(v)
	key := keyOf(v)
	for _, k := range j.services[key] {
		if mergeServices(k, v) {
			j.renamed[before] = OfService(k)
			return
		}
	}
	for j.taken[v.Name] {
		v.Name = another(v.Name)
	}
	j.taken[v.Name] = true
	j.services[key] = append(j.services[key], v)
	j.renamed[before] = OfService(v)
	j.Topology.Services = append(j.Topology.Services, v)
}

// serviceKey is what a kernel knows a service by.
type serviceKey struct {
	vip      netip.Addr
	port     uint16
	protocol topology.Protocol
	mark     uint32
	ipv6     bool
}

func keyOf(v *topology.VirtualServer) serviceKey {
	if v.FWMark != 0 {
		return serviceKey{mark: v.FWMark, ipv6: v.IPv6()}
	}
	return serviceKey{vip: v.VIP.Addr(), port: v.Port, protocol: v.Protocol}
}

// mergeServices adds more to v. It returns false, and changes nothing, if they are balanced
// in different ways on different directors.
func mergeServices(v, more *topology.VirtualServer) bool {
	balance := func(s *topology.VirtualServer) string {
		p := topology.Persistence{}
		if s.Persistence != nil {
			p = *s.Persistence
		}
		return fmt.Sprint(s.Scheduler, s.SchedulerFlags, s.OnePacket, p.Timeout, p.Netmask, p.Engine)
	}
	type at struct {
		node *topology.Node
		port uint16
	}
	have := map[at]topology.Server{}
	for _, s := range v.RealServers {
		have[at{s.Node, s.Port}] = s
	}
	oneDirector := slices.Equal(v.Directors, more.Directors)
	fits := balance(v) == balance(more) || oneDirector
	for _, s := range more.RealServers {
		h, ok := have[at{s.Node, s.Port}]
		fits = fits && (oneDirector || ok && h.Weight == s.Weight && h.Mode == s.Mode && h.Tunnel == s.Tunnel && h.Upper == s.Upper && h.Lower == s.Lower)
	}
	if !fits || !oneDirector && len(v.RealServers) != len(more.RealServers) {
		return false
	}
	for _, d := range more.Directors {
		if !slices.Contains(v.Directors, d) {
			v.Directors = append(v.Directors, d)
		}
	}
	for _, s := range more.RealServers {
		if _, ok := have[at{s.Node, s.Port}]; !ok {
			v.RealServers = append(v.RealServers, s)
		}
	}
	if !v.VIP.IsValid() {
		v.VIP = more.VIP
	}
	if len(v.Marks) == 0 {
		v.Marks = more.Marks
	}
	if !v.SorryServer.IsValid() {
		v.SorryServer = more.SorryServer
	}
	if v.HealthCheck == nil {
		v.HealthCheck = more.HealthCheck
	}
	if v.VRRPInstance == nil {
		v.VRRPInstance = more.VRRPInstance
	}
	return true
}

// another is the next name after name: web, web-2, web-3.
func another(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		if n, err := strconv.Atoi(name[i+1:]); err == nil && n > 1 {
			return name[:i+1] + strconv.Itoa(n+1)
		}
	}
	return name + "-2"
}

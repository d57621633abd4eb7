package adopt

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// A Seen is a node that was read.
type Seen struct {
	// Name is what it is to be called.
	Name string
	// Role is what a person says that it is; "" to find out.
	Role topology.Role
	// Address is where SSH went; "" for the node's first address. SSH are the settings that
	// no ssh config has.
	Address string
	SSH     topology.SSH

	State *state.State
	// Record is what the topology has set there before; empty if it has not.
	Record state.Record
	Rules  []state.ListedRule
	// SSHServer is the node's end of the SSH connection; zero if it is not known.
	SSHServer netip.Addr
	// Keepalived is what a keepalived on the node does; nil for nothing.
	Keepalived *keepalived.Config
	// Owners are other programs that may change the IPVS table.
	Owners []string
}

// FromNodes makes a draft of nodes that were read. topology is its name, by which lvsctl
// has applied it before, or "".
//
// What each node is, it finds by what it does:
//
//	it has virtual services, or speaks VRRP               director
//	a director sends to one of its addresses              real server
//	it forwards packets, and is neither                   router
//	none of these                                         left out, with a remark
func FromNodes(name string, seen []Seen) Draft {
	f := &finder{Draft: New(), named: map[string]*found{}, owner: map[netip.Addr]*found{}, floating: map[netip.Addr]bool{}, names: map[state.ServiceKey]string{}, unseen: map[netip.Addr]*topology.Node{}}
	f.Topology.Name = name
	for _, s := range seen {
		n := &found{Seen: s}
		n.byKeepalived()
		f.nodes = append(f.nodes, n)
	}
	f.findFloating()
	f.findRules()
	f.findNodes()
	f.findServices()
	f.chooseAddresses()
	f.findUnseen()
	f.describe()
	f.findInstances()
	f.serve()
	f.assignInstances()
	f.findClients()
	f.sortAll()
	f.compare()
	f.findGroups()
	f.sortAll()
	slices.SortFunc(f.Remarks, func(a, b Remark) int {
		return cmp.Or(cmp.Compare(a.At.Block, b.At.Block), cmp.Compare(a.At.Name, b.At.Name), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Text, b.Text))
	})
	return f.Draft
}

// A finder makes a draft of nodes.
type finder struct {
	Draft
	nodes []*found
	named map[string]*found
	// owner is the node of each address that is a node's own.
	owner map[netip.Addr]*found
	// floating are the addresses of services and of VRRP: no node's own.
	floating map[netip.Addr]bool
	// names are the services' names in the comments of rules.
	names map[state.ServiceKey]string
	rules []serviceRule
	table []*tableService
	// unseen are the real servers that were not read, by each address.
	unseen map[netip.Addr]*topology.Node
	// answers are how nat real servers answer, by node.
	answers map[answering]*answer
}

// A found node is one that was read, and the topology's node that it becomes.
type found struct {
	Seen
	*topology.Node
	// base are the node's own addresses, by device.
	base []state.AddressKey
	// used are those of its own addresses that services use, in the order of how often.
	used map[netip.Addr]int
}

// findFloating collects the addresses that clients know.
func (f *finder) findFloating() {
	for _, n := range f.nodes {
		for k := range n.State.Services {
			if k.Protocol != state.FWMark {
				f.floating[k.Addr.Addr()] = true
			}
		}
		if n.Keepalived != nil {
			for _, i := range n.Keepalived.Instances {
				for _, a := range i.Addresses() {
					f.floating[a.Prefix.Addr()] = true
				}
			}
		}
	}
}

// findNodes decides what each node is, and which addresses are its own.
func (f *finder) findNodes() {
	for _, n := range f.nodes {
		n.base = f.ownAddresses(n)
		for _, k := range n.base {
			f.owner[k.Prefix.Addr()] = n
		}
	}
	targets := map[*found]bool{}
	for _, n := range f.nodes {
		for k := range n.State.Servers {
			if to := f.owner[k.Addr.Addr()]; to != nil {
				targets[to] = true
			}
		}
	}
	for _, n := range f.nodes {
		role := cmp.Or(n.Seen.Role, n.role(targets[n]))
		if role == "" {
			f.Remark(Remark{Lost, Element{}, n.Seen.Name, n.Seen.Name + " is left out: it has no virtual service, no director sends to it, and it forwards nothing. Say what it is: --director, --real-server or --router " + n.Seen.Name + "."})
			continue
		}
		name := n.Seen.Name
		for f.named[name] != nil {
			name = another(name)
		}
		n.Node = Node(name, role)
		n.Node.SSH = n.Seen.SSH
		f.named[name] = n
		f.Topology.Nodes = append(f.Topology.Nodes, n.Node)
	}
}

// role is what a node does. target is set if a director sends to it.
func (n *found) role(target bool) topology.Role {
	switch {
	case len(n.State.Services) > 0, n.Keepalived != nil && len(n.Keepalived.Instances) > 0:
		return topology.Director
	case target:
		return topology.RealServer
	case n.State.Sysctls["net/ipv4/ip_forward"] == "1" || n.State.Sysctls[state.IPv6Forwarding] == "1":
		return topology.Router
	}
	return ""
}

// container are how the names of devices begin that programs make for their containers
// and guests.
var container = []string{"docker", "br-", "veth", "cni", "flannel", "cali", "virbr", "vnet", "tap", "podman", "lxc", "kube-"}

// ownAddresses are the addresses that the node has by itself, on devices that matter:
// none that moves, none of a loopback, no link-local one.
func (f *finder) ownAddresses(n *found) []state.AddressKey {
	var all []state.AddressKey
	for k := range n.State.Addresses {
		addr := k.Prefix.Addr()
		hidden := k.Dev == "lo" || state.Quiet(k.Dev) || slices.ContainsFunc(container, func(p string) bool { return strings.HasPrefix(k.Dev, p) })
		if addr.IsLoopback() || addr.IsLinkLocalUnicast() || hidden || f.floats(n, k) {
			continue
		}
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b state.AddressKey) int {
		return cmp.Or(naturally(a.Dev, b.Dev), a.Prefix.Addr().Compare(b.Prefix.Addr()))
	})
	return all
}

// floats reports whether an address of a node is one that clients know, and not the
// node's own. It is the node's own if SSH went there, or if it is the only one of its
// subnet there.
func (f *finder) floats(n *found, k state.AddressKey) bool {
	addr := k.Prefix.Addr()
	if _, set := n.Record.Set.Addresses[k]; set {
		return true
	}
	if !f.floating[addr] || addr == n.SSHServer {
		return false
	}
	if k.Prefix.IsSingleIP() {
		return true
	}
	for o := range n.State.Addresses {
		if o.Dev == k.Dev && o != k && o.Prefix.Masked() == k.Prefix.Masked() && !f.floating[o.Prefix.Addr()] {
			return true
		}
	}
	return false
}

// naturally compares names with the numbers in them as numbers: eth2 before eth10.
func naturally(a, b string) int {
	split := func(s string) (string, int) {
		i := len(s)
		for i > 0 && s[i-1] >= '0' && s[i-1] <= '9' && len(s)-i < 9 {
			i--
		}
		n := 0
		for _, c := range s[i:] {
			n = 10*n + int(c-'0')
		}
		return s[:i], n
	}
	pa, na := split(a)
	pb, nb := split(b)
	return cmp.Or(cmp.Compare(pa, pb), cmp.Compare(na, nb), cmp.Compare(a, b))
}

// findClients makes clients of the names that lvsctl has written into hosts files and that
// are no nodes that lvsctl configures.
func (f *finder) findClients() {
	known := map[string]bool{}
	owned := map[netip.Addr]bool{} // by unseen real servers, too
	for _, n := range f.Topology.Nodes {
		known[n.Name] = true
		for _, p := range n.Addresses() {
			owned[p.Addr()] = true
		}
	}
	clients := map[string]*topology.Node{}
	for _, n := range f.inTopology() {
		for _, m := range n.Record.Members.Others {
			known[m.Name] = true
		}
	}
	for _, n := range f.inTopology() {
		for _, b := range n.Record.Set.Blocks {
			for line := range strings.Lines(b.Text) {
				words := strings.Fields(line)
				if len(words) != 2 || known[words[1]] {
					continue
				}
				addr, err := netip.ParseAddr(words[0])
				if err != nil || owned[addr] {
					continue
				}
				c := clients[words[1]]
				if c == nil {
					c = Node(words[1], topology.Client)
					c.Address = addr.String()
					clients[c.Name] = c
					f.Topology.Nodes = append(f.Topology.Nodes, c)
					f.Remark(Remark{Guess, Of(c), n.Node.Name, "It is in the hosts files; its device and prefix length are guessed."})
				}
				if !c.Owns(addr) {
					c.Interfaces = []topology.Interface{{Name: "eth0", Addresses: append(addressesOf(c), netip.PrefixFrom(addr, f.bits(addr)))}}
				}
			}
		}
	}
}

// findGroups makes groups of nodes that are called NAME-KEY and differ in values only.
func (f *finder) findGroups() {
	w := writer{Draft: f.Draft}
	members := map[string][]*topology.Node{}
	taken := map[string]bool{}
	for _, n := range f.Topology.Nodes {
		taken[n.Name] = true
		if i := strings.LastIndexByte(n.Name, '-'); i > 0 && i+1 < len(n.Name) && lang.IsName(n.Name[:i]) {
			key := string(n.Role) + " " + n.Name[:i]
			members[key] = append(members[key], n)
		}
	}
	roleOf := map[string]int{}
	for key := range members {
		_, group, _ := strings.Cut(key, " ")
		roleOf[group]++
	}
	for key, nodes := range members {
		_, group, _ := strings.Cut(key, " ")
		if len(nodes) < 2 || taken[group] || roleOf[group] > 1 {
			continue
		}
		if m, ok := w.merge(group, nodes); ok && len(m.columns) <= 3 {
			for _, n := range nodes {
				n.Group = group
			}
		}
	}
}

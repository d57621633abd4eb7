package topology

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/netsystem"
)

// A node is a Node while it is read and checked, together with its source.
type node struct {
	*Node
	scope
	raw    rawNode
	broken bool // something in it was refused, so further checks leave it out
}

// A group is a node block with for_each. Its name means all its members.
type group struct {
	members []*node
	broken  bool // the keys of for_each could not be read
	at      hcl.Range
}

// readNodes reads the nodes that one block makes: one, or with for_each a group.
func (l *loader) readNodes(block *hcl.Block) {
	name, at := block.Labels[0], block.LabelRanges[0]
	grouped := lang.IsGroup(block)
	if grouped {
		if !l.isFree(name, at) {
			return
		}
		// The group is known although its keys cannot be read: a reference to it is no
		// second mistake.
		l.groups[name] = &group{at: at}
	}
	before := l.Errors
	instances := l.module.Instances(block)
	if grouped {
		l.groups[name].broken = l.Errors > before
	}
	for _, i := range instances {
		if !l.isFree(i.Name, at) {
			continue
		}
		n := readNode(i)
		l.nodes[i.Name] = n
		if grouped {
			l.groups[name].members = append(l.groups[name].members, n)
		}
	}
}

// isFree refuses a name that another node or group has.
func (l *loader) isFree(name string, at hcl.Range) bool {
	var other hcl.Range
	if n := l.nodes[name]; n != nil {
		other = n.Range
	} else if g := l.groups[name]; g != nil {
		other = g.at
	} else {
		return true
	}
	l.Refuse(at, "Name given twice", "%s is taken by the block at %s. A name belongs to one node or group, of whatever kind.", lang.Quote(name), other)
	return false
}

// readNode reads one instance of a node block.
func readNode(i lang.Instance) *node {
	before := i.Errors
	n := &node{
		Node:  &Node{Name: i.Name, Group: i.Group, Role: Role(i.Block.Type), Range: i.Block.DefRange},
		scope: scope{i.Scope},
	}
	i.Decode(i.Block.Body, &n.raw)
	n.refuseForeign()
	n.readInterfaces()
	n.readAddress()
	n.IPForward = n.Ternary(n.raw.IPForward)
	n.Hosts = n.Flag(n.raw.Hosts)
	n.Persist, n.Packages = netsystem.Auto, PackagesInstall
	if p, ok := n.Choice(n.raw.Persist, persistSystems()); ok {
		n.Persist = netsystem.Name(p)
	}
	if p, ok := n.Choice(n.raw.Packages, packageWays); ok {
		n.Packages = Packages(p)
	}
	n.readSysctls()
	switch n.Role {
	case Director:
		n.DIP = n.ownAddress(n.raw.DIP, "dip")
		n.Exclusive = n.Flag(n.raw.Exclusive)
		n.readTimeouts()
		n.readSync()
	case RealServer:
		n.RIP = n.ownAddress(n.raw.RIP, "rip")
		if dev, ok := n.deviceAttr(n.raw.VIPInterface); ok {
			n.VIPInterface, n.VIPInterfaceRange = dev, n.raw.VIPInterface.Expr.Range()
		}
		n.Maintenance = n.Flag(n.raw.Maintenance)
		n.WayBack = WayBackRoute
		if w, ok := n.Choice(n.raw.WayBack, waysBack); ok {
			n.WayBack = WayBack(w)
		}
	}
	n.broken = n.Errors > before
	return n
}

var packageWays = []string{string(PackagesInstall), string(PackagesRequire)}

var waysBack = []string{string(WayBackRoute), string(WayBackRule)}

func persistSystems() []string {
	var words []string
	for _, n := range netsystem.Names() {
		words = append(words, string(n))
	}
	return words
}

// refuseForeign refuses attributes that only another role has.
func (n *node) refuseForeign() {
	foreign := func(what string, owner Role, at hcl.Range) {
		if n.Role != owner {
			n.Refuse(at, "Not for this kind of node", "%s belongs to a %s, and this is a %s.", what, owner, n.Role)
		}
	}
	attrs := []struct {
		attr  *hcl.Attribute
		owner Role
	}{
		{n.raw.DIP, Director}, {n.raw.Exclusive, Director},
		{n.raw.RIP, RealServer}, {n.raw.VIPInterface, RealServer}, {n.raw.WayBack, RealServer},
		{n.raw.Maintenance, RealServer},
	}
	for _, a := range attrs {
		if a.attr != nil {
			foreign(a.attr.Name, a.owner, a.attr.NameRange)
		}
	}
	if n.raw.Timeouts != nil {
		foreign("timeouts", Director, n.raw.Timeouts.Range)
	}
	if n.raw.Sync != nil {
		foreign("sync", Director, n.raw.Sync.Range)
	}
}

// readInterfaces reads the NICs in the order in which they are written.
func (n *node) readInterfaces() {
	first := map[string]hcl.Range{}
	for _, raw := range n.raw.Interfaces {
		if !n.device("The interface", raw.Name, raw.NameRange) {
			continue
		}
		if at, twice := first[raw.Name]; twice {
			n.Refuse(raw.NameRange, "Interface twice", "%s of %s is described at %s already. Give several addresses as addresses = [...].", lang.Quote(raw.Name), n.Name, at)
			continue
		}
		first[raw.Name] = raw.NameRange
		i := Interface{Name: raw.Name, Range: raw.Range}
		if raw.Address != nil && raw.Addresses != nil {
			n.Refuse(raw.Addresses.NameRange, "Both address and addresses", "Give all of them as addresses = [...].")
			continue
		}
		i.Addresses = append(n.prefixes(raw.Address), n.prefixes(raw.Addresses)...)
		if f, ok := n.Integer(raw.RPFilter, 0, 2); ok {
			i.RPFilter = &f
		}
		n.Interfaces = append(n.Interfaces, i)
	}
}

// prefixes reads a list of addresses, each with its prefix length.
func (n *node) prefixes(a *hcl.Attribute) []netip.Prefix {
	words, _ := n.Texts(a)
	var all []netip.Prefix
	for _, w := range words {
		p, err := parsePrefix(w.Key)
		if err == nil {
			err = hostOf(p.Addr(), p)
		}
		if err != nil {
			n.refuseAddr(a.Name, w.Key, w.At, err)
			continue
		}
		if slices.Contains(all, p) {
			n.Refuse(w.At, "Address twice", "%s is in this list already.", p)
			continue
		}
		all = append(all, p)
	}
	return all
}

// readAddress reads the node's address for SSH.
func (n *node) readAddress() {
	n.SSH = SSH{}
	if n.IsSet(n.raw.Address) {
		text, ok := n.Text(n.raw.Address)
		if ok && !sshHost(text) {
			n.Refuse(n.raw.Address.Expr.Range(), "Not an address", "address is %s. Write an IP address, a host name, a Host alias of the ssh config, or \"local\".", lang.Quote(text))
		}
		n.Node.Address = text
		return
	}
	if first, ok := n.first(); ok {
		n.Node.Address = first.String()
	} else if n.Role == Router || n.Role == Client {
		n.lacksAddress("where SSH goes")
	}
}

// first returns the first interface's first address.
func (n *node) first() (netip.Addr, bool) {
	for _, i := range n.Interfaces {
		for _, p := range i.Addresses {
			return p.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// lacksAddress refuses a node without any address. If an address of it was refused
// already, it adds no second diagnostic.
func (n *node) lacksAddress(use string) {
	for _, raw := range n.raw.Interfaces {
		if raw.Address != nil || raw.Addresses != nil {
			return
		}
	}
	n.Refuse(n.Range, "Node without address", "%s needs an address, as %s. Write interface \"eth0\" { address = \"192.168.1.10/24\" }, with its own device and address.", n.Name, use)
}

// ownAddress reads dip or rip, which must be one of the node's addresses. The default is
// the first one.
func (n *node) ownAddress(a *hcl.Attribute, name string) netip.Addr {
	if !n.IsSet(a) {
		first, ok := n.first()
		if !ok {
			n.lacksAddress("its " + name)
		} else if first.IsLinkLocalUnicast() && first.Is6() {
			n.Refuse(n.Range, "Not a usable address", "The first address of %s, %s, is link-local, and IPVS cannot use it. Choose another one with %s.", n.Name, first, name)
		}
		return first
	}
	addr, ok := n.addr(a)
	if !ok {
		return netip.Addr{}
	}
	if !n.Owns(addr) {
		n.Refuse(a.Expr.Range(), "Not an address of this node", "%s is %s, and no interface of %s has that address.%s", name, addr, n.Name, lang.DidYouMean(addr.String(), n.addresses()))
		return netip.Addr{}
	}
	return addr
}

// addresses lists the node's addresses, as text.
func (n *node) addresses() []string {
	var all []string
	for _, i := range n.Interfaces {
		for _, p := range i.Addresses {
			all = append(all, p.Addr().String())
		}
	}
	return all
}

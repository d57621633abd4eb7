package survey

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Orphans: hosts that records name and the topology no longer has.
//
// Terms are those of internal/state/member.go. A record is data of the node that it was
// read from: whoever is root there may have written it. A visit is a login and a read.
//
// Premise. Somebody who has one node must not get at another one by way of lvsctl. A
// record that names a host gives no more right to it than to look.
//
//	what a record says                   what becomes of it
//	words that no topology could say     the record is an error of its own node
//	a host of the topology, by whatever  nothing: the topology says how it is reached
//	name or address
//	another host                         it is visited, as the person who runs lvsctl,
//	                                     with that person's keys and known hosts; its
//	                                     host key has to be known to them
//	"local"                              it is not visited: only a topology may say so
//	a real server's or router's, of      nothing, if a director of the topology has a
//	other than directors                 record: that one knows of all
//
//	what the host says                   what becomes of it
//	it has no record of this topology    there is nothing to do, and records forget it
//	its record bears the topology's mark it is cleaned of what its own record says
//	its record bears another mark        it is left alone: it may be another topology's
//	                                     of the same name
//	its record is one of the topology's  nothing: it was reached by another way, and is
//	nodes', word for word or by its name no orphan
//
// What else a record could say of the way there, such as files with keys, is not in it:
// that comes from the topology and the ssh config.
//
// A director that is an orphan may name others. They are visited in a further round.

// mostOrphans is how many are visited in one go: a record that names a whole network
// must not make a port scanner of lvsctl.
const mostOrphans = 1000

var (
	errNotVisited = errors.New("more hosts that are no longer in the topology are named than are visited in one go")
	errOtherMark  = errors.New("its record does not bear this topology's mark, so what it names may be another topology's of the same name; nothing is taken away there" +
		"\nIf it is this one's: write its block again, run lvsctl destroy --only NODE, and delete the block.")
)

// roll finds hosts by where they are and by their record. A host is its place among the
// survey's nodes, or own for any of the topology's.
type roll struct {
	places  map[state.Place]int
	addrs   map[netip.Addr]int
	records map[string]int
}

const own = -1

func (r roll) add(m state.Member, host int) {
	if _, there := r.places[m.Plain()]; !there {
		r.places[m.Plain()] = host
	}
	for _, k := range m.Addresses {
		if _, there := r.addrs[k.Prefix.Addr()]; !there {
			r.addrs[k.Prefix.Addr()] = host
		}
	}
}

func (r roll) find(m state.Member) (host int, known bool) {
	if host, known = r.places[m.Plain()]; known {
		return host, true
	}
	for _, k := range m.Addresses {
		if host, known = r.addrs[k.Prefix.Addr()]; known {
			return host, true
		}
	}
	return 0, false
}

// orphans is the search for them. Nodes that turn out to be none stay among the survey's
// until it ends.
type orphans struct {
	*Survey
	roll
	marks []string
	// told is set if a director of the topology has a record, which names all.
	told  bool
	names map[string]bool // of the plan's nodes
	// same are the nodes that are another one by another way.
	same    map[int]int
	visited int
}

// newOrphans begins a search, with the topology's nodes read.
func newOrphans(s *Survey) *orphans {
	o := &orphans{
		Survey: s, names: map[string]bool{}, same: map[int]int{},
		roll: roll{map[state.Place]int{}, map[netip.Addr]int{}, map[string]int{}},
	}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		o.names[n.Name] = true
		o.add(n.Member, own)
	}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Live == nil {
			continue
		}
		if err := checkMembers(n.Live.Record.Members); err != nil {
			n.refuse(fmt.Errorf("cannot use %s: in its members, %w", live.RecordPath(s.topology), err))
			continue
		}
		o.add(n.Live.Record.Members.Self, own)
		o.records[n.Live.RecordText] = own
		o.told = o.told || n.Role == state.Director && n.Live.Record.Members.Mark != ""
	}
	o.marks = s.marks()
	return o
}

// refuse has a node count as one that could not be read.
func (n *Node) refuse(why error) { n.Live, n.Err = nil, why }

// judge looks what a host that was visited has to say.
func (o *orphans) judge(i int) {
	n := &o.Nodes[i]
	if n.Live == nil || !n.Live.Record.Holds() && len(n.Live.Record.Members.Others) == 0 {
		return
	}
	m := n.Live.Record.Members
	if !slices.ContainsFunc(append(m.Adopted, m.Mark), func(mark string) bool { return slices.Contains(o.marks, mark) }) {
		n.refuse(errOtherMark)
		return
	}
	if err := checkMembers(m); err != nil {
		n.refuse(fmt.Errorf("cannot use %s: in its members, %w", live.RecordPath(o.topology), err))
		return
	}
	host, known := o.records[n.Live.RecordText]
	if !known || n.Live.RecordText == "" {
		host, known = o.find(m.Self)
	}
	if known && o.resolve(host) != i {
		o.same[i] = o.resolve(host)
		if j := o.same[i]; j != own {
			o.Nodes[j].Aliases = append(o.Nodes[j].Aliases, append(n.Aliases, n.Member)...)
		}
		return
	}
	o.records[n.Live.RecordText] = i
	if m.Self.Name != "" {
		o.add(m.Self, i)
		n.Role, n.Base = m.Self.Role, m.Self.Addresses // it knows better
	}
}

func (o *orphans) resolve(host int) int {
	if other, ok := o.same[host]; ok {
		return other
	}
	return host
}

// follow adds the hosts that the nodes from begin on name and nobody knows yet.
func (o *orphans) follow(begin int) {
	var named []state.Member
	for i := range o.Nodes[begin:] {
		n := &o.Nodes[begin+i]
		if _, other := o.same[begin+i]; other || n.Live == nil {
			continue
		}
		for _, m := range n.Live.Record.Members.Others {
			// Where there is a director, nobody else knows of all.
			if !o.told || n.Role == state.Director || m.Role == state.Director {
				named = append(named, m)
			}
		}
	}
	slices.SortFunc(named, state.Member.Compare)
	for _, m := range named {
		host, known := o.find(m)
		switch host = o.resolve(host); {
		case !known:
			o.add(m, len(o.Nodes))
			o.Nodes = append(o.Nodes, o.orphan(m))
		case host != own:
			if n := &o.Nodes[host]; !slices.ContainsFunc(append(n.Aliases, n.Member), m.Equal) {
				n.Aliases = append(n.Aliases, m)
			}
		}
	}
}

// orphan is a host that only records know.
func (o *orphans) orphan(m state.Member) Node {
	name := o.name(m)
	n := Node{Input: Orphan(name, m)}
	n.Beside, n.Chosen = o.options.Beside, o.options.Chosen == nil || o.options.Chosen(name)
	switch {
	case slices.Contains(o.options.Forget, name):
		n.Forgotten, n.Chosen = true, true
	case o.visited == mostOrphans:
		n.Err = errNotVisited
	default:
		o.visited++
		n.Dial = o.options.Visit(name, m)
	}
	return n
}

// name is what the plan calls an orphan: its name, or NAME@PLACE if another node has
// that by now.
func (o *orphans) name(m state.Member) string {
	name := m.Name
	if o.names[name] {
		name += "@" + strings.ReplaceAll(m.Place.String(), " ", "-")
	}
	for o.names[name] { // two hosts that only letters tell apart
		name += "+"
	}
	o.names[name] = true
	return name
}

// end leaves those that are orphans.
func (o *orphans) end() {
	var nodes []Node
	for i, n := range o.Nodes {
		if _, other := o.same[i]; !other {
			nodes = append(nodes, n)
		} else if n.Runner != nil {
			_ = n.Runner.Close() // nothing was changed there
		}
	}
	o.Nodes = nodes
}

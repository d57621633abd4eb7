package survey

import (
	"crypto/rand"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/topology"
)

// checkMembers holds what a record says of other nodes to the rules of a topology: from
// there it came.
func checkMembers(m state.Membership) error {
	all := m.Others
	if m.Self.Name != "" {
		all = append([]state.Member{m.Self}, all...)
	}
	for _, o := range all {
		s := topology.SSH{User: o.User, Port: o.Port, HostKey: o.HostKey, ProxyJump: o.Jump}
		if err := topology.CheckNode(o.Name, topology.Role(o.Role), o.Host, s); err != nil {
			return err
		}
	}
	return nil
}

// marks are those of the records on the topology's own nodes, the directors' first.
func (s *Survey) marks() []string {
	var list []string
	for _, directors := range []bool{true, false} {
		for i := range s.Nodes {
			n := &s.Nodes[i]
			if n.Live == nil || n.Orphan || (n.Role == state.Director) != directors {
				continue
			}
			m := n.Live.Record.Members
			list = append(append(list, m.Mark), m.Adopted...)
		}
	}
	return slices.DeleteFunc(list, func(mark string) bool { return mark == "" })
}

// mark gives all records one mark: that of the topology, or a new one. There are
// several where nodes were first applied that did not know of each other.
func (s *Survey) mark() {
	marks := s.marks()
	if len(marks) == 0 {
		marks = []string{rand.Text()}
	}
	for i := range s.Nodes {
		s.Nodes[i].Mark = marks[0]
	}
}

package adopt

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/topology"
)

// A group is a block with for_each. Its members' blocks have the same parts, and differ in
// values only; a value that differs is taken from each.value.

// mergeGroups finds the groups that can be written as one block.
func (w *writer) mergeGroups() {
	members := map[string][]*topology.Node{}
	taken := map[string]bool{}
	for _, n := range w.Topology.Nodes {
		taken[n.Name] = true
		if n.Group != "" {
			members[n.Group] = append(members[n.Group], n)
		}
	}
	for g, nodes := range members {
		if m, ok := w.merge(g, nodes); ok && !taken[g] {
			w.groups[g] = m
		}
	}
}

// group is the block of a group.
func (w *writer) group(name string) *block {
	m := w.groups[name]
	var each []entry
	for i, key := range m.keys {
		each = append(each, entry{key, m.of(i)})
	}
	b := &block{kind: m.block.kind, label: name}
	b.set("for_each", each)
	b.children = append(b.children, m.block.children...)
	for _, n := range m.nodes {
		for _, r := range w.at[Of(n)] {
			r.Text = n.Name + ": " + r.Text
			b.remarks = append(b.remarks, r)
		}
	}
	return b
}

// A merger makes one block of those of a group's members.
type merger struct {
	group string
	nodes []*topology.Node // the members
	keys  []string
	names []value // the members'
	block *block
	// columns are the values that differ, by member, and called what the first attribute
	// that has them is called.
	columns []column
}

type column struct {
	name   string
	values []value
}

// merge merges a group. It returns false if one block cannot say what its members are.
func (w *writer) merge(group string, nodes []*topology.Node) (*merger, bool) {
	m := &merger{group: group, nodes: nodes}
	var blocks []*block
	for _, n := range nodes {
		key, ok := strings.CutPrefix(n.Name, group+"-")
		if !ok {
			return nil, false
		}
		m.keys, m.names = append(m.keys, key), append(m.names, n.Name)
		blocks = append(blocks, w.node(n))
	}
	merged, ok := m.blocks(blocks)
	if m.block = merged; ok {
		m.name()
	}
	return m, ok
}

// blocks merges blocks of the same kind.
func (m *merger) blocks(all []*block) (*block, bool) {
	first := all[0]
	out := &block{kind: first.kind, label: first.label}
	for _, b := range all {
		if b.kind != first.kind || b.label != first.label || len(b.children) != len(first.children) {
			return nil, false
		}
	}
	for i, p := range first.children {
		var inner []*block
		var values []value
		for _, b := range all {
			q := b.children[i]
			if q.name != p.name || (q.block == nil) != (p.block == nil) {
				return nil, false
			}
			inner, values = append(inner, q.block), append(values, q.value)
		}
		merged := part{name: p.name}
		ok := false
		if p.block != nil {
			merged.block, ok = m.blocks(inner)
		} else {
			merged.value, ok = m.values(p.name, values)
		}
		if !ok {
			return nil, false
		}
		out.children = append(out.children, merged)
	}
	return out, true
}

// values merges the values of an attribute.
func (m *merger) values(name string, all []value) (value, bool) {
	if same(all) {
		return all[0], true
	}
	if lists, ok := lists(all); ok {
		var out []value
		for i := range lists[0] {
			var at []value
			for _, l := range lists {
				at = append(at, l[i])
			}
			v, ok := m.values(name, at)
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
		return out, true
	}
	for _, v := range all {
		switch v.(type) {
		case string, int, bool:
		default:
			return nil, false
		}
	}
	if reflect.DeepEqual(all, m.names) {
		return expr(`"` + m.group + `-${each.key}"`), true
	}
	if bare, length, ok := sameLength(all); ok {
		return expr(`"${` + m.column(name, bare) + `}` + length + `"`), true
	}
	return expr(m.column(name, all)), true
}

// column returns the expression of a column, which is a new one or one that has the same
// values. name() replaces the text between the marks.
func (m *merger) column(name string, values []value) string {
	for i, c := range m.columns {
		if reflect.DeepEqual(c.values, values) {
			return mark(i)
		}
	}
	for slices.ContainsFunc(m.columns, func(c column) bool { return c.name == name }) {
		name += "_2"
	}
	m.columns = append(m.columns, column{name, values})
	return mark(len(m.columns) - 1)
}

func mark(i int) string { return fmt.Sprintf("\x00%d\x00", i) }

// name replaces the marks in the merged block: each.value is the one value that differs,
// or an object of several.
func (m *merger) name() {
	for i, c := range m.columns {
		to := "each.value"
		if len(m.columns) > 1 {
			to += "." + c.name
		}
		m.block.replace(mark(i), to)
	}
}

func (b *block) replace(from, to string) {
	for i, p := range b.children {
		if p.block != nil {
			p.block.replace(from, to)
			continue
		}
		b.children[i].value = replaced(p.value, from, to)
	}
}

func replaced(v value, from, to string) value {
	switch v := v.(type) {
	case expr:
		return expr(strings.ReplaceAll(string(v), from, to))
	case []value:
		out := make([]value, len(v))
		for i, e := range v {
			out[i] = replaced(e, from, to)
		}
		return out
	}
	return v
}

// of is what for_each has for a member.
func (m *merger) of(i int) value {
	switch len(m.columns) {
	case 0:
		return m.keys[i]
	case 1:
		return m.columns[0].values[i]
	}
	var entries []entry
	for _, c := range m.columns {
		entries = append(entries, entry{c.name, c.values[i]})
	}
	return entries
}

func same(all []value) bool {
	for _, v := range all[1:] {
		if !reflect.DeepEqual(v, all[0]) {
			return false
		}
	}
	return true
}

// lists are values that are lists of one length.
func lists(all []value) ([][]value, bool) {
	var out [][]value
	for _, v := range all {
		l, ok := v.([]value)
		if !ok || len(out) > 0 && len(l) != len(out[0]) {
			return nil, false
		}
		out = append(out, l)
	}
	return out, true
}

// sameLength takes addresses and their prefix length apart, if that is the same for all.
func sameLength(all []value) (bare []value, length string, ok bool) {
	for i, v := range all {
		s, isText := v.(string)
		at := strings.LastIndexByte(s, '/')
		if !isText || at < 0 || i > 0 && s[at:] != length {
			return nil, "", false
		}
		bare, length = append(bare, s[:at]), s[at:]
	}
	return bare, length, true
}

func texts(words []string) []value {
	var list []value
	for _, w := range words {
		list = append(list, w)
	}
	return list
}

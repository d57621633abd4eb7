package topology

import (
	"slices"
	"sort"
)

// A suggestion costs a comparison with every name there is; after this many the
// reader has understood.
const mostSuggestions = 100

// members resolves the name of a node, or of a group, to nodes.
func (l *loader) members(what string, w element, roles ...Role) ([]*node, bool) {
	var found []*node
	if n := l.nodes[w.key]; n != nil {
		found = []*node{n}
	} else if g := l.groups[w.key]; g != nil {
		found = g.members
		if g.broken {
			l.errors++
		}
	} else if l.ofBrokenGroup(w.key) {
		l.errors++
		return nil, false
	} else {
		l.refuse(w.at, "Unknown node", "%s is %s, and there is no node or group of that name.%s", what, quote(w.key), l.nearestNode(w.key, roles))
		return nil, false
	}
	for _, n := range found {
		if len(roles) > 0 && !slices.Contains(roles, n.Role) {
			l.refuse(w.at, "Wrong kind of node", "%s is %s, which is a %s, not a %s.", what, quote(w.key), n.Role, roles[0])
			return nil, false
		}
	}
	return found, true
}

// ofBrokenGroup reports whether a name may be a member of a group whose keys
// could not be read.
func (l *loader) ofBrokenGroup(name string) bool {
	for i, c := range name {
		if g := l.groups[name[:i]]; c == '-' && g != nil && g.broken {
			return true
		}
	}
	return false
}

// one resolves a name to a single node.
func (l *loader) one(what string, w element, roles ...Role) (*node, bool) {
	found, ok := l.members(what, w, roles...)
	if !ok {
		return nil, false
	}
	if len(found) != 1 {
		if g := l.groups[w.key]; g != nil && g.broken {
			l.errors++
			return nil, false
		}
		l.refuse(w.at, "A group where one node is wanted", "%s is %s, which stands for %s. Name one of them.", what, quote(w.key), count(len(found), "node"))
		return nil, false
	}
	return found[0], true
}

// nearestNode suggests a node or a group of the roles.
func (l *loader) nearestNode(name string, roles []Role) string {
	if l.suggested++; l.suggested > mostSuggestions {
		return ""
	}
	fits := func(n *node) bool { return len(roles) == 0 || slices.Contains(roles, n.Role) }
	var names []string
	for other, n := range l.nodes {
		if fits(n) {
			names = append(names, other)
		}
	}
	for other, g := range l.groups {
		if len(g.members) == 0 || fits(g.members[0]) {
			names = append(names, other)
		}
	}
	return didYouMean(name, names)
}

func sortBy[T any](all []T, key func(T) string) {
	sort.SliceStable(all, func(i, j int) bool { return key(all[i]) < key(all[j]) })
}

package topology

import (
	"slices"
	"sort"

	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/plural"
)

// mostSuggestions is how many wrong names get a suggestion. Each one costs a comparison
// with all names.
const mostSuggestions = 100

// members resolves the name of a node or of a group to nodes. It refuses nodes that have
// none of the roles.
func (l *loader) members(what string, w lang.Element, roles ...Role) ([]*node, bool) {
	var found []*node
	if n := l.nodes[w.Key]; n != nil {
		found = []*node{n}
	} else if g := l.groups[w.Key]; g != nil {
		found = g.members
		if g.broken {
			l.Errors++
		}
	} else if l.ofBrokenGroup(w.Key) {
		l.Errors++
		return nil, false
	} else {
		l.Refuse(w.At, "Unknown node", "%s is %s, and there is no node or group of that name.%s", what, lang.Quote(w.Key), l.nearestNode(w.Key, roles))
		return nil, false
	}
	for _, n := range found {
		if len(roles) > 0 && !slices.Contains(roles, n.Role) {
			l.Refuse(w.At, "Wrong kind of node", "%s is %s, which is a %s, not a %s.", what, lang.Quote(w.Key), n.Role, roles[0])
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
func (l *loader) one(what string, w lang.Element, roles ...Role) (*node, bool) {
	found, ok := l.members(what, w, roles...)
	if !ok {
		return nil, false
	}
	if len(found) != 1 {
		if g := l.groups[w.Key]; g != nil && g.broken {
			l.Errors++
			return nil, false
		}
		l.Refuse(w.At, "A group where one node is wanted", "%s is %s, which stands for %s. Name one of them.", what, lang.Quote(w.Key), plural.Of(len(found), "node"))
		return nil, false
	}
	return found[0], true
}

// nearestNode returns a hint with the node or group whose name is most like name, among
// those with one of the roles.
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
	return lang.DidYouMean(name, names)
}

func sortBy[T any](all []T, key func(T) string) {
	sort.SliceStable(all, func(i, j int) bool { return key(all[i]) < key(all[j]) })
}

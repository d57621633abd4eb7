package plan

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"

	"github.com/maruel/natural"

	"github.com/lvsctl/lvsctl/internal/plural"
)

// Nodes with the same changes.
//
// Two nodes of a role belong together if a person would be told the same of both:
// every change with its reason, its danger and what it does to a file, every
// problem, warning and note, and what is left alone. Only their names differ, and
// their own addresses. Such nodes are shown once:
//
//	# real_server web-1 ... web-50 (50 nodes, the same 2 changes)
//	+ route     default table 862  via 10.1.0.2 dev eth0
//	+ policy    27492 from (its address)  lookup 862
//
// A range A ... B has every node of that role that stands between A and B in the
// order of a plan, and no other: if web-7 differs, the heading says
// "web-1 ... web-6, web-8 ... web-50".

// group is one node, or several that a plan shows as one, by name.
type group struct {
	nodes []DocumentNode
	// places are the nodes' places among all of their role.
	places []int
	// shown is what is said of the nodes: of one by itself as it is, of several what
	// is true of each.
	shown DocumentPart
}

func newGroup(n DocumentPart, place int) *group {
	return &group{[]DocumentNode{n.DocumentNode}, []int{place}, n}
}

// groups puts nodes into the order that they are shown in, those with the same changes
// together unless d shows each.
func groups(nodes []DocumentPart, d Detail) []*group {
	nodes = slices.Clone(nodes)
	slices.SortStableFunc(nodes, func(a, b DocumentPart) int {
		return cmp.Or(cmp.Compare(roleRank(a.Role), roleRank(b.Role)), compareNames(a.Name, b.Name))
	})
	ofRole := map[string]int{}
	for _, n := range nodes {
		ofRole[n.Role]++
	}
	type key struct {
		role     string
		likeness [sha256.Size]byte
	}
	var list []*group
	known := map[key]*group{}
	places := map[string]int{}
	for _, n := range nodes {
		if n.own == nil { // from a file
			n.own = newOwnAddresses(n.Address, nil)
		}
		place := places[n.Role]
		places[n.Role]++
		g := newGroup(n, place)
		// Where lvsctl goes because a record says so is always shown.
		if d.Each || ofRole[n.Role] == 1 || n.Orphan {
			list = append(list, g)
			continue
		}
		alike := n.withoutAddresses()
		k := key{n.Role, alike.likeness(d)}
		if first := known[k]; first != nil {
			first.nodes, first.places = append(first.nodes, n.DocumentNode), append(first.places, place)
			first.shown = alike
			continue
		}
		known[k] = g
		list = append(list, g)
	}
	return list
}

// Alike are the names of the nodes with actions, those with the same ones together. Their
// own addresses may differ in them. Groups and names are in the order of a plan.
func (p *Plan) Alike() [][]string {
	todo := &Plan{Nodes: p.Nodes}
	for _, a := range p.Actions {
		if a.Held == "" {
			todo.Actions = append(todo.Actions, a)
		}
	}
	var parts []DocumentPart
	for _, n := range todo.Document().Parts() {
		if len(n.Changes) > 0 {
			parts = append(parts, DocumentPart{DocumentNode: DocumentNode{Name: n.Name, Role: n.Role, own: n.own}, Changes: n.Changes})
		}
	}
	var list [][]string
	for _, g := range groups(parts, Detail{}) {
		var names []string
		for _, n := range g.nodes {
			names = append(names, n.Name)
		}
		list = append(list, names)
	}
	return list
}

// compareNames puts web-2 before web-10.
func compareNames(a, b string) int { return natural.Compare(a, b) }

// withoutAddresses is what a plan says of a node, with words in place of the node's
// own addresses.
func (n DocumentPart) withoutAddresses() DocumentPart {
	if len(n.own) == 0 {
		return n
	}
	all := func(texts []string) []string {
		list := make([]string, len(texts))
		for i, text := range texts {
			list[i] = n.own.replace(text)
		}
		return list
	}
	n.Problems, n.Warnings, n.Notes = all(n.Problems), all(n.Warnings), all(n.Notes)
	list := make([]*DocumentItem, len(n.Changes))
	for i, c := range n.Changes {
		c := *c
		c.Key, c.Before, c.After, c.Diff = n.own.replace(c.Key), n.own.replace(c.Before), n.own.replace(c.After), n.own.replace(c.Diff)
		c.Risk, c.HeldBack = Risk(n.own.replace(string(c.Risk))), n.own.replace(c.HeldBack)
		c.Commands, c.Inverse = all(c.Commands), all(c.Inverse)
		list[i] = &c
	}
	n.Changes = list
	return n
}

// likeness is a sum over all that is shown of a node but its name.
func (n DocumentPart) likeness(d Detail) (sum [sha256.Size]byte) {
	h := sha256.New()
	write(h, n.Problems...)
	write(h, n.Warnings...)
	write(h, n.Notes...)
	write(h, n.Down...)
	write(h, n.Adopts...)
	write(h, strconv.FormatBool(n.Error != ""), fmt.Sprint(n.LeftAlone), fmt.Sprint(n.Drained), fmt.Sprint(n.FailedOver))
	write(h, n.Maintenance...)
	for _, c := range n.Changes {
		write(h, c.Kind, c.Key, string(c.Action), c.Before, c.After, c.Diff, string(c.Reason), string(c.Risk), c.HeldBack)
		if d.Commands {
			write(h, c.Commands...)
			write(h, c.Inverse...)
		}
	}
	h.Sum(sum[:0])
	return sum
}

// write adds strings to a sum so that no other strings have the same.
func write(h hash.Hash, texts ...string) {
	_, _ = io.WriteString(h, strconv.Itoa(len(texts))+";") // a sum takes everything
	for _, text := range texts {
		_, _ = io.WriteString(h, strconv.Itoa(len(text))+":")
		_, _ = io.WriteString(h, text)
	}
}

// heading names the group's nodes.
func (g *group) heading() string {
	first := g.nodes[0]
	if len(g.nodes) == 1 {
		return fmt.Sprintf("  # %s %s (%s)", first.Role, first.Name, first.Address) + first.gone()
	}
	return fmt.Sprintf("  # %s %s (%s, %s)", first.Role, g.names(), plural.Of(len(g.nodes), "node"), g.same())
}

// gone says that the topology no longer has the node, if that is so.
func (n DocumentNode) gone() string {
	if n.Orphan {
		return ", no longer in the topology"
	}
	return ""
}

// same is what several nodes have in common, in a few words.
func (g *group) same() string {
	switch n := len(g.shown.Changes); n {
	case 0:
		return "all alike"
	case 1:
		return "the same change"
	default:
		return "the same " + plural.Of(n, "change")
	}
}

// A heading has this many names and ranges, then it counts the rest.
const headingNames = 6

// names are the nodes by name, three or more in a row as a range.
func (g *group) names() string {
	names := make([]string, len(g.nodes))
	for i, n := range g.nodes {
		names[i] = n.Name
	}
	return plural.Names(names, g.places, headingNames)
}

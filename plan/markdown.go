package plan

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/maruel/natural"

	"github.com/lvsctl/lvsctl/internal/plural"
)

// MarkdownLimit is the most that [Document.Markdown] writes, in bytes, and so at most
// as many characters. A comment on GitHub takes 65,536 characters, and GitLab's more.
const MarkdownLimit = 65_000

// Markdown is a document as a comment for a pull request: the summary, then each
// node in a fold of its own, that with the most changes first. What does not fit is
// counted. clean is what every line from a node or a topology passes through.
func (doc Document) Markdown(d Detail, clean func(string) string) string {
	nodes := doc.markdownNodes(d, clean)
	head := fmt.Sprintf("### lvsctl %s\n\n**%s**\n", doc.markdownTitle(clean), escapeMarkdown(clean(doc.Summary.Text)))
	for _, alarm := range doc.allAlarms() {
		head += fmt.Sprintf("\n**Alarm:** %s\n", escapeMarkdown(clean(alarm)))
	}
	room := MarkdownLimit - len(head) - len(leftOut(len(doc.Nodes), len(doc.Changes)))
	var short int // what the short forms of the nodes take that are still to come
	for _, n := range nodes {
		short += len(n.short())
	}
	var b strings.Builder
	b.WriteString(head)
	for i, n := range nodes {
		short -= len(n.short())
		// A quarter is enough for titles alone.
		text := n.fold(room - min(short, MarkdownLimit/4))
		if len(text) > room {
			var left, changes int
			for _, rest := range nodes[i:] {
				left, changes = left+rest.nodes, changes+rest.changes
			}
			b.WriteString(leftOut(left, changes))
			break
		}
		room -= len(text)
		b.WriteString(text)
	}
	return b.String()
}

func leftOut(nodes, changes int) string {
	return fmt.Sprintf("\nNot shown: %s with %s.\n", plural.Of(nodes, "more node"), plural.Of(changes, "change"))
}

// markdownTitle is what the document is about: a drift document has topologies.
func (doc Document) markdownTitle(clean func(string) string) string {
	switch len(doc.Topologies) {
	case 0:
		return "plan: " + escapeMarkdown(clean(doc.Topology))
	case 1:
		return "drift: " + escapeMarkdown(clean(cmp.Or(doc.Topology, doc.Topologies[0].Path)))
	}
	return fmt.Sprintf("drift: %d topologies", len(doc.Topologies))
}

// markdownNode is the part of a node, or of several with the same changes.
type markdownNode struct {
	title          string // as HTML
	nodes, changes int    // how many there are
	place          [2]string
	// whole are its lines, brief those without what is shown of each change.
	whole, brief []string
}

// markdownNodes are the nodes that there is something to say of, those with the same
// changes as one.
func (doc Document) markdownNodes(d Detail, clean func(string) string) []markdownNode {
	var list []markdownNode
	for topology, parts := range doc.partsByTopology() {
		for _, g := range groups(parts, d) {
			whole := g.lines(d)
			if !slices.ContainsFunc(whole, func(l Line) bool { return l.Style == Heading }) {
				continue
			}
			title := g.markdownTitle(clean)
			if len(doc.Topologies) > 1 {
				title = html.EscapeString(clean(topology)) + ": " + title
			}
			list = append(list, markdownNode{
				title: title, nodes: len(g.nodes), changes: len(g.nodes) * len(g.shown.Changes),
				whole: markdownLines(whole, clean), brief: markdownLines(g.lines(Detail{}), clean),
				place: [2]string{topology, g.nodes[0].Name},
			})
		}
	}
	slices.SortFunc(list, func(a, b markdownNode) int {
		return cmp.Or(cmp.Compare(len(b.brief), len(a.brief)), cmp.Compare(b.nodes, a.nodes), slices.CompareFunc(a.place[:], b.place[:], natural.Compare))
	})
	return list
}

// markdownTitle names the nodes and sums them up, in HTML.
func (g *group) markdownTitle(clean func(string) string) string {
	n := g.shown
	where, changes := n.Address, plural.Of(len(n.Changes), "change")
	if len(g.nodes) > 1 {
		where, changes = plural.Of(len(g.nodes), "node"), g.same()
	}
	switch {
	case n.Error != "":
		changes = "could not be read"
	case len(n.Problems) > 0 && n.Topology != "":
		changes += ", and what cannot be put back"
	case len(n.Problems) > 0:
		changes = "cannot be changed"
	}
	return fmt.Sprintf("<b>%s</b> (%s, %s)%s: %s", html.EscapeString(clean(g.names())), n.Role, html.EscapeString(clean(where)), n.gone(), changes)
}

// markdownLines puts the sign of each change into the first column, where a diff has
// its colours. There a change is an exclamation mark. The heading is left out: the
// fold's title says it.
func markdownLines(lines []Line, clean func(string) string) []string {
	var list []string
	for _, l := range lines {
		if l.Style == Heading {
			continue
		}
		text := strings.TrimPrefix(clean(l.Text), "  ")
		if rest, ok := strings.CutPrefix(text, "~ "); ok {
			text = "! " + rest
		}
		list = append(list, text)
	}
	return list
}

// fold is as much of the node as fits into room: all of it, all but the details, its
// first lines, or its title alone.
func (n markdownNode) fold(room int) string {
	if text := n.folded(n.whole, ""); len(text) <= room {
		return text
	}
	if text := n.folded(n.brief, "... what changes in its files does not fit"); len(text) <= room {
		return text
	}
	rest := fmt.Sprintf("... and %s", plural.Of(len(n.brief), "more line"))
	room -= len(n.folded(nil, rest)) + len(fence(n.brief))*2
	fits := 0
	for fits < len(n.brief) && len(n.brief[fits])+1 <= room {
		room -= len(n.brief[fits]) + 1
		fits++
	}
	if fits == 0 {
		return n.short()
	}
	return n.folded(n.brief[:fits], fmt.Sprintf("... and %s", plural.Of(len(n.brief)-fits, "more line")))
}

// folded is the node's title over lines that are shown once it is clicked on.
func (n markdownNode) folded(lines []string, rest string) string {
	fence := fence(lines)
	if rest != "" {
		lines = append(slices.Clone(lines), rest)
	}
	return fmt.Sprintf("\n<details><summary>%s</summary>\n\n%sdiff\n%s\n%s\n\n</details>\n", n.title, fence, strings.Join(lines, "\n"), fence)
}

// short is the node's title alone.
func (n markdownNode) short() string { return "\n" + n.title + " (not shown)\n" }

// fence is longer than any run of backticks in the lines.
func fence(lines []string) string {
	longest := 2
	for _, l := range lines {
		run := 0
		for _, r := range l {
			if r != '`' {
				run = 0
				continue
			}
			run++
			longest = max(longest, run)
		}
	}
	return strings.Repeat("`", longest+1)
}

// escapeMarkdown is text that Markdown shows as it is: every sign of punctuation may
// be escaped (CommonMark 2.4).
func escapeMarkdown(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\`*_{}[]<>()#+!|~&@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

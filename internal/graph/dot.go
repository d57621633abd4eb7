package graph

import (
	"fmt"
	"strings"
)

// DOT is a graph for Graphviz: a cluster for the networks and one for each way.
func (g *Graph) DOT() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("digraph %s {", dotText(g.Name))
	line("  rankdir=LR; fontname=\"sans-serif\";")
	line("  node [shape=box, style=rounded, fontname=\"sans-serif\"];")
	line("  edge [fontname=\"sans-serif\", fontsize=10];")
	line("  subgraph cluster_networks {\n    label=\"Networks\";")
	for i, p := range g.Networks {
		line("    net%d [shape=ellipse, style=solid, label=%s];", i, dotText(p.String()))
	}
	for i, n := range g.Nodes {
		line("    n%d [label=%s%s];", i, dotText(append([]string{roleWord(n) + " " + n.title()}, n.text()...)...), dotColour(n.Mark))
		for _, l := range n.Links {
			line("    n%d -> net%d [dir=none, label=%s];", i, l.Network, dotText(l.Device, l.Address))
		}
	}
	line("  }")
	for i, p := range g.Paths {
		line("  subgraph cluster_p%d {\n    label=%s;", i, dotText(p.titles()...))
		for j, s := range p.Stops {
			line("    p%ds%d [label=%s%s];", i, j, dotText(g.stopLines(s)...), dotColour(s.Mark))
		}
		for j, s := range p.Steps {
			back := ""
			if s.Back {
				back = ", style=dashed, constraint=false"
			}
			line("    p%ds%d -> p%ds%d [label=%s%s];", i, s.From, i, s.To, dotText(s.lines(j+1)...), back)
		}
		line("  }")
	}
	line("}")
	return b.String()
}

// dotText is lines as a quoted string, each line centred.
func dotText(lines ...string) string {
	escaped := make([]string, len(lines))
	for i, l := range lines {
		escaped[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(clean(l))
	}
	return `"` + strings.Join(escaped, `\n`) + `"`
}

func dotColour(m Mark) string {
	colour := [...]string{"", "#8250df", "#bf8700", "#cf222e"}[m.Level]
	if colour == "" {
		return ""
	}
	return fmt.Sprintf(", color=%q, penwidth=2", colour)
}

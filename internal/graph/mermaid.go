package graph

import (
	"fmt"
	"strconv"
	"strings"
)

// Mermaid is a flowchart of Mermaid 9 or later: a box for the networks and one for each
// way.
func (g *Graph) Mermaid() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("---\ntitle: %s\n---", strconv.Quote(g.Name))
	line("flowchart LR")
	line("  subgraph networks [Networks]")
	for i, p := range g.Networks {
		line("    net%d((%s))", i, mermaidText(p.String()))
	}
	for i, n := range g.Nodes {
		line("    n%d[%s]%s", i, mermaidText(append([]string{roleWord(n) + " " + n.title()}, n.text()...)...), mermaidClass(n.Mark))
		for _, l := range n.Links {
			line("    n%d ---|%s| net%d", i, mermaidText(l.Device, l.Address), l.Network)
		}
	}
	line("  end")
	for i, p := range g.Paths {
		line("  subgraph p%d [%s]", i, mermaidText(p.titles()...))
		line("    direction LR")
		for j, s := range p.Stops {
			line("    p%ds%d[%s]%s", i, j, mermaidText(g.stopLines(s)...), mermaidClass(s.Mark))
		}
		for j, s := range p.Steps {
			arrow := "-->"
			if s.Back {
				arrow = "-.->"
			}
			line("    p%ds%d %s|%s| p%ds%d", i, s.From, arrow, mermaidText(s.lines(j+1)...), i, s.To)
		}
		line("  end")
	}
	line("  classDef differs stroke:#8250df,stroke-width:3px")
	line("  classDef away stroke:#bf8700,stroke-width:3px,stroke-dasharray:5")
	line("  classDef down stroke:#cf222e,stroke-width:3px")
	return b.String()
}

// mermaidText is lines as a quoted label. Mermaid has no escapes in a quoted text but
// its own for characters.
func mermaidText(lines ...string) string {
	for i, l := range lines {
		lines[i] = strings.NewReplacer(`#`, "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "`", "#96;").Replace(clean(l))
	}
	return `"` + strings.Join(lines, "<br/>") + `"`
}

func mermaidClass(m Mark) string {
	if c := m.Level.String(); c != "" {
		return ":::" + c
	}
	return ""
}

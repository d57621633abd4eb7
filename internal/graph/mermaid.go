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

// String is the level's name where it is coloured; "" for Fine.
func (l Level) String() string {
	return [...]string{"", "differs", "away", "down"}[l]
}

// roleWord is a role as people say it.
func roleWord(n Node) string { return strings.ReplaceAll(string(n.Role), "_", " ") }

// title names a node, and says how many it stands for.
func (n Node) title() string {
	if n.Count == 1 {
		return n.Title
	}
	return fmt.Sprintf("%s (%d)", n.Title, n.Count)
}

// vipLines is how many VIPs of a director are named.
const vipLines = 4

// text are the lines below a node's title.
func (n Node) text() []string {
	var lines []string
	for i, vip := range n.VIPs {
		if i == vipLines {
			lines = append(lines, fmt.Sprintf("and %d more VIPs", len(n.VIPs)-i))
			break
		}
		lines = append(lines, "VIP "+vip)
	}
	if n.Mark.Text != "" {
		lines = append(lines, n.Mark.Text)
	}
	return lines
}

// titleLines is how many virtual servers a way's title names.
const titleLines = 6

// titles are the lines of a way's title.
func (p Path) titles() []string {
	if len(p.Titles) <= titleLines {
		return append([]string(nil), p.Titles...)
	}
	rest := len(p.Titles) - titleLines + 1
	return append(append([]string(nil), p.Titles[:titleLines-1]...), fmt.Sprintf("and %d more that go the same way", rest))
}

// stopLines are a stop's title and what is below it.
func (g *Graph) stopLines(s Stop) []string {
	title := s.Title
	if s.Node >= 0 {
		title = g.Nodes[s.Node].title()
	}
	lines := append([]string{title}, s.Text...)
	if s.Mark.Text != "" {
		lines = append(lines, s.Mark.Text)
	}
	return lines
}

// lines are a step's number and packet, what is done to it, and its devices.
func (s Step) lines(number int) []string {
	lines := []string{fmt.Sprintf("%d  %s", number, s.Packet)}
	if s.Note != "" {
		lines = append(lines, s.Note)
	}
	if s.Out != "" && s.In != "" {
		lines = append(lines, s.Out+" to "+s.In)
	}
	return lines
}

package plan

import (
	"fmt"

	"github.com/lvsctl/lvsctl/internal/plural"
)

// Line is one line of a plan for a person. Style decides its colour on a terminal.
type Line struct {
	Style Style
	Text  string
}

// Style is what kind of line it is.
type Style int

// The styles of lines.
const (
	Plain Style = iota
	Heading
	Adding
	Changing
	Removing
	Quiet
	Alarm
)

// Detail is how much of a plan is shown.
type Detail struct {
	// Commands shows what runs for each change, and what undoes it.
	Commands bool
	// Files shows what changes in each file, line by line, and names all that is left
	// alone.
	Files bool
	// Each shows every node by itself, those too that have the same changes as another.
	Each bool
}

// Lines is the plan as a person reads it, node by node, without the summary.
func (p *Plan) Lines(d Detail) []Line { return p.Document().Lines(d) }

// Lines is [Plan.Lines] of a plan that was read from JSON.
func (doc Document) Lines(d Detail) []Line {
	switch len(doc.Topologies) {
	case 0:
		return alarmed(doc.Alarms, partLines(doc.Parts(), d))
	case 1:
		return alarmed(doc.Topologies[0].Alarms, partLines(doc.Parts(), d))
	}
	return doc.linesByTopology(d)
}

// alarmed puts alarms before the lines of nodes.
func alarmed(alarms []string, section []Line) []Line {
	var lines []Line
	for _, alarm := range alarms {
		lines = append(lines, Line{Alarm, "  ! " + alarm})
	}
	if len(section) > 0 && len(lines) > 0 {
		lines = append(lines, Line{Plain, ""})
	}
	return append(lines, section...)
}

func partLines(parts []DocumentPart, d Detail) []Line {
	var lines []Line
	for _, g := range groups(parts, d) {
		section := g.lines(d)
		if len(section) > 0 && len(lines) > 0 {
			lines = append(lines, Line{Plain, ""})
		}
		lines = append(lines, section...)
	}
	return lines
}

// DocumentPart is one node of a document, with its changes.
type DocumentPart struct {
	DocumentNode
	Changes []*DocumentItem
}

// Parts are the document's nodes, each with its changes.
func (doc Document) Parts() []DocumentPart {
	// Two topologies may have nodes of one name.
	type id struct{ topology, name string }
	parts := make([]DocumentPart, len(doc.Nodes))
	index := make(map[id]int, len(doc.Nodes))
	for i, n := range doc.Nodes {
		parts[i].DocumentNode = n
		index[id{n.Topology, n.Name}] = i
	}
	for i := range doc.Changes {
		c := &doc.Changes[i]
		if at, ok := index[id{c.Topology, c.Node}]; ok {
			parts[at].Changes = append(parts[at].Changes, c)
		}
	}
	return parts
}

// Lines are one node's, under its heading; none if there is nothing to say of it.
func (n DocumentPart) Lines(d Detail) []Line { return newGroup(n, 0).lines(d) }

func (g *group) lines(d Detail) []Line {
	n := g.shown
	var lines []Line
	switch {
	case n.Error != "" && n.Topology != "":
		lines = append(lines, Line{Alarm, "  ! could not be read; whether it has drifted is not known"})
	case n.Error != "" && n.Orphan:
		lines = append(lines, Line{Alarm, "  ! could not be read; nothing is planned for it; if it is gone for good: --forget " + n.Name})
	case n.Error != "":
		lines = append(lines, Line{Alarm, "  ! could not be read; nothing is planned for it"})
	}
	for _, problem := range n.Problems {
		lines = append(lines, Line{Alarm, "  ! " + problem})
	}
	for _, warning := range n.Warnings {
		lines = append(lines, Line{Alarm, "  ! warning: " + warning})
	}
	for _, name := range n.Adopts {
		lines = append(lines, Line{Changing, "  ~ record    takes over what topology " + name + " holds"})
	}
	for _, c := range n.Changes {
		lines = append(lines, c.lines(d)...)
	}
	for _, server := range n.Down {
		lines = append(lines, Line{Quiet, "    down: " + server})
	}
	switch {
	case n.Forgotten:
		lines = append(lines, Line{Changing, "  ~ record    forgets it; what it has of this topology stays there"})
	case n.Orphan && n.Error == "" && n.Pending+len(n.Blocked) > 0: // of drift
		lines = append(lines, Line{Quiet, "    what it has of this topology is not given back yet"})
	case n.Orphan && len(lines) == 0:
		lines = append(lines, Line{Quiet, "    it has nothing of this topology any more"})
	}
	if len(n.Changes) > 0 {
		for _, note := range n.Notes {
			lines = append(lines, Line{Quiet, "    " + note})
		}
	}
	if len(lines) > 0 {
		lines = append([]Line{{Heading, g.heading()}}, lines...)
	}
	for _, s := range n.Drained {
		lines = append(lines, Line{Quiet, fmt.Sprintf("  drained on %s: %s, by %s since %s", g.names(), s.Node, s.By, s.Since.UTC().Format("2006-01-02 15:04 MST"))})
	}
	for _, f := range n.FailedOver {
		lines = append(lines, Line{Quiet, fmt.Sprintf("  failed over on %s: %s to %s, by %s since %s", g.names(), f.Instance, f.To, f.By, f.Since.UTC().Format("2006-01-02 15:04 MST"))})
	}
	for _, name := range n.Maintenance {
		lines = append(lines, Line{Quiet, fmt.Sprintf("  in maintenance on %s: %s, by the topology", g.names(), name)})
	}
	return append(lines, g.leftAlone(d)...)
}

// mostLeftAlone is how many services of others are named: what is not touched must
// not hide what is.
const mostLeftAlone = 20

// leftAlone are the lines about services of others on the group's nodes.
func (g *group) leftAlone(d Detail) []Line {
	all := g.shown.LeftAlone
	named := all
	if !d.Files && len(named) > mostLeftAlone {
		named = named[:mostLeftAlone]
	}
	var lines []Line
	for _, f := range named {
		lines = append(lines, Line{Quiet, fmt.Sprintf("  left alone on %s: %s (%s), not in this topology", g.names(), f.Service, plural.Of(f.Servers, "server"))})
	}
	if more := len(all) - len(named); more > 0 {
		lines = append(lines, Line{Quiet, fmt.Sprintf("  left alone on %s: %s more, which -v and --json name", g.names(), plural.Of(more, "service"))})
	}
	return lines
}

package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/plural"
)

// The drift of one or many topologies, in the JSON schema of plans. What a person reads is
// made from the document, like that of a plan, so that both say the same.

// DriftOf is the drift of one topology, or why there is none to tell of.
type DriftOf struct {
	// Path is the topology as it was given, Name what it calls itself.
	Path, Name string
	Err        error
	// Alarms are those of the topology's plan.
	Alarms []string
	Nodes  []NodeDrift
}

// DriftDocument is the drift of topologies in the JSON schema: its changes are those
// that would put the nodes back as they were applied.
func DriftDocument(all []DriftOf) Document {
	doc := Document{FormatVersion: FormatVersion, Nodes: []DocumentNode{}, Changes: []DocumentItem{}}
	for _, one := range all {
		t := DocumentTopology{Path: one.Path, Name: one.Name, Alarms: one.Alarms}
		if one.Err != nil {
			t.Error = one.Err.Error()
		}
		doc.Topologies = append(doc.Topologies, t)
		for _, n := range one.Nodes {
			doc.Nodes = append(doc.Nodes, n.document(one.Name))
			for _, a := range n.Differences {
				c := a.document()
				c.ID, c.Topology, c.Since = len(doc.Changes)+1, one.Name, since(a.Op)
				doc.Changes = append(doc.Changes, c)
			}
		}
	}
	if len(all) == 1 {
		doc.Topology = all[0].Name
	}
	doc.Summary = doc.driftSummary()
	return doc
}

func (n NodeDrift) document(topology string) DocumentNode {
	d := DocumentNode{
		Topology: topology, Name: n.Name, Role: n.Role, Address: n.Address, Orphan: n.Orphan,
		Problems: n.Trouble, Down: n.Down, Drained: n.Drained, Maintenance: n.Maintenance, FailedOver: n.FailedOver, own: newOwnAddresses(n.Address, n.base),
		Applied: n.Applied, Never: n.Never, Pending: n.Pending, Blocked: n.Blocked, File: n.Range.Filename, Line: n.Range.Start.Line,
	}
	if n.Unreadable != nil {
		d.Error = n.Unreadable.Error()
	}
	return d
}

// Differs reports whether a node of a drift document is not as it was applied.
func (n DocumentPart) Differs() bool { return len(n.Changes)+len(n.Problems) > 0 }

// driftCounts counts the nodes of a drift document, and their changes. Every node is one of
// read, never and unreadable.
type driftCounts struct {
	changeCounts
	// read were compared; to never nothing was applied yet; unreadable are not known.
	read, never, unreadable int
	// troubled have what no change puts back, drifted that or changes; blocked cannot get
	// what the topology wants by now.
	troubled, drifted, blocked int
	// pending are changes that the topology wants and that are no drift.
	pending, alarms int
}

func (doc Document) countDrift() driftCounts {
	c := driftCounts{alarms: len(doc.allAlarms())}
	for _, n := range doc.Parts() {
		c.pending += n.Pending
		if len(n.Blocked) > 0 {
			c.blocked++
		}
		switch {
		case n.Error != "":
			c.unreadable++
			continue
		case n.Never:
			c.never++
		default:
			c.read++
		}
		for _, change := range n.Changes {
			c.add("", change.Action, false)
		}
		if len(n.Problems) > 0 {
			c.troubled++
		}
		if n.Differs() {
			c.drifted++
		}
	}
	return c
}

// driftSummary is the last line of a drift, and its numbers.
func (doc Document) driftSummary() DocumentCounts {
	c := doc.countDrift()
	words := []string{c.verdict(len(doc.Nodes))}
	say := func(n int, text string) {
		if n > 0 {
			words = append(words, text)
		}
	}
	say(c.alarms, plural.Of(c.alarms, "alarm")+".")
	say(c.troubled, plural.Of(c.troubled, "node")+" cannot be put back.")
	say(c.unreadable, plural.Of(c.unreadable, "node")+" could not be read.")
	say(c.never, "Never applied: "+plural.Of(c.never, "node")+".")
	say(c.pending, "Not applied yet: "+plural.Of(c.pending, "change")+".")
	say(c.blocked, "Cannot be applied: "+plural.Of(c.blocked, "node")+".")
	var failed []string
	for _, one := range doc.Topologies {
		if one.Error != "" {
			failed = append(failed, one.Path)
		}
	}
	say(len(failed), "Not looked at: "+strings.Join(failed, ", ")+".")
	return DocumentCounts{
		Text: strings.Join(words, " "), Add: c.Add, Change: c.Change, Destroy: c.Destroy,
		Nodes: c.drifted, Pending: c.pending,
	}
}

// verdict says whether there is drift on nodes, of which there are as many as all. Nodes
// that were not compared are not said to be without drift.
func (c driftCounts) verdict(all int) string {
	switch {
	case c.drifted+c.alarms > 0:
		return fmt.Sprintf("Drift: %d gone, %d changed, %d added on %s.", c.Add, c.Change, c.Destroy, plural.Of(c.drifted, "node"))
	case c.read == 0:
		return "Nothing to compare."
	case all == 1:
		return "No drift. The node is as last applied."
	case c.read == 1:
		return "No drift on the node that was compared."
	case c.read == all:
		return fmt.Sprintf("No drift. All %s are as last applied.", plural.Of(c.read, "node"))
	}
	return fmt.Sprintf("No drift on the %s that were compared.", plural.Of(c.read, "node"))
}

// Drifted reports whether something is not as it was applied.
func (doc Document) Drifted() bool {
	return doc.Summary.Nodes+len(doc.allAlarms()) > 0
}

// linesByTopology are those of several topologies, each under its heading.
func (doc Document) linesByTopology(d Detail) []Line {
	parts := doc.partsByTopology()
	var lines []Line
	for _, t := range doc.Topologies {
		section := alarmed(t.Alarms, partLines(parts[t.Name], d))
		if t.Error != "" {
			section = []Line{{Alarm, "  ! could not be looked at"}}
		}
		if len(section) == 0 {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, Line{Plain, ""})
		}
		lines = append(append(lines, Line{Heading, t.heading()}), section...)
	}
	return lines
}

// partsByTopology are the document's nodes; those of a plan are all under "".
func (doc Document) partsByTopology() map[string][]DocumentPart {
	parts := map[string][]DocumentPart{}
	for _, p := range doc.Parts() {
		parts[p.Topology] = append(parts[p.Topology], p)
	}
	return parts
}

// allAlarms are those of a plan, or of each topology, with its name where there are
// several.
func (doc Document) allAlarms() []string {
	list := slices.Clone(doc.Alarms)
	for _, t := range doc.Topologies {
		for _, alarm := range t.Alarms {
			if len(doc.Topologies) > 1 {
				alarm = t.Name + ": " + alarm
			}
			list = append(list, alarm)
		}
	}
	return list
}

func (t DocumentTopology) heading() string {
	if t.Name == "" {
		return t.Path
	}
	return "topology " + t.Name + " (" + t.Path + ")"
}

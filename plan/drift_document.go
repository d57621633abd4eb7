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

// driftSummary is counted from the document's changes and nodes.
func (doc Document) driftSummary() DocumentCounts {
	var t changeCounts
	var sum DocumentCounts
	var read, never, unreadable, troubled, blocked int
	for _, n := range doc.Parts() {
		sum.Pending += n.Pending
		if len(n.Blocked) > 0 {
			blocked++
		}
		switch {
		case n.Error != "":
			unreadable++
			continue
		case n.Never:
			never++
		default:
			read++
		}
		for _, c := range n.Changes {
			t.add("", c.Action, false)
		}
		if len(n.Problems) > 0 {
			troubled++
		}
		if n.Differs() {
			sum.Nodes++
		}
	}
	alarms := len(doc.allAlarms())
	sum.Add, sum.Change, sum.Destroy = t.Add, t.Change, t.Destroy
	var text string
	switch {
	case sum.Nodes+alarms > 0:
		text = fmt.Sprintf("Drift: %d gone, %d changed, %d added on %s.", t.Add, t.Change, t.Destroy, plural.Of(sum.Nodes, "node"))
	case read == 0:
		text = "Nothing to compare."
	case len(doc.Nodes) == 1:
		text = "No drift. The node is as last applied."
	case read == 1:
		text = "No drift on the node that was compared."
	case read == len(doc.Nodes):
		text = fmt.Sprintf("No drift. All %s are as last applied.", plural.Of(read, "node"))
	default:
		text = fmt.Sprintf("No drift on the %s that were compared.", plural.Of(read, "node"))
	}
	if alarms > 0 {
		text += " " + plural.Of(alarms, "alarm") + "."
	}
	for _, tail := range []struct {
		n    int
		text string
	}{
		{troubled, "cannot be put back"}, {unreadable, "could not be read"},
	} {
		if tail.n > 0 {
			text += " " + plural.Of(tail.n, "node") + " " + tail.text + "."
		}
	}
	if never > 0 {
		text += " Never applied: " + plural.Of(never, "node") + "."
	}
	if sum.Pending > 0 {
		text += " Not applied yet: " + plural.Of(sum.Pending, "change") + "."
	}
	if blocked > 0 {
		text += " Cannot be applied: " + plural.Of(blocked, "node") + "."
	}
	var failed []string
	for _, one := range doc.Topologies {
		if one.Error != "" {
			failed = append(failed, one.Path)
		}
	}
	if len(failed) > 0 {
		text += " Not looked at: " + strings.Join(failed, ", ") + "."
	}
	sum.Text = text
	return sum
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

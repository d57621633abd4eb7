package plan

import (
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// FormatVersion is the version of the JSON schema that plans and results share.
// A new minor version adds fields; a new major one changes their meaning.
const FormatVersion = "1.1"

// Document is the JSON schema of plans, saved plans and results.
type Document struct {
	FormatVersion string `json:"format_version"`
	// Topology is the topology's name; "" in a document of several.
	Topology string         `json:"topology"`
	Summary  DocumentCounts `json:"summary"`
	// Alarms are what is wrong between nodes now; a person is told before all else.
	Alarms []string `json:"alarms,omitempty"`
	// Topologies are those that were looked at for drift.
	Topologies []DocumentTopology `json:"topologies,omitempty"`
	Nodes      []DocumentNode     `json:"nodes"`
	Changes    []DocumentItem     `json:"changes"`
}

// DocumentTopology is one topology of several.
type DocumentTopology struct {
	Path string `json:"path"`
	Name string `json:"name,omitempty"`
	// Error is why nothing is known of it.
	Error string `json:"error,omitempty"`
	// Alarms are what is wrong between its nodes now.
	Alarms []string `json:"alarms,omitempty"`
}

// DocumentCounts is the summary: the line that a person sees, and its numbers. Held
// counts changes that are not in the others.
type DocumentCounts struct {
	Text    string `json:"text"`
	Add     int    `json:"add"`
	Change  int    `json:"change"`
	Destroy int    `json:"destroy"`
	Nodes   int    `json:"nodes"`
	Held    int    `json:"held_back"`
	// Pending is what the topology wants beside what was counted above, which is
	// drift.
	Pending int `json:"not_applied,omitempty"`
}

// DocumentNode is a node of a plan. Error says why it could not be read, Problems why it
// cannot be changed.
type DocumentNode struct {
	Topology  string    `json:"topology,omitempty"` // in a document of drift
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	Address   string    `json:"address"`
	Error     string    `json:"error,omitempty"`
	Problems  []string  `json:"problems,omitempty"`
	Warnings  []string  `json:"warnings,omitempty"`
	Notes     []string  `json:"notes,omitempty"`
	Down      []string  `json:"down,omitempty"`
	LeftAlone []Foreign `json:"left_alone,omitempty"`
	// Adopts are the names of the topologies whose records this one takes over.
	Adopts []string `json:"adopts,omitempty"`
	// Drained and Maintenance are the real servers that get no new connections from
	// this director: because a person said so, or the topology.
	Drained     []DrainedServer `json:"drained,omitempty"`
	Maintenance []string        `json:"maintenance,omitempty"`
	// FailedOver are the instances whose addresses are kept on another director than the
	// topology's first, because a person said so.
	FailedOver []FailedOverInstance `json:"failed_over,omitempty"`
	// Orphan is set if the topology no longer has the node, and Forgotten if in addition it
	// is not visited, and not named by records afterwards.
	Orphan    bool `json:"orphan,omitempty"`
	Forgotten bool `json:"forgotten,omitempty"`

	own ownAddresses

	// In a document of drift: the last apply that changed the node, whether there was
	// none, how many changes the topology wants beside those of the drift and why it cannot
	// have them, and where the node's block is.
	Applied state.Applied `json:"applied,omitzero"`
	Never   bool          `json:"never_applied,omitempty"`
	Pending int           `json:"not_applied,omitempty"`
	Blocked []string      `json:"blocked,omitempty"`
	File    string        `json:"file,omitempty"`
	Line    int           `json:"line,omitempty"`
}

// DocumentItem is one change. ID counts from 1, and Needs holds IDs. Result and Error
// are only in a result of apply.
type DocumentItem struct {
	Topology string   `json:"topology,omitempty"` // in a document of drift
	ID       int      `json:"id"`
	Node     string   `json:"node"`
	Kind     string   `json:"kind"`
	Key      string   `json:"key"`
	Action   state.Op `json:"action"`
	Before   string   `json:"before,omitempty"`
	After    string   `json:"after,omitempty"`
	// Diff is the change of a file in the format of diff -u, without its header.
	Diff   string `json:"diff,omitempty"`
	Reason Reason `json:"reason"`
	// Since is, in a document of drift, what the change would undo.
	Since    Since    `json:"since,omitempty"`
	Risk     Risk     `json:"risk,omitempty"`
	HeldBack string   `json:"held_back,omitempty"`
	Needs    []int    `json:"needs,omitempty"`
	Commands []string `json:"commands"`
	Inverse  []string `json:"inverse"`
	File     string   `json:"file,omitempty"`
	Line     int      `json:"line,omitempty"`
	Result   string   `json:"result,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// Document returns the plan in the JSON schema.
func (p *Plan) Document() Document {
	c := p.Count()
	d := Document{
		FormatVersion: FormatVersion,
		Topology:      p.Topology,
		Summary:       DocumentCounts{Text: p.Summary(), Add: c.Add, Change: c.Change, Destroy: c.Destroy, Nodes: c.Nodes, Held: c.Held},
		Alarms:        p.Alarms,
		Nodes:         []DocumentNode{},
		Changes:       make([]DocumentItem, 0, len(p.Actions)),
	}
	for _, n := range p.Nodes {
		if n.Chosen {
			d.Nodes = append(d.Nodes, n.document())
		}
	}
	for _, a := range p.Actions {
		d.Changes = append(d.Changes, a.document())
	}
	return d
}

func (n Node) document() DocumentNode {
	d := DocumentNode{
		Name: n.Name, Role: n.Role, Address: n.Address, Problems: n.Problems, Warnings: n.Warnings, Notes: n.Notes, Down: n.Down,
		LeftAlone: n.Foreign, Adopts: n.Adopts, Drained: n.Drained, Maintenance: n.Maintenance, FailedOver: n.FailedOver,
		Orphan: n.Orphan, Forgotten: n.Forgotten, own: newOwnAddresses(n.Address, n.base),
	}
	if n.Unreadable != nil {
		d.Error = n.Unreadable.Error()
	}
	return d
}

func (a Action) document() DocumentItem {
	return DocumentItem{
		ID: a.ID, Node: a.Node, Kind: string(a.Kind), Key: a.Key.String(), Action: a.Op,
		Before: a.Before, After: a.After, Diff: a.diff(), Reason: a.Reason, Risk: a.Risk,
		HeldBack: a.Held, Needs: a.Needs,
		Commands: commandLines(slices.Concat(a.Quiesce, a.Do)), Inverse: commandLines(a.Undo),
		File: a.Range.Filename, Line: a.Range.Start.Line,
	}
}

// diff is a file's change without the three lines of the header, whose path is the key.
func (a Action) diff() string {
	if a.BeforeText == a.AfterText {
		return ""
	}
	text := string(diff.Diff("", []byte(a.BeforeText), "", []byte(a.AfterText)))
	for range 3 {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

func commandLines(commands []shell.Command) []string {
	lines := make([]string, len(commands))
	for i, c := range commands {
		lines[i] = c.String()
	}
	return lines
}

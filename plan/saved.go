package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Saved is a plan in a file, together with what it was made from.
//
// A person looks at a saved plan and approves it; then apply does it without a question.
// But the file may be forged: its checksum finds a mistake, not a forgery. Three rules
// make sure that apply does only what the file shows:
//
//   - apply runs no command from the file. It makes a new plan from the topology and the
//     nodes, and does the actions that both plans have with the same commands
//     ([Plan.Restrict]).
//   - The topology and the way to its nodes must have the file's digest ([Digest]).
//   - The summary must be the count of the file's changes. A file that contradicts itself
//     is refused ([ReadSaved]).
type Saved struct {
	Document
	Kind string `json:"kind"` // savedKind
	// Path is the topology's folder or file. Lab is set if the plan is for its lab.
	Path string `json:"path"`
	Lab  bool   `json:"lab,omitempty"`
	// Adopt are the names of the topologies whose records are taken over.
	Adopt []string `json:"adopt,omitempty"`
	// Forget are the names of nodes that the topology no longer has and that are given up.
	Forget []string `json:"forget,omitempty"`
	// Digest is the [Digest] of the topology.
	Digest string `json:"topology_digest"`
	// Sum is the SHA-256 of the file's JSON with an empty Sum, in hexadecimal.
	Sum string `json:"checksum"`
}

const savedKind = "lvsctl saved plan"

// ErrNotSaved is the error for a file that is no saved plan.
var ErrNotSaved = errors.New("it is not a saved plan")

// Save returns the content of a plan's file. The plan fills in s.Document and s.Sum.
func (p *Plan) Save(s Saved) ([]byte, error) {
	s.Document, s.Kind, s.Sum = p.Document(), savedKind, ""
	var err error
	if s.Sum, err = sum(s); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// ReadSaved reads the content of a plan's file. The error is ErrNotSaved for a file of
// another kind. Other errors say why a saved plan cannot be used: it is of another
// format, was changed, or contradicts itself.
func ReadSaved(text []byte) (Saved, error) {
	var s Saved
	if err := json.Unmarshal(text, &s); err != nil || s.Kind != savedKind {
		return s, ErrNotSaved
	}
	if s.FormatVersion != FormatVersion {
		return s, fmt.Errorf("it has format %s, and this lvsctl writes %s; make a new plan", s.FormatVersion, FormatVersion)
	}
	bare := s
	bare.Sum = ""
	have, err := sum(bare)
	switch {
	case err != nil:
		return s, err
	case have != s.Sum:
		return s, errors.New("it was changed after it was made; make a new plan")
	}
	if err := s.check(); err != nil {
		return s, fmt.Errorf("it contradicts itself: %w; make a new plan", err)
	}
	return s, nil
}

// check refuses a document that [Plan.Document] cannot have made.
func (d Document) check() error {
	nodes := map[string]DocumentNode{}
	for _, n := range d.Nodes {
		if _, twice := nodes[n.Name]; twice {
			return fmt.Errorf("node %q stands there twice", n.Name)
		}
		nodes[n.Name] = n
	}
	seen := map[changeKey]bool{}
	for _, c := range d.Changes {
		n, listed := nodes[c.Node]
		switch {
		case !listed:
			return fmt.Errorf("it changes node %q, and does not list it", c.Node)
		case n.Error != "" || len(n.Problems) > 0:
			return fmt.Errorf("it changes node %q, and says that it cannot", c.Node)
		case !slices.Contains(state.Kinds(), state.Kind(c.Kind)):
			return fmt.Errorf("%q is no kind of change", c.Kind)
		case !slices.Contains([]state.Op{state.Add, state.Edit, state.Remove}, c.Action):
			return fmt.Errorf("%q is nothing that is done to anything", c.Action)
		case seen[c.ref()]:
			return fmt.Errorf("%s %s on %s is changed twice", c.Kind, c.Key, c.Node)
		}
		seen[c.ref()] = true
	}
	if d.Summary != d.summary() {
		return errors.New("its summary is of other changes")
	}
	return nil
}

// summary counts the document's changes and nodes.
func (d Document) summary() DocumentCounts {
	var t changeCounts
	for _, c := range d.Changes {
		t.add(c.Node, c.Action, c.HeldBack != "")
	}
	var n nodeCounts
	for _, node := range d.Nodes {
		n.count(node.Error != "", len(node.Problems) > 0, node.Orphan)
	}
	c := t.Counts
	return DocumentCounts{Text: n.summary(c), Add: c.Add, Change: c.Change, Destroy: c.Destroy, Nodes: c.Nodes, Held: c.Held}
}

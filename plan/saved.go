package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Saved is a plan in a file: its document, and what it was made from.
//
// Who is shown a saved plan approves it, and it is applied unasked. The file
// itself is trusted with nothing: its checksum finds a mistake, not a forgery.
// So that what is shown is what is done,
//
//   - no command is taken from the file: an apply makes the plan anew, from the
//     topology and the nodes, and does what both have, down to the commands
//     ([Plan.Restrict]);
//   - the topology, and how its nodes are reached, must have the digest
//     ([Digest]);
//   - what is shown is counted from the changes, all of them, and a file that
//     says something else of itself is refused ([ReadSaved]).
type Saved struct {
	Document
	Kind string `json:"kind"` // savedKind
	// Path is the topology's folder or file, Lab whether the plan is for its lab.
	Path string `json:"path"`
	Lab  bool   `json:"lab,omitempty"`
	// Adopt names the topologies whose records are taken over.
	Adopt []string `json:"adopt,omitempty"`
	// Digest is of what the topology wants of every node, and of the way there.
	Digest string `json:"topology_digest"`
	Sum    string `json:"checksum"`
}

const savedKind = "lvsctl saved plan"

// ErrNotSaved says that a file is no saved plan at all.
var ErrNotSaved = errors.New("it is not a saved plan")

// Save makes a plan's file.
func (p *Plan) Save(s Saved) ([]byte, error) {
	s.Document, s.Kind, s.Sum = p.Document(), savedKind, ""
	var err error
	if s.Sum, err = sum(s); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// ReadSaved reads a plan's file. The error is ErrNotSaved for any other file.
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

// check refuses a document that no plan has.
func (d Document) check() error {
	nodes := map[string]DocumentNode{}
	for _, n := range d.Nodes {
		if _, twice := nodes[n.Name]; twice {
			return fmt.Errorf("node %q stands there twice", n.Name)
		}
		nodes[n.Name] = n
	}
	seen := map[saved]bool{}
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

// summary is counted from the document's changes and nodes.
func (d Document) summary() DocumentCounts {
	var t tally
	for _, c := range d.Changes {
		t.add(c.Node, c.Action, c.HeldBack != "")
	}
	var n census
	for _, node := range d.Nodes {
		n.count(node.Error != "", len(node.Problems) > 0)
	}
	c := t.Counts
	return DocumentCounts{n.summary(c), c.Add, c.Change, c.Destroy, c.Nodes, c.Held}
}

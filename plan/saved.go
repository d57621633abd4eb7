package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Saved is a plan in a file: its document, what it was made from, and a sum over
// all of it. It holds no commands that anyone runs: those are made anew from the
// topology, and have to be the same.
type Saved struct {
	Document
	Kind string `json:"kind"` // savedKind
	// Path is the topology's folder or file, Lab whether the plan is for its lab.
	Path string `json:"path"`
	Lab  bool   `json:"lab,omitempty"`
	// Digest is of what the topology wants of every node.
	Digest string `json:"topology_digest"`
	Sum    string `json:"checksum"`
}

const savedKind = "lvsctl saved plan"

// ErrNotSaved says that a file is no saved plan at all.
var ErrNotSaved = errors.New("it is not a saved plan")

// Digest is a sum over what a topology wants of all nodes. Where it differs, a
// plan is of another version of the topology.
func Digest(topology string, inputs []Input) (string, error) {
	type want struct {
		Name, Role, Address string
		Exclusive           bool
		Want                *state.State
	}
	var all []want
	for _, in := range inputs {
		all = append(all, want{in.Name, in.Role, in.Address, in.Exclusive, in.Want})
	}
	return sum(struct {
		Topology string
		Wants    []want
	}{topology, all})
}

func sum(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("cannot sum up the plan: %w", err)
	}
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:]), nil
}

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
	if err == nil && have != s.Sum {
		err = errors.New("it was changed after it was made; make a new plan")
	}
	return s, err
}

// Restrict cuts a plan down to what a saved one has, and refuses nodes that are
// neither as that was planned on nor as it wants. What the saved plan has and
// this one has not is as wanted already.
func (p *Plan) Restrict(s Saved) {
	type ref struct{ node, kind, key string } // as the document has them
	saved := map[ref]*DocumentItem{}
	for i := range s.Changes {
		c := &s.Changes[i]
		saved[ref{c.Node, c.Kind, c.Key}] = c
	}
	stale := map[string]*StaleError{}
	p.Actions = slices.DeleteFunc(p.Actions, func(a Action) bool {
		c, ok := saved[ref{a.Node, string(a.Kind), a.Key.String()}]
		if !ok {
			return true
		}
		if !c.is(&a) {
			e := stale[a.Node]
			if e == nil {
				e = &StaleError{Node: a.Node}
				stale[a.Node] = e
			}
			e.Conflicts = append(e.Conflicts, c.conflict(a.Change))
		}
		return false
	})
	kept := map[int]bool{}
	for _, a := range p.Actions {
		kept[a.ID] = true
	}
	for i := range p.Actions {
		a := &p.Actions[i]
		a.Needs = slices.DeleteFunc(a.Needs, func(id int) bool { return !kept[id] })
		if stale[a.Node] != nil {
			a.Held = a.Node + " was changed since the plan was made"
		}
	}
	for i := range p.Nodes {
		p.Nodes[i].Stale = stale[p.Nodes[i].Name]
	}
}

// is reports whether a saved change is just this action, down to its commands.
func (c *DocumentItem) is(a *Action) bool {
	now := a.document()
	return c.Action == now.Action && c.Before == now.Before && c.After == now.After &&
		slices.Equal(c.Commands, now.Commands) && slices.Equal(c.Inverse, now.Inverse)
}

package plan

import (
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/state"
)

// Line is one line of a plan for a person. What it is decides its colour, where
// there are colours.
type Line struct {
	Style Style
	Text  string
}

// Style is what a line says.
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
}

// Lines is the plan as a person reads it, node by node, without the summary.
func (p *Plan) Lines(d Detail) []Line {
	byNode := map[string][]*Action{}
	for i := range p.Actions {
		a := &p.Actions[i]
		byNode[a.Node] = append(byNode[a.Node], a)
	}
	var lines []Line
	for _, n := range p.Nodes {
		if !n.Chosen {
			continue
		}
		section := nodeLines(n, byNode[n.Name], d)
		if len(section) > 0 && len(lines) > 0 {
			lines = append(lines, Line{Plain, ""})
		}
		lines = append(lines, section...)
	}
	return lines
}

func nodeLines(n Node, actions []*Action, d Detail) []Line {
	var lines []Line
	if n.Unreadable != nil {
		lines = append(lines, Line{Alarm, "  ! could not be read; nothing is planned for it"})
	}
	for _, problem := range n.Problems {
		lines = append(lines, Line{Alarm, "  ! " + problem})
	}
	for _, a := range actions {
		lines = append(lines, a.lines(d)...)
	}
	if len(lines) > 0 {
		lines = append([]Line{{Heading, fmt.Sprintf("  # %s %s (%s)", n.Role, n.Name, n.Address)}}, lines...)
	}
	for _, f := range n.Foreign {
		lines = append(lines, Line{Quiet, fmt.Sprintf("  left alone on %s: %s (%s), not in this topology", n.Name, f.Service, Plural(f.Servers, "server"))})
	}
	return lines
}

var styles = map[state.Op]Style{state.Add: Adding, state.Edit: Changing, state.Remove: Removing}

var symbols = map[state.Op]string{state.Add: "+", state.Edit: "~", state.Remove: "-"}

func (a *Action) lines(d Detail) []Line {
	text := fmt.Sprintf("  %s %-9s %s", symbols[a.Op], a.Kind, a.Sentence())
	style := styles[a.Op]
	if a.Reason == Drift {
		text += "  (drift)"
	}
	if a.Held != "" {
		text, style = text+"  (held back: "+a.Held+")", Quiet
	}
	lines := []Line{{style, text}}
	if d.Commands {
		for _, c := range a.Do {
			lines = append(lines, Line{Quiet, "      $ " + c.String()})
		}
		for _, c := range a.Undo {
			lines = append(lines, Line{Quiet, "      undo: " + c.String()})
		}
	}
	return lines
}

// Sentence is the change without its node, kind and symbol.
func (a *Action) Sentence() string {
	var value string
	switch a.Op {
	case state.Add:
		value = a.After
	case state.Remove:
		value = a.Before
	case state.Edit:
		value = a.Before + " -> " + a.After
	}
	return strings.TrimRight(a.Key+"  "+value, " ")
}

package plan

import (
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
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
	// Files shows what changes in each file, line by line.
	Files bool
	// Each shows every node by itself, those too that have the same changes as another.
	Each bool
}

// Lines is the plan as a person reads it, node by node, without the summary.
func (p *Plan) Lines(d Detail) []Line { return p.Document().Lines(d) }

// Lines is [Plan.Lines] of a plan that was read from JSON.
func (doc Document) Lines(d Detail) []Line {
	var lines []Line
	for _, g := range doc.groups(d) {
		section := g.lines(d)
		if len(section) > 0 && len(lines) > 0 {
			lines = append(lines, Line{Plain, ""})
		}
		lines = append(lines, section...)
	}
	return lines
}

func (g *group) lines(d Detail) []Line {
	n := g.shown
	var lines []Line
	if n.Error != "" {
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
	for _, c := range g.changes {
		lines = append(lines, c.lines(d)...)
	}
	if len(g.changes) > 0 {
		for _, note := range n.Notes {
			lines = append(lines, Line{Quiet, "    " + note})
		}
	}
	if len(lines) > 0 {
		lines = append([]Line{{Heading, g.heading()}}, lines...)
	}
	for _, f := range n.LeftAlone {
		lines = append(lines, Line{Quiet, fmt.Sprintf("  left alone on %s: %s (%s), not in this topology", g.names(), f.Service, plural.Of(f.Servers, "server"))})
	}
	return lines
}

var styles = map[state.Op]Style{state.Add: Adding, state.Edit: Changing, state.Remove: Removing}

func (c *DocumentItem) lines(d Detail) []Line {
	text := fmt.Sprintf("  %s %-9s %s", c.Action.Symbol(), c.Kind, sentence(c.Action, c.Key, c.Before, c.After))
	style := styles[c.Action]
	if c.Reason == Drift {
		text += "  (drift)"
	}
	if c.HeldBack != "" {
		text, style = text+"  (held back: "+c.HeldBack+")", Quiet
	}
	lines := []Line{{style, text}}
	if c.Risk != "" {
		lines = append(lines, Line{Alarm, "    ! " + string(c.Risk)})
	}
	if d.Files {
		lines = append(lines, c.diffLines()...)
	}
	if d.Commands {
		for _, command := range c.Commands {
			lines = append(lines, Line{Quiet, "      $ " + command})
		}
		for _, command := range c.Inverse {
			lines = append(lines, Line{Quiet, "      undo: " + command})
		}
	}
	return lines
}

func (c *DocumentItem) diffLines() []Line {
	var lines []Line
	for text := range strings.Lines(c.Diff) {
		style := Quiet
		switch text[0] {
		case '+':
			style = Adding
		case '-':
			style = Removing
		}
		lines = append(lines, Line{style, "      " + strings.TrimRight(text, "\n")})
	}
	return lines
}

// Sentence is the change in words, without its node, kind and symbol.
func (a *Action) Sentence() string { return sentence(a.Op, a.Key.String(), a.Before, a.After) }

func sentence(op state.Op, key, before, after string) string {
	value := after
	switch op {
	case state.Remove:
		value = before
	case state.Edit:
		value = before + " -> " + after
		if before == after {
			value = after + ", changed" // a file with as many lines as before
		}
	}
	return strings.TrimRight(key+"  "+value, " ")
}

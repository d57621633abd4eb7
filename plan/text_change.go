package plan

import (
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// The lines of one change.

var styles = map[state.Op]Style{state.Add: Adding, state.Edit: Changing, state.Remove: Removing}

// Text is the change in one line.
func (c *DocumentItem) Text() string {
	text := fmt.Sprintf("%s %-9s %s", c.Action.Symbol(), c.Kind, sentence(c.Action, c.Key, c.Before, c.After))
	switch {
	case c.Since != "":
		text += "  (" + string(c.Since) + ")"
	case c.Reason == Drift:
		text += "  (drift)"
	}
	if c.HeldBack != "" {
		text += "  (held back: " + c.HeldBack + ")"
	}
	return text
}

func (c *DocumentItem) lines(d Detail) []Line {
	style := styles[c.Action]
	if c.HeldBack != "" {
		style = Quiet
	}
	lines := []Line{{style, "  " + c.Text()}}
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
	value := live.Said(after) // what a record says was there before comes from the node too
	switch op {
	case state.Remove:
		value = live.Said(before)
	case state.Edit:
		if before == after {
			value += ", changed" // a file with as many lines as before
		} else {
			value = live.Said(before) + " -> " + value
		}
	}
	return strings.TrimRight(key+"  "+value, " ")
}

package graph

import (
	"fmt"
	"strings"
)

// What all formats write on a node, a stop and a step.

// String is the level's name where it is coloured; "" for Fine.
func (l Level) String() string {
	return [...]string{"", "differs", "away", "down"}[l]
}

// roleWord is a role as people say it.
func roleWord(n Node) string { return strings.ReplaceAll(string(n.Role), "_", " ") }

// title names a node, and says how many it stands for.
func (n Node) title() string {
	if n.Count == 1 {
		return n.Title
	}
	return fmt.Sprintf("%s (%d)", n.Title, n.Count)
}

// vipLines is how many VIPs of a director are named.
const vipLines = 4

// text are the lines below a node's title.
func (n Node) text() []string {
	var lines []string
	for i, vip := range n.VIPs {
		if i == vipLines {
			lines = append(lines, fmt.Sprintf("and %d more VIPs", len(n.VIPs)-i))
			break
		}
		lines = append(lines, "VIP "+vip)
	}
	if n.Mark.Text != "" {
		lines = append(lines, n.Mark.Text)
	}
	return lines
}

// titleLines is how many virtual servers a way's title names.
const titleLines = 6

// titles are the lines of a way's title.
func (p Path) titles() []string {
	if len(p.Titles) <= titleLines {
		return append([]string(nil), p.Titles...)
	}
	rest := len(p.Titles) - titleLines + 1
	return append(append([]string(nil), p.Titles[:titleLines-1]...), fmt.Sprintf("and %d more that go the same way", rest))
}

// stopLines are a stop's title and what is below it.
func (g *Graph) stopLines(s Stop) []string {
	title := s.Title
	if s.Node >= 0 {
		title = g.Nodes[s.Node].title()
	}
	lines := append([]string{title}, s.Text...)
	if s.Mark.Text != "" {
		lines = append(lines, s.Mark.Text)
	}
	return lines
}

// lines are a step's number and packet, what is done to it, and its devices.
func (s Step) lines(number int) []string {
	lines := []string{fmt.Sprintf("%d  %s", number, s.Packet)}
	if s.Note != "" {
		lines = append(lines, s.Note)
	}
	if s.Out != "" && s.In != "" {
		lines = append(lines, s.Out+" to "+s.In)
	}
	return lines
}

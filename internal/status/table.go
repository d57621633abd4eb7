package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/plan"
)

// The table.
//
//	topology shop at 13:40:02            WEIGHT  ACTIVE   INACT  CONN/S   PKT/S  BYTE/S
//	director lvs (192.168.188.8):  holds 192.168.188.100; as wanted; applied 2h ago, kai@desk
//	  web  tcp 192.168.188.100:80 rr                 12     340    10.2    1200    3.4M
//	    web-1  192.168.188.81:80 dr           1       6     170     5.1     610    1.7M
//	    web-2  192.168.188.82:80 dr           0       6     170       0      12    3100  drained 1m
//	real_server web-1, web-2:  as wanted; applied 2h ago, kai@desk
//
// A node's row is a sentence; those of services and servers have numbers in columns.

// Width is how many columns a table has at most where nothing says another width.
const Width = 100

// numberWidth is that of a column of numbers, with the blanks before it.
const numberWidth = 8

// Lines are the report for a person, none wider than width.
func (r Report) Lines(width int) []plan.Line {
	w := r.nameWidth(width)
	lines := []plan.Line{{Style: plan.Heading, Text: cut(r.title(), w) +
		columns("WEIGHT", "ACTIVE", "INACT", "CONN/S", "PKT/S", "BYTE/S")}}
	for _, alarm := range r.Alarms {
		lines = append(lines, wrapped("! "+alarm, plan.Alarm, width)...)
	}
	services := map[string][]Service{}
	for _, s := range r.Services {
		services[s.Director] = append(services[s.Director], s)
	}
	for i := 0; i < len(r.Nodes); {
		n := r.Nodes[i]
		// Nodes of which the same is said are one row, if nothing comes below them.
		end := i + 1
		for len(services[n.Name]) == 0 && end < len(r.Nodes) && len(services[r.Nodes[end].Name]) == 0 && n.like(r.Nodes[end], r.At) {
			end++
		}
		lines = append(lines, rows(r.Nodes[i:end], r.At, width)...)
		for _, s := range services[n.Name] {
			lines = append(lines, s.lines(w, r.At, width)...)
		}
		i = end
	}
	return lines
}

// nameWidth is how wide the first column is: as wide as it has to be, as far as there is
// room beside numbers and states.
func (r Report) nameWidth(width int) int {
	const least = 24
	need, state := utf8.RuneCountInString(r.title()), 0
	for _, s := range r.Services {
		need, state = max(need, utf8.RuneCountInString(s.what())), max(state, len(s.State))
		for _, one := range s.Servers {
			need, state = max(need, utf8.RuneCountInString(one.what())), max(state, len(one.state(r.At)))
		}
	}
	if state > 0 {
		state += len("  ")
	}
	return max(min(need, width-6*numberWidth-state), least)
}

func (r Report) title() string {
	return fmt.Sprintf("topology %s at %s", r.Topology, r.At.Local().Format(time.TimeOnly))
}

func columns(cells ...string) string {
	var b strings.Builder
	for _, c := range cells {
		fmt.Fprintf(&b, "%*s", numberWidth, c)
	}
	return b.String()
}

// like reports whether the same is said of two nodes.
func (n Node) like(other Node, now time.Time) bool {
	return n.Role == other.Role && n.health(now) == other.health(now)
}

// rows are what is said of nodes that are alike.
func rows(nodes []Node, now time.Time, width int) []plan.Line {
	n := nodes[0]
	var names string
	switch last := nodes[len(nodes)-1]; len(nodes) {
	case 1:
		names = fmt.Sprintf("%s (%s)", n.Name, n.Address)
	case 2:
		names = n.Name + ", " + last.Name
	default:
		names = fmt.Sprintf("%s ... %s (%s)", n.Name, last.Name, plural.Of(len(nodes), "node"))
	}
	return wrapped(n.Role+" "+names+":  "+n.health(now), n.style(), width)
}

func (n Node) style() plan.Style {
	switch {
	case n.Error != "" || n.Differences > 0 || len(n.Lacks) > 0:
		return plan.Alarm
	case n.Pending > 0 || n.Never || len(n.Blocked) > 0:
		return plan.Changing
	}
	return plan.Plain
}

// health sums a node up.
func (n Node) health(now time.Time) string {
	var parts []string
	if n.Error != "" {
		line, _, _ := strings.Cut(n.Error, "\n")
		parts = append(parts, line)
	}
	switch {
	case n.Part != "" && len(n.Holds) > 0:
		parts = append(parts, string(n.Part)+" of "+some(n.Holds))
	case n.Part != "":
		parts = append(parts, string(n.Part))
	case len(n.Holds) > 0:
		parts = append(parts, "holds "+some(n.Holds))
	}
	if len(n.Lacks) > 0 {
		parts = append(parts, "lacks "+some(n.Lacks))
	}
	for _, name := range slices.Sorted(maps.Keys(n.FailedOver)) {
		parts = append(parts, name+" failed over to "+n.FailedOver[name].To)
	}
	switch {
	case n.Error != "" && n.Applied.At.IsZero():
	case n.Never:
		parts = append(parts, "never applied")
	case n.Differences > 0:
		parts = append(parts, plural.Of(n.Differences, "difference"))
	case n.Pending == 0 && len(n.Blocked) == 0:
		parts = append(parts, "as wanted")
	}
	if n.Pending > 0 {
		parts = append(parts, plural.Of(n.Pending, "change")+" not applied")
	}
	parts = append(parts, n.Blocked...)
	if !n.Applied.At.IsZero() {
		parts = append(parts, fmt.Sprintf("applied %s ago, %s", age(now.Sub(n.Applied.At)), n.Applied.By))
	}
	return strings.Join(parts, "; ")
}

func some(list []string) string {
	if len(list) > 2 {
		return fmt.Sprintf("%s and %d others", list[0], len(list)-1)
	}
	return strings.Join(list, ", ")
}

// age is a time in the largest unit that it has.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

func (s Service) what() string {
	if s.Name == "" {
		return "  " + s.Service + " " + s.How
	}
	return "  " + s.Name + "  " + s.Service + " " + s.How
}

func (s Server) what() string {
	if s.Name == "" {
		return "    " + s.Address + " " + s.Mode
	}
	return "    " + s.Name + "  " + s.Address + " " + s.Mode
}

// state is what is special about a server, for how long it has been so, and by whom.
func (s Server) state(now time.Time) string {
	text := string(s.State)
	if !s.Since.IsZero() {
		text += " " + age(now.Sub(s.Since))
	}
	if s.By != "" {
		text += ", " + s.By
	}
	return text
}

func (s Service) lines(name int, now time.Time, width int) []plan.Line {
	lines := []plan.Line{numbers(cut(s.what(), name), "", s.Load, s.State, string(s.State), width)}
	for _, one := range s.Servers {
		lines = append(lines, numbers(cut(one.what(), name), fmt.Sprint(one.Weight), one.Load, one.State, one.state(now), width))
	}
	return lines
}

// numbers is a row of a service or a server.
func numbers(text, weight string, l Load, s State, state string, width int) plan.Line {
	switch {
	case s == Down || s == Gone:
		text += columns("", "", "", "", "", "")
	case l.Rates == nil:
		text += columns(weight, count(float64(l.Active)), count(float64(l.Inactive)), "-", "-", "-")
	default:
		text += columns(weight, count(float64(l.Active)), count(float64(l.Inactive)), count(l.Rates.Connections), count(l.Rates.Packets()), count(l.Rates.Bytes()))
	}
	style := plan.Plain
	switch s {
	case Down, Gone:
		style = plan.Alarm
	case Drained, Maintenance, Idle, Sorry:
		style = plan.Changing
	case Foreign:
		style = plan.Quiet
	}
	if state != "" {
		text += "  " + state
	}
	return plan.Line{Style: style, Text: strings.TrimRight(cut(text, width), " ")}
}

// count is a number of at most six characters: 0, 3.4, 999, 12.3K, 4.5M.
func count(n float64) string {
	switch {
	case n < 0.05:
		return "0"
	case n < 99.95 && n != float64(int(n)):
		return fmt.Sprintf("%.1f", n)
	case n < 9999.5:
		return fmt.Sprintf("%.0f", n)
	}
	for _, unit := range "KMGTP" {
		n /= 1000
		switch {
		case n < 99.95:
			return fmt.Sprintf("%.1f%c", n, unit)
		case n < 999.5:
			return fmt.Sprintf("%.0f%c", n, unit)
		}
	}
	return fmt.Sprintf("%.0fP", n)
}

// cut is text in exactly so many columns.
func cut(text string, width int) string {
	if n := utf8.RuneCountInString(text); n <= width {
		return text + strings.Repeat(" ", width-n)
	}
	return string([]rune(text)[:width-1]) + "…"
}

// wrapped is a sentence in lines of at most so many columns. A word that is longer is
// cut.
func wrapped(text string, style plan.Style, width int) []plan.Line {
	var lines []plan.Line
	line := ""
	for _, word := range strings.Split(text, " ") {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, plan.Line{Style: style, Text: strings.TrimRight(cut(line, width), " ")})
			line = "   "
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, plan.Line{Style: style, Text: strings.TrimRight(cut(line, width), " ")})
}

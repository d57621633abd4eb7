package state

import (
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// replaceRoute puts a route in the place of another. The kernel refuses one that
// is further behind already (fib_table_insert: fa_match is not the first), so that
// one goes first; what was behind comes back, in its order, when the change is
// undone.
func replaceRoute(_ *State, k RouteKey, from, to Route) []shell.Command {
	var commands []shell.Command
	behind := map[string]bool{}
	for r := range from.behind() {
		if r.leads(to) {
			commands = append(commands, RouteCommand("del", k, r))
			continue
		}
		behind[r.words()] = true
	}
	commands = append(commands, RouteCommand("replace", k, to))
	appending := false
	for r := range to.behind() {
		there := behind[r.words()]
		if appending = appending || !there; !appending {
			continue
		}
		if there {
			commands = append(commands, RouteCommand("del", k, r)) // to come after the one before it
		}
		commands = append(commands, RouteCommand("append", k, r))
	}
	return commands
}

// behind are the routes of Behind.
func (r Route) behind() iter.Seq[Route] {
	return func(yield func(Route) bool) {
		for line := range strings.Lines(r.Behind) {
			words := strings.Fields(line)
			at := 0
			if len(words) > 0 && routeTypes[words[0]] {
				at = 1
			}
			_, b, err := parseRoute(slices.Insert(words, at, "default"), netip.IPv4Unspecified())
			if err == nil && !yield(b) {
				return
			}
		}
	}
}

// words is a route as ip reads it, without what identifies it.
func (r Route) words() string {
	return strings.Join(slices.DeleteFunc([]string{r.String(), r.rest()}, func(s string) bool { return s == "" }), " ")
}

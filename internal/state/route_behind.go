package state

import (
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// replaceRoute replaces a route by another with the same key. The kernel refuses a
// replacement that is already there behind the first one (fib_table_insert: fa_match is
// not the first), so that one is deleted before. An undo adds what was behind again, in
// its order.
func replaceRoute(_ *State, k RouteKey, from, to Route) []shell.Command {
	var commands []shell.Command
	behind := map[string]bool{}
	for r := range from.behind() {
		if r.sameHop(to) {
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
			commands = append(commands, RouteCommand("del", k, r)) // appended again below, for the order
		}
		commands = append(commands, RouteCommand("append", k, r))
	}
	return commands
}

// behind iterates over the routes in Behind.
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

// words is a route in the words of ip, without those of its key.
func (r Route) words() string {
	return strings.Join(slices.DeleteFunc([]string{r.String(), r.rest()}, func(s string) bool { return s == "" }), " ")
}

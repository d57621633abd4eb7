package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Topologies that share a node.
//
// Each has a record of its own there. An entry that two records hold stays until both have
// given it up. That is right for two clusters that share a director, and wrong for one
// topology that was renamed: its old record would keep everything for ever. The two cannot be
// told apart, so the plan names the other record and says how to take it over.

// others is what the records of other topologies on a node mean for this plan.
type others struct {
	// warnings name records that may be this topology's under an old name, and those
	// that cannot be read. notes say what is left to another topology.
	warnings, notes []string
	// wantsTheirs is set if the topology wants an entry that is in another topology's
	// record and not in its own: then its own record must be written.
	wantsTheirs bool
}

func newOthers(in *Input, s state.Settled) others {
	var o others
	wanted := s.Wanted()
	ours := map[state.Ref]bool{}
	for _, ref := range state.Shared(wanted, in.Live.Record.Set) {
		ours[ref] = true
	}
	for _, r := range in.Live.Record.Others {
		shared := state.Shared(wanted, r.Set)
		if len(shared) == 0 {
			continue
		}
		for _, ref := range shared {
			o.wantsTheirs = o.wantsTheirs || !ours[ref]
		}
		if !slices.Contains(in.Beside, r.Topology) {
			o.warnings = append(o.warnings, fmt.Sprintf("the record of topology %[1]s on this node holds %[2]s too; if this topology was called %[1]s, take that over with: lvsctl apply --adopt %[1]s, or keep the name: lvsctl { name = %[1]q }", r.Topology, some(shared, othersOf)))
		}
	}
	for _, file := range in.Live.Unclear {
		o.warnings = append(o.warnings, fmt.Sprintf("%s cannot be read; what another topology holds on this node is not known", file))
	}
	if len(s.Released) > 0 {
		refs := slices.Clone(s.Released)
		slices.SortFunc(refs, func(a, b state.Ref) int { return strings.Compare(a.String(), b.String()) })
		o.notes = append(o.notes, "left to another topology on this node: "+some(refs, othersOf))
	}
	return o
}

// some names the first three of a list and counts the rest, in the words of rest. It never
// counts a single one: its name is as short.
func some[T fmt.Stringer](list []T, rest func(n int) string) string {
	const most = 3
	var words []string
	for i, v := range list {
		if i == most && len(list) > most+1 {
			words = append(words, rest(len(list)-most))
			break
		}
		words = append(words, v.String())
	}
	return strings.Join(words, ", ")
}

func othersOf(n int) string { return plural.Of(n, "other") }

func moreOf(n int) string { return fmt.Sprintf("%d more", n) }

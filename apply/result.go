package apply

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/plan"
)

// A node is in one of the maps of a result, or in none:
//
//	Locked        somebody else is applying to it; nothing was changed anywhere
//	Stale         it was changed since the plan; nothing was changed on it
//	Reverted      it was put back
//	Unconfirmed   it is not as wanted, or it is not known how it is
//	none          the outcomes of its actions say everything

// Complete reports whether everything was done and every node is as wanted.
func (res Result) Complete() bool {
	return res.Whole() && len(res.Plan.Unreadable()) == 0 && len(res.Plan.Blocked()) == 0
}

// Whole reports whether the topology is as wanted. A node that it no longer has may be
// out of reach: nothing else waits for that one.
func (res Result) Whole() bool {
	for _, o := range res.Outcomes {
		if !o.Status.inForce() {
			return false
		}
	}
	missing := func(n plan.Node) bool { return !n.Orphan }
	return len(res.Locked) == 0 && len(res.Stale) == 0 && len(res.Unconfirmed) == 0 &&
		!slices.ContainsFunc(res.Plan.Unreadable(), missing) && !slices.ContainsFunc(res.Plan.Blocked(), missing)
}

// Tried reports whether there was anything to do, whether it succeeded or not.
func (res Result) Tried() bool {
	return res.Outcomes != nil || len(res.Locked)+len(res.Stale) > 0
}

// Count counts the actions that were done.
func (res Result) Count() plan.Counts {
	done := &plan.Plan{}
	for _, a := range res.Plan.Actions {
		if res.Outcomes[a.ID].Status == Done {
			done.Actions = append(done.Actions, a)
		}
	}
	return done.Count()
}

// Summary is the last line of an apply. Its wording is stable, because scripts read it.
// verb is its first word, for example "Apply".
func (res Result) Summary(verb string) string {
	c := res.Count()
	text := fmt.Sprintf("%d added, %d changed, %d destroyed on %s.", c.Add, c.Change, c.Destroy, plural.Of(c.Nodes, "node"))
	if res.Complete() {
		return verb + " complete: " + text
	}
	return verb + " incomplete: " + text + " Not done: " + strings.Join(res.shortcomings(), ", ") + "."
}

// shortcomings names the nodes that are not as wanted, in the order of the plan, with the
// reason in a few words.
func (res Result) shortcomings() []string {
	left := map[string]int{}
	for _, a := range res.Plan.Actions {
		if !res.Outcomes[a.ID].Status.inForce() {
			left[a.Node]++
		}
	}
	var list []string
	for _, n := range res.Plan.Nodes {
		switch {
		case !n.Chosen:
		case n.Unreadable != nil:
			list = append(list, n.Name+" (could not be read)")
		case len(n.Problems) > 0:
			list = append(list, n.Name+" (cannot be changed)")
		case res.Locked[n.Name] != nil:
			list = append(list, n.Name+" (locked)")
		case res.Stale[n.Name] != nil:
			list = append(list, n.Name+" (changed since the plan)")
		case res.Reverted[n.Name] != nil:
			list = append(list, n.Name+" (rolled back)")
		case left[n.Name] > 0:
			list = append(list, n.Name+" ("+plural.Of(left[n.Name], "change")+")")
		case res.Unconfirmed[n.Name] != nil:
			list = append(list, n.Name+" (not confirmed)")
		}
	}
	return list
}

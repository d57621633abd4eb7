package main

import (
	"errors"
	"fmt"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/plan"
)

// How a command that changed nodes ends: its last line, its errors and its exit code.

// finish prints the result of an apply and returns its exit code as an error.
func (a *app) finish(c *change, r apply.Result, interrupted bool) error {
	if c.asJSON {
		if err := a.stdout.json(r.Document(c.verb)); err != nil {
			return err
		}
	}
	a.reportFailures(r)
	switch {
	case c.asJSON:
	case !r.Tried():
		a.printSummary(r.Plan.Summary())
	default:
		a.printSummary(r.Summary(c.verb))
	}
	return exitOf(r, interrupted)
}

// exitOf is the exit code of a result: that of the worst that happened.
func exitOf(r apply.Result, interrupted bool) error {
	switch {
	case interrupted:
		return exitError{code: exitInterrupted}
	case len(r.Locked) > 0:
		return exitError{code: exitLocked}
	case len(r.Reverted) > 0:
		return exitError{code: exitRolledBack}
	case len(r.Stale) > 0:
		return exitError{code: exitStale}
	case !r.Whole() || len(r.Plan.Blocked()) > 0:
		return exitError{code: exitFailed}
	case !r.Complete():
		return exitError{code: exitUnreadable} // a node that the topology no longer has
	}
	return nil
}

// reportFailures prints for each node, once, why it is not as wanted.
func (a *app) reportFailures(r apply.Result) {
	for _, n := range r.Plan.Nodes {
		seen := map[string]bool{}
		report := func(err error) {
			if err != nil && !seen[err.Error()] {
				seen[err.Error()] = true
				a.fail(named(n.Name, err))
			}
		}
		if e := r.Locked[n.Name]; e != nil {
			report(e)
		}
		if e := r.Stale[n.Name]; e != nil {
			report(e)
		}
		for _, act := range r.Plan.Actions {
			if o := r.Outcomes[act.ID]; act.Node == n.Name && (o.Status == apply.Failed || o.Status == apply.Unknown) {
				report(o.Err)
			}
		}
		report(r.Reverted[n.Name])
		report(r.Unconfirmed[n.Name])
	}
}

// named puts the node's name before an error that does not have it already.
func named(node string, err error) error {
	var unreached *remote.Error
	var locked *apply.LockedError
	var stale *plan.StaleError
	if errors.As(err, &unreached) || errors.As(err, &locked) || errors.As(err, &stale) {
		return err
	}
	return fmt.Errorf("%s: %w", node, err)
}

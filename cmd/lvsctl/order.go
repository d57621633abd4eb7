package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
)

// order is what drain, undrain and failover have in common: each has directors do one
// thing, and nothing else, whatever else differs from the topology.
type order struct {
	scope    scope
	asJSON   bool
	commands bool
	rollback time.Duration
}

func (o *order) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.scope.lab, "lab", false, "work on the topology's lab instead of the real nodes")
	f.BoolVar(&o.asJSON, "json", false, "print the result as JSON")
	f.BoolVar(&o.commands, "commands", false, "show the commands of each change, and those that undo it")
	rollbackFlag(f, &o.rollback, "director")
}

// rollbackFlag is for commands that change nodes. who is what they call one.
func rollbackFlag(f *pflag.FlagSet, d *time.Duration, who string) {
	f.DurationVar(d, "rollback-timeout", 60*time.Second, "how long a "+who+" waits for its change to be confirmed before it puts itself back")
}

// checkRollback refuses a time in which no node could be read again.
func checkRollback(d time.Duration, who string) error {
	if d < 5*time.Second {
		return fmt.Errorf("--rollback-timeout %s is too short to look at a %s again; use 5s or more", d, who)
	}
	return nil
}

// lookAndPlan reads some nodes of a topology and makes the plan by build.
func (a *app) lookAndPlan(ctx context.Context, k *cases, nodes []survey.Node, build func(topology string, inputs []plan.Input) *plan.Plan) (*survey.Survey, error) {
	progress := a.progress("Reading", len(nodes))
	defer progress.end()
	all, err := survey.TakeAll(ctx, []survey.Case{{Topology: k.Name, Nodes: nodes, Plan: build}}, survey.Options{Parallelism: a.parallelism, Through: progress.node})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// nothingToDo reports whether a plan changes nothing, not even a record.
func nothingToDo(p *plan.Plan) bool { return !p.Count().Any() && !p.Rewrites() }

// carryOut does a plan, if there is anything to do, and reports what failed. With atomic all
// directors are put back if one cannot be changed.
func (a *app) carryOut(ctx context.Context, s *survey.Survey, rollback time.Duration, atomic bool) apply.Result {
	if nothingToDo(s.Plan) {
		return apply.Nothing(s.Plan)
	}
	events := a.events(s.Plan)
	result := apply.Run(ctx, s.Plan, s.Reach(), apply.Options{Parallelism: a.parallelism, Rollback: rollback, Atomic: atomic, Owner: owner(), Event: events.event})
	events.end()
	a.reportFailures(result)
	return result
}

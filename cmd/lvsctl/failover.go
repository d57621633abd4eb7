package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/topology"
)

// failover is a switchover that is asked for.
type failover struct {
	order
	to     string
	dryRun bool
}

func failoverCommand(a *app) *cobra.Command {
	f := &failover{}
	cmd := &cobra.Command{
		Use:   "failover [PATH] INSTANCE",
		Short: "Have another director take over a vrrp_instance, without losing a request",
		Long: `Gives the addresses of a vrrp_instance to another director: keepalived's
priorities are exchanged and reloaded, that of the master last. For the moment in
which the addresses leave, new connections are held and those under way may end,
so no request is lost. Connections that stay open for longer are cut, unless the
instance has sync.

With preempt = true (the default) the directors' records say who is to hold the
addresses: plan and apply keep it and show it, whatever is rebooted, until a
failover to the topology's first director. With preempt = false the priorities are
put back at once, and the addresses stay where they are.

Nothing is changed if the other director is not healthy: its keepalived does not
run or is in fault, has not loaded what was applied, or has taken out real servers
that the master has; or if a director cannot be read, or an address is on two
directors or on none. If a director cannot be changed, all are put back.

INSTANCE is a vrrp_instance. PATH, a file or folder that exists, is the topology;
without it that in the working directory.

Exit codes: 0 done, or nothing to do; 1 refused, nothing was changed; 4 the
directors were put back; 6 a director is locked by an apply; 130 interrupted.`,
		Example: `  lvsctl failover pair --dry-run     # may it, and what would change
  lvsctl failover pair && ssh lvs-1 reboot
  lvsctl failover pair --to lvs-1    # back to the topology's first director`,
		Args:              cobra.MatchAll(from(1, "the vrrp_instance"), atMost(2, "one PATH and one INSTANCE")),
		ValidArgsFunction: a.completeInstances,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.failover(cmd.Context(), args, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.to, "to", "", "the `DIRECTOR` that is to hold the addresses (default: the first that does not)")
	fl.BoolVar(&f.dryRun, "dry-run", false, "show what would be changed, and change nothing")
	f.flags(fl)
	a.completeFlag(cmd, "to", directorNames)
	return cmd
}

// switched is what became of a failover, as JSON has it.
type switched struct {
	apply.Document
	Failover plan.Switchover `json:"failover"`
	DryRun   bool            `json:"dry_run,omitempty"`
}

func (a *app) failover(ctx context.Context, args []string, f *failover) error {
	if err := checkRollback(f.rollback, "director"); err != nil {
		return err
	}
	path, names := splitPath(args)
	if len(names) != 1 {
		return fmt.Errorf("name one vrrp_instance; %s is no topology", args[0])
	}
	k, err := a.cases(ctx, path, f.scope, everything)
	if err != nil {
		return err
	}
	inst, err := f.instance(k.Topology, names[0])
	if err != nil {
		return err
	}
	o := plan.FailoverOrder{Instance: inst.Name, To: f.to, By: owner(), Since: time.Now().UTC().Truncate(time.Second)}
	s, err := a.lookAtInstance(ctx, k, inst, o)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := a.refuseFailover(s.Plan, f); err != nil {
		return err
	}
	if f.dryRun {
		return a.finishFailover(f, s.Plan, apply.Nothing(s.Plan), nil)
	}
	result, err := a.switchOver(ctx, f, s)
	if err != nil || !s.Plan.Failover.Settles {
		return a.finishFailover(f, s.Plan, result, err)
	}
	o.To, o.Settles = s.Plan.Failover.To, true
	again, err := a.lookAtInstance(ctx, k, inst, o)
	if err != nil {
		return err
	}
	defer again.Close()
	if err := a.refuseFailover(again.Plan, f); err != nil {
		return fmt.Errorf("%w\n%s holds the addresses; lvsctl apply puts the priorities back.", err, o.To)
	}
	_, err = a.switchOver(ctx, f, again)
	return a.finishFailover(f, s.Plan, result, err)
}

// instance is the vrrp_instance of a name, with the director that is asked for.
func (f *failover) instance(t *topology.Topology, name string) (*topology.VRRPInstance, error) {
	i := slices.IndexFunc(t.VRRP, func(v *topology.VRRPInstance) bool { return v.Name == name })
	if i < 0 {
		if len(t.VRRP) == 0 {
			return nil, fmt.Errorf("topology %s has no vrrp_instance", t.Name)
		}
		return nil, fmt.Errorf("there is no vrrp_instance %q in topology %s\nIt has %s.", name, t.Name, strings.Join(instanceNames(t), ", "))
	}
	inst := t.VRRP[i]
	var names []string
	for _, d := range inst.Directors {
		names = append(names, d.Name)
	}
	switch {
	case len(names) < 2:
		return nil, fmt.Errorf("vrrp_instance %s has no other director than %s", name, names[0])
	case f.to != "" && !slices.Contains(names, f.to):
		return nil, fmt.Errorf("%s is no director of vrrp_instance %s\nIt has %s.", f.to, name, strings.Join(names, ", "))
	}
	return inst, nil
}

// lookAtInstance reads the instance's directors and plans the order.
func (a *app) lookAtInstance(ctx context.Context, k *cases, inst *topology.VRRPInstance, o plan.FailoverOrder) (*survey.Survey, error) {
	nodes := slices.DeleteFunc(slices.Clone(k.nodes), func(n survey.Node) bool {
		return !slices.ContainsFunc(inst.Directors, func(d *topology.Node) bool { return d.Name == n.Name })
	})
	return a.lookAndPlan(ctx, k, nodes, func(topology string, inputs []plan.Input) *plan.Plan { return plan.Failover(topology, inputs, o) })
}

// refuseFailover shows the plan, and stops one that could lose requests.
func (a *app) refuseFailover(p *plan.Plan, f *failover) error {
	a.reportUnreadable(p)
	if !f.asJSON {
		a.printLines(p.Lines(a.detail(f.commands)))
	}
	list := slices.Clone(p.Alarms)
	for _, n := range p.Nodes {
		if n.Unreadable != nil {
			list = append(list, n.Name+": could not be read")
		}
		for _, why := range n.Problems {
			list = append(list, n.Name+": "+why)
		}
	}
	if len(list) > 0 {
		return fmt.Errorf("vrrp_instance %s cannot go to %s now; nothing was changed\n  %s", p.Failover.Instance, p.Failover.To, strings.Join(list, "\n  "))
	}
	if a.stdout.failure() != nil {
		return errors.New("the plan could not be shown; nothing was changed")
	}
	return nil
}

// switchOver does a plan. Directors that disagree about their priorities would be worse
// than none that is changed, so all are put back if one cannot be changed.
func (a *app) switchOver(ctx context.Context, f *failover, s *survey.Survey) (apply.Result, error) {
	if nothingToDo(s.Plan) {
		return apply.Nothing(s.Plan), nil
	}
	result := a.carryOut(ctx, s, f.rollback, true)
	return result, exitOf(result, ctx.Err() != nil)
}

// finishFailover prints the result. The error is the exit code.
func (a *app) finishFailover(f *failover, p *plan.Plan, result apply.Result, exit error) error {
	out := switched{Document: result.Document("Failover"), Failover: *p.Failover, DryRun: f.dryRun}
	if exit == nil {
		out.Summary.Text = said(*p.Failover, f.dryRun)
	}
	if !f.asJSON {
		a.printSummary(out.Summary.Text)
		return exit
	}
	if err := a.stdout.json(out); err != nil {
		return err
	}
	return exit
}

// said is the last line of a failover that was done, or would be.
func said(s plan.Switchover, dryRun bool) string {
	head, verb := "Failover complete: ", "is on"
	if dryRun {
		head, verb = "Failover possible: ", "goes from "+s.From+" to"
	}
	if s.From == s.To {
		head, verb = "Nothing to move: ", "is on"
	}
	text := fmt.Sprintf("%s%s %s %s", head, s.Instance, verb, s.To)
	switch {
	case s.Kept:
		return fmt.Sprintf("%s, and stays there until 'lvsctl failover %s --to %s'.", text, s.Instance, s.First)
	case s.Settles:
		return text + ", and the priorities are the topology's."
	}
	return text + "."
}

func instanceNames(t *topology.Topology) []string {
	names := make([]string, len(t.VRRP))
	for i, v := range t.VRRP {
		names[i] = v.Name
	}
	return names
}

func directorNames(t *topology.Topology) []string {
	var names []string
	for _, v := range t.VRRP {
		for _, d := range v.Directors {
			names = append(names, d.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// completeInstances completes the name of a vrrp_instance.
func (a *app) completeInstances(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, args, instanceNames)
}

package main

import (
	"fmt"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/plan"
)

func planCommand(a *app) *cobra.Command {
	var sc scope
	var as format
	var commands, detailedExit bool
	var out string
	cmd := &cobra.Command{
		Use:   "plan [PATH]",
		Short: "Show what would change, without changing anything",
		Long: `Reads every node of a topology over SSH and shows what would have to change
for it to be as the topology says. Nothing on any node changes by it.

Exit codes: 0 done; 1 error; 2 there are changes (with --detailed-exitcode);
3 some node could not be read (the rest is shown).`,
		Example: `  lvsctl plan
  lvsctl plan clusters/shop --commands --only web-1
  lvsctl plan --out shop.plan && lvsctl show shop.plan && lvsctl apply shop.plan`,
		Args: atMost(1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := as.check(); err != nil {
				return err
			}
			k, err := a.cases(cmd.Context(), args, sc, everything)
			if err != nil {
				return err
			}
			s, err := a.look(cmd.Context(), k)
			if err != nil {
				return err
			}
			defer s.Close()
			a.reportUnreadable(s.Plan)
			if err := a.printDocument(s.Plan.Document(), a.detail(commands), as); err != nil {
				return err
			}
			if err := a.refuse(s.Plan, k.beside); err != nil {
				return err
			}
			if out != "" {
				if err := k.save(s.Plan, out, args); err != nil {
					return err
				}
			}
			return planExit(s.Plan, detailedExit)
		},
	}
	sc.flags(cmd.Flags(), "change")
	sc.forgetFlag(cmd.Flags())
	cmd.Flags().StringSliceVar(&sc.adopt, "adopt", nil, "take over what the topologies `NAMES` hold on the nodes: this one's old names")
	cmd.Flags().BoolVar(&commands, "commands", false, "show the commands of each change, and those that undo it")
	as.flags(cmd.Flags(), "plan")
	a.completeNodes(cmd)
	cmd.Flags().StringVar(&out, "out", "", "save the plan to `FILE`, for lvsctl apply FILE")
	cmd.Flags().BoolVar(&detailedExit, "detailed-exitcode", false, "exit with 2 when there are changes")
	return cmd
}

// planExit returns a plan's exit code as an error.
func planExit(p *plan.Plan, detailed bool) error {
	c := p.Count()
	switch {
	case len(p.Blocked()) > 0:
		return exitError{code: exitFailed}
	case len(p.Unreadable()) > 0:
		return exitError{code: exitUnreadable}
	case detailed && (c.Any() || c.Held > 0):
		return exitError{code: exitChanges}
	}
	return nil
}

// reportUnreadable prints why nodes could not be read, and what to do about it. For nodes
// that are left out it only prints a warning.
func (a *app) reportUnreadable(p *plan.Plan) {
	for _, n := range p.Nodes {
		switch {
		case n.Unreadable == nil:
		case n.Chosen && n.Orphan:
			a.fail(fmt.Errorf("%w\nIt is no longer in the topology. If it is gone for good, give it up: lvsctl apply --forget %s", named(n.Name, n.Unreadable), n.Name))
		case n.Chosen:
			a.fail(named(n.Name, n.Unreadable))
		default:
			a.warn("%v", named(n.Name, n.Unreadable))
		}
	}
}

// detail is how much of a plan is shown.
func (a *app) detail(commands bool) plan.Detail {
	return plan.Detail{Commands: commands, Files: a.verbose, Each: a.verbose}
}

func (a *app) printSummary(text string) { a.stdout.line(painted(text, color.Bold)) }

// styles are the colours of a plan's lines.
var styles = map[plan.Style][]color.Attribute{
	plan.Heading:  {color.Bold},
	plan.Adding:   {color.FgGreen},
	plan.Changing: {color.FgYellow},
	plan.Removing: {color.FgRed},
	plan.Quiet:    {color.Faint},
	plan.Alarm:    {color.FgRed, color.Bold},
}

func (a *app) printLines(lines []plan.Line) {
	for _, l := range lines {
		a.stdout.line(painted(l.Text, styles[l.Style]...))
	}
	if len(lines) > 0 {
		a.stdout.line()
	}
}

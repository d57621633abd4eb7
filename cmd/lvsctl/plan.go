package main

import (
	"fmt"
	"io"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/plan"
)

func planCommand(a *app) *cobra.Command {
	var sc scope
	var detail plan.Detail
	var asJSON, detailedExit bool
	var out string
	cmd := &cobra.Command{
		Use:   "plan [PATH]",
		Short: "Show what would change, without changing anything",
		Long: `Reads every node of a topology over SSH and shows what would have to change
for it to be as the topology says. Nothing on any node changes by it.

Exit codes: 0 done, 1 error, 2 there are changes (with --detailed-exitcode),
3 some node could not be read (the rest is shown).`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.survey(cmd.Context(), args, sc, everything)
			if err != nil {
				return err
			}
			defer s.Close()
			a.reportUnreadable(s.Plan)
			detail.Files = a.verbose
			if err := a.printPlan(s.Plan, detail, asJSON); err != nil {
				return err
			}
			if out != "" {
				if err := a.save(s, out, args, sc); err != nil {
					return err
				}
			}
			return planExit(s.Plan, detailedExit)
		},
	}
	sc.flags(cmd.Flags())
	cmd.Flags().BoolVar(&detail.Commands, "commands", false, "show the commands of each change, and those that undo it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the plan as JSON")
	cmd.Flags().StringVar(&out, "out", "", "save the plan to `FILE`, for lvsctl apply FILE")
	cmd.Flags().BoolVar(&detailedExit, "detailed-exitcode", false, "exit with 2 when there are changes")
	return cmd
}

// planExit turns what a plan found into an exit code.
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

// reportUnreadable prints why nodes could not be read, with what to do about it.
// Nodes that were left out are only warned about.
func (a *app) reportUnreadable(p *plan.Plan) {
	for _, n := range p.Nodes {
		switch {
		case n.Unreadable == nil:
		case n.Chosen:
			a.fail(named(n.Name, n.Unreadable))
		default:
			a.warn("%v", named(n.Name, n.Unreadable))
		}
	}
}

func (a *app) printPlan(p *plan.Plan, d plan.Detail, asJSON bool) error {
	if asJSON {
		text, err := p.JSON()
		if err != nil {
			return fmt.Errorf("cannot print the plan: %w", err)
		}
		fmt.Fprintf(a.stdout, "%s\n", text)
		return nil
	}
	a.printLines(a.stdout, p.Lines(d))
	a.printSummary(p.Summary())
	return nil
}

func (a *app) printSummary(text string) {
	fmt.Fprintln(a.stdout, a.paint(a.stdout, color.Bold)("%s", text))
}

func (a *app) printLines(w io.Writer, lines []plan.Line) {
	paints := map[plan.Style]func(string, ...any) string{
		plan.Plain:    a.paint(w),
		plan.Heading:  a.paint(w, color.Bold),
		plan.Adding:   a.paint(w, color.FgGreen),
		plan.Changing: a.paint(w, color.FgYellow),
		plan.Removing: a.paint(w, color.FgRed),
		plan.Quiet:    a.paint(w, color.Faint),
		plan.Alarm:    a.paint(w, color.FgRed, color.Bold),
	}
	for _, l := range lines {
		fmt.Fprintln(w, paints[l.Style]("%s", l.Text))
	}
	if len(lines) > 0 {
		fmt.Fprintln(w)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
)

func driftCommand(a *app) *cobra.Command {
	var sc scope
	var as format
	var out reports
	cmd := &cobra.Command{
		Use:   "drift [PATH...]",
		Short: "Show what differs from what was last applied",
		Long: `Reads every node of one or many topologies, and shows what is not as it was last
applied there: what is gone, was changed, or was added where it is in the way.
What the topology wants anew is no drift; it is counted apart. A node whose block was
deleted is visited too, as long as it has something of the topology. Nothing on any
node changes by it.

A line shows what an apply would do to put the node back, and what has happened:
"~ sysctl net.ipv4.ip_forward  0 -> 1  (changed)" was 1 and is 0.

Exit codes: 0 no drift; 1 error; 2 drift; 3 some node could not be read (the rest
is shown).`,
		Example: `  lvsctl drift
  lvsctl drift clusters/*
  lvsctl drift --junit drift.xml --prometheus /var/lib/node_exporter/lvsctl.prom`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := as.check(); err != nil {
				return err
			}
			doc, err := a.drift(cmd.Context(), args, sc)
			if err != nil {
				return err
			}
			if err := a.printDocument(doc, a.detail(false), as); err != nil {
				return err
			}
			if err := a.report(doc, out, as); err != nil {
				return err
			}
			return driftExit(doc)
		},
	}
	sc.flags(cmd.Flags(), "look at")
	as.flags(cmd.Flags(), "drift")
	out.flags(cmd.Flags())
	a.completeNodes(cmd)
	return cmd
}

// drift looks at the topologies that the arguments name, all nodes at once. One that
// cannot be loaded is a part of what it returns; its problems are printed already.
func (a *app) drift(ctx context.Context, args []string, sc scope) (plan.Document, error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	if len(args) > 1 && len(sc.only)+len(sc.except) > 0 {
		return plan.Document{}, errors.New("--only and --except are about the nodes of one topology\nGive one PATH with them.")
	}
	all := make([]plan.DriftOf, len(args))
	var looked []*cases
	var questions []survey.Case
	var of []int // by case: which argument it is of
	first := map[string]string{}
	for i, path := range args {
		all[i].Path = path
		k, err := a.casesBeside(ctx, []string{path}, sc, everything, nothingBeside)
		if ctx.Err() != nil {
			return plan.Document{}, ctx.Err()
		}
		if err == nil && first[k.Name] != "" {
			err = fmt.Errorf("%s and %s are both called %s, and would share one record a node\nGive one of them another name: lvsctl { name = \"...\" }.", first[k.Name], path, k.Name)
		}
		if err != nil {
			all[i].Err = a.said(err)
			continue
		}
		all[i].Name, first[k.Name] = k.Name, path
		a.warnOfNobody(k)
		looked, of = append(looked, k), append(of, i)
		questions = append(questions, survey.Case{Topology: k.Name, Nodes: k.nodes, Visit: k.visit, Chosen: k.choice.chosen})
	}
	surveys, err := a.lookAll(ctx, questions)
	if err != nil {
		return plan.Document{}, err
	}
	for i, s := range surveys {
		s.Close()
		if err := looked[i].missing(s.Nodes); err != nil {
			all[of[i]].Err = a.said(err)
			continue
		}
		a.reportUnreadable(s.Plan)
		all[of[i]].Alarms, all[of[i]].Nodes = s.Plan.Alarms, s.Drift()
	}
	return plan.DriftDocument(all), nil
}

// errSaid stands for problems of a topology that were printed as diagnostics.
var errSaid = errors.New("the topology cannot be used; its problems are on standard error")

// said prints an error where nothing has yet, and returns what to remember of it.
func (a *app) said(err error) error {
	var exit exitError
	if errors.As(err, &exit) && exit.err == nil {
		return errSaid
	}
	a.fail(err)
	return err
}

// driftExit turns what was found into an exit code: what is not known comes before
// what is.
func driftExit(doc plan.Document) error {
	for _, t := range doc.Topologies {
		if t.Error != "" {
			return exitError{code: exitFailed}
		}
	}
	for _, n := range doc.Nodes {
		if n.Error != "" {
			return exitError{code: exitUnreadable}
		}
	}
	if doc.Drifted() {
		return exitError{code: exitChanges}
	}
	return nil
}

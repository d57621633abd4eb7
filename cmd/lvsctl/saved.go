package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
)

// save writes a plan to a file that only its owner can read.
func (a *app) save(s *survey.Survey, file string, args []string, sc scope) error {
	path := "."
	if len(args) > 0 {
		path = args[0]
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("cannot save the plan: %w", err)
	}
	digest, err := plan.Digest(s.Plan.Topology, s.Inputs())
	if err != nil {
		return err
	}
	text, err := s.Plan.Save(plan.Saved{Path: abs, Lab: sc.lab, Digest: digest})
	if err != nil {
		return err
	}
	if err := replaceFile(file, text, private); err != nil {
		return fmt.Errorf("cannot save the plan: %w", err)
	}
	return nil
}

// openSaved reads a saved plan; ok is false if the argument is a topology.
func openSaved(args []string) (saved plan.Saved, ok bool, err error) {
	if len(args) == 0 {
		return saved, false, nil
	}
	info, err := os.Stat(args[0])
	if err != nil || !info.Mode().IsRegular() {
		return saved, false, nil // the topology's reader says what is wrong with it
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return saved, false, fmt.Errorf("cannot read %s: %w", args[0], err)
	}
	saved, err = plan.ReadSaved(text)
	switch {
	case errors.Is(err, plan.ErrNotSaved):
		return saved, false, nil
	case err != nil:
		return saved, false, fmt.Errorf("cannot use saved plan %s: %w", args[0], err)
	}
	return saved, true, nil
}

// restrict cuts a fresh plan down to a saved one of the same topology version.
func restrict(s *survey.Survey, saved plan.Saved) error {
	digest, err := plan.Digest(s.Plan.Topology, s.Inputs())
	if err != nil {
		return err
	}
	if digest != saved.Digest {
		return exitError{code: exitStale, err: fmt.Errorf("the topology in %s is not the one the plan was made from\nMake a new plan, or give the same --var and --var-file as then.", saved.Path)}
	}
	s.Plan.Restrict(saved)
	return nil
}

func showCommand(a *app) *cobra.Command {
	var detail plan.Detail
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a saved plan",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			saved, ok, err := openSaved(args)
			if err != nil {
				return err
			}
			if !ok {
				return fmt.Errorf("%s is not a saved plan\nMake one with: lvsctl plan --out FILE", args[0])
			}
			a.printLines(saved.Lines(detail))
			a.printSummary(saved.Summary.Text)
			return nil
		},
	}
	cmd.Flags().BoolVar(&detail.Commands, "commands", false, "show the commands of each change, and those that undo it")
	return cmd
}

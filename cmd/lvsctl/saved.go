package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/plan"
)

// savedPlan is a saved plan and its file. It is nil if a command makes its plan now.
type savedPlan struct {
	plan.Saved
	file string
}

// save writes a plan to a file that only this user can read.
func (k *cases) save(p *plan.Plan, file string, args []string) error {
	path := "."
	if len(args) > 0 {
		path = args[0]
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("cannot save the plan: %w", err)
	}
	digest, err := k.digest()
	if err != nil {
		return err
	}
	text, err := p.Save(plan.Saved{Path: abs, Lab: k.dialer.lab, Adopt: k.adopt, Forget: k.forget, Digest: digest})
	if err != nil {
		return err
	}
	if err := replaceFile(file, text, private); err != nil {
		return fmt.Errorf("cannot save the plan: %w", err)
	}
	return nil
}

// openSaved reads a saved plan. The error is plan.ErrNotSaved if the path is no file or one
// of another kind.
func openSaved(file string) (*savedPlan, error) {
	text, err := readPlan(file)
	if err != nil {
		return nil, err
	}
	saved, err := plan.ReadSaved(text)
	switch {
	case errors.Is(err, plan.ErrNotSaved):
		return nil, notSaved(file)
	case err != nil:
		return nil, fmt.Errorf("cannot use saved plan %s: %w", file, err)
	}
	return &savedPlan{saved, file}, nil
}

// largestPlan is more than any plan has, in bytes: a change takes about 1 KiB.
const largestPlan = 512 << 20

// readPlan reads a regular file that may be a plan.
func readPlan(file string) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would block for ever
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s\nMake a saved plan with: lvsctl plan --out FILE", file)
	case err != nil:
		return nil, notSaved(file)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > largestPlan {
		return nil, notSaved(file)
	}
	text, err := io.ReadAll(io.LimitReader(f, largestPlan))
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", file, err)
	}
	return text, nil
}

func notSaved(file string) error {
	return fmt.Errorf("cannot use %s: %w\nMake one with: lvsctl plan --out FILE", file, plan.ErrNotSaved)
}

// binds refuses a topology that is not the one that the plan was made from.
func (s *savedPlan) binds(k *cases) error {
	if s == nil {
		return nil
	}
	digest, err := k.digest()
	if err != nil {
		return err
	}
	if digest != s.Digest || k.Name != s.Topology {
		return exitError{code: exitStale, err: fmt.Errorf("the topology is not the one that %s was made from, or its nodes are reached in another way\n"+
			"Make a new plan, or give the same --var, --var-file and --ssh-config as then.", s.file)}
	}
	return nil
}

// place returns the topology's PATH: the argument, if there is one, or else the path from
// which the plan was made.
func (s *savedPlan) place(args []string) ([]string, error) {
	if len(args) > 0 {
		return args, nil
	}
	if _, err := os.Stat(s.Path); err != nil {
		return nil, fmt.Errorf("the topology of %s is not in %s any more\nSay where it is: lvsctl apply %s PATH", s.file, s.Path, s.file)
	}
	return []string{s.Path}, nil
}

// heading is a line that says which topology a saved plan is of.
func (s *savedPlan) heading(path string) plan.Line {
	where := ""
	if s.Lab {
		where = ", for its lab"
	}
	if len(s.Adopt) > 0 {
		where += ", taking over " + strings.Join(s.Adopt, ", ")
	}
	if len(s.Forget) > 0 {
		where += ", forgetting " + strings.Join(s.Forget, ", ")
	}
	return plan.Line{Style: plan.Heading, Text: fmt.Sprintf("Saved plan of topology %s in %s%s", s.Topology, path, where)}
}

func showCommand(a *app) *cobra.Command {
	var commands bool
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a saved plan",
		Long: `Shows what 'lvsctl apply FILE' would do, and to which topology. A file that lists
other nodes than it changes, or counts other changes than it has, is refused. No node
is contacted.

Exit codes: 0 done; 1 the file is no saved plan, or contradicts itself.`,
		Example: `  lvsctl show shop.plan
  lvsctl show shop.plan --commands -v`,
		Args: cobra.MatchAll(from(1, "the file of a saved plan"), atMost(1, "one FILE")),
		RunE: func(_ *cobra.Command, args []string) error {
			saved, err := openSaved(args[0])
			if err != nil {
				return err
			}
			a.printLines([]plan.Line{saved.heading(saved.Path)})
			a.printLines(saved.Lines(a.detail(commands)))
			a.printSummary(saved.Summary.Text)
			return nil
		},
	}
	cmd.Flags().BoolVar(&commands, "commands", false, "show the commands of each change, and those that undo it")
	return cmd
}

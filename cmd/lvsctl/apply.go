package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
)

// change is what apply and destroy have in common.
type change struct {
	verb     string // "Apply" or "Destroy"
	question string
	want     purpose

	takesSaved bool
	scope      scope
	commands   bool
	asJSON     bool
	approved   bool
	rollback   time.Duration
	noRollback bool
	atomic     bool
	pace       pacing
}

func (c *change) flags(f *pflag.FlagSet) {
	c.scope.flags(f, "change")
	c.scope.forgetFlag(f)
	f.BoolVar(&c.commands, "commands", false, "show the commands of each change, and those that undo it")
	f.BoolVar(&c.asJSON, "json", false, "print the result as JSON; needs --auto-approve")
	f.BoolVar(&c.approved, "auto-approve", false, "do not ask before changing anything")
	rollbackFlag(f, &c.rollback, "node")
	f.BoolVar(&c.noRollback, "no-rollback", false, "arm no rollback: what was done before a failure stays")
	c.pace.flags(f)
	f.BoolVar(&c.atomic, "atomic", false, "all nodes or none: if one cannot be changed, all are put back")
}

func applyCommand(a *app) *cobra.Command {
	c := &change{verb: "Apply", want: everything, takesSaved: true, question: "Do you want to make these changes?"}
	cmd := &cobra.Command{
		Use:   "apply [PATH] | apply SAVED-PLAN [PATH]",
		Short: "Plan, ask, make the changes, and look whether they took",
		Long: `Makes every node as the topology says: shows the plan, asks, makes the changes
in an order that loses no request, then reads every node again and compares.

Before its first change every node is told how to undo it, and does so by itself
unless it was looked at again, over a new connection, in time.

A saved plan is done unasked: look at it with 'lvsctl show'. It is bound to the
version of the topology that it was made from, ssh settings and pinned host keys
included; PATH is where that is now, if it has moved.

A node whose block was deleted is given back what it had, in the same apply. One
that cannot be reached stays known; --forget gives it up.

Exit codes: 0 done, or nothing to do; 1 something was not done, the last line
says where; 3 the same, but only on nodes that are no longer in the topology and
could not be read; 4 a node was put back; 5 a node was changed since the plan; 6 a node
is locked by another apply; 130 interrupted.`,
		Example: `  lvsctl apply
  lvsctl apply clusters/shop --batch 20% --auto-approve
  lvsctl apply shop.plan               # what 'lvsctl plan --out shop.plan' has saved`,
		Args: atMost(2, "one PATH, or a saved plan and the PATH of its topology"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.change(cmd.Context(), args, c) },
	}
	c.flags(cmd.Flags())
	a.completeNodes(cmd)
	cmd.Flags().StringSliceVar(&c.scope.adopt, "adopt", nil, "take over what the topologies `NAMES` hold on the nodes: this one's old names")
	return cmd
}

func destroyCommand(a *app) *cobra.Command {
	c := &change{verb: "Destroy", want: survey.Nothing, question: "Do you want to give all of this back?"}
	cmd := &cobra.Command{
		Use:   "destroy [PATH]",
		Short: "Remove what lvsctl set, and restore what it found there before",
		Long: `Takes everything away that the topology set on its nodes, traffic first, and
puts old kernel parameters and routes back. Each node's own record says what
that is. Nodes whose blocks were deleted count too. Installed packages and loaded
modules stay. The plan is shown first, and nothing is done unless you say yes.

Exit codes: those of apply.`,
		Example: `  lvsctl destroy
  lvsctl destroy clusters/shop --only web-3`,
		Args: atMost(1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.change(cmd.Context(), args, c) },
	}
	c.flags(cmd.Flags())
	a.completeNodes(cmd)
	return cmd
}

func (a *app) change(ctx context.Context, args []string, c *change) error {
	saved, args, err := c.saved(args)
	if err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	k, err := a.cases(ctx, args, c.scope, c.want)
	if err != nil {
		return err
	}
	if err := saved.binds(k); err != nil {
		return err
	}
	if saved != nil && !c.asJSON {
		a.printLines([]plan.Line{saved.heading(args[0])})
	}
	s, err := a.look(ctx, k)
	if err != nil {
		return err
	}
	defer s.Close()
	if saved != nil {
		s.Plan.Restrict(saved.Saved)
	}
	a.reportUnreadable(s.Plan)
	if !c.asJSON {
		a.printLines(s.Plan.Lines(a.detail(c.commands)))
	}
	if err := a.refuse(s.Plan, k.beside); err != nil {
		return err
	}
	if !s.Plan.Count().Any() && !s.Plan.Rewrites() {
		return a.finish(c, apply.Nothing(s.Plan), false)
	}
	if !c.asJSON {
		a.printSummary(s.Plan.Summary())
	}
	if a.stdout.failure() != nil {
		return errors.New("the plan could not be shown; nothing was changed")
	}
	if !c.approved && (s.Plan.Count().Any() || s.Plan.Adopts() || s.Plan.Forgets()) {
		if err := a.approve(ctx, c.question); err != nil {
			return err
		}
	}
	events := a.events(s.Plan)
	result := apply.Run(ctx, s.Plan, s.Reach(), c.options(a, events))
	events.end()
	return a.finish(c, result, ctx.Err() != nil)
}

// saved opens the saved plan that the first argument names. It returns the other arguments,
// which may hold the topology's PATH. The result is nil if the first argument is no saved
// plan. A saved plan needs no approval, and no flags that choose nodes.
func (c *change) saved(args []string) (*savedPlan, []string, error) {
	if !c.takesSaved || len(args) == 0 {
		return nil, args, nil
	}
	saved, err := openSaved(args[0])
	switch {
	case errors.Is(err, plan.ErrNotSaved) && len(args) == 1:
		return nil, args, nil // reading the topology reports the error
	case err != nil:
		return nil, nil, err
	case len(c.scope.only)+len(c.scope.except) > 0:
		return nil, nil, errors.New("--only and --except cannot cut a saved plan down\nMake a plan with them.")
	case len(c.scope.adopt) > 0 && !slices.Equal(c.scope.adopt, saved.Adopt):
		return nil, nil, fmt.Errorf("%s was not made to take anything over\nMake a plan with --adopt.", saved.file)
	case len(c.scope.forget) > 0 && !slices.Equal(c.scope.forget, saved.Forget):
		return nil, nil, fmt.Errorf("%s was not made to forget anything\nMake a plan with --forget.", saved.file)
	case c.scope.lab && !saved.Lab:
		return nil, nil, fmt.Errorf("%s was not made for the lab\nMake a plan with --lab.", saved.file)
	}
	c.scope.exactly = map[string]bool{}
	for _, n := range saved.Nodes {
		c.scope.exactly[n.Name] = true
	}
	c.scope.lab, c.scope.adopt, c.scope.forget, c.approved = saved.Lab, saved.Adopt, saved.Forget, true
	args, err = saved.place(args[1:])
	return saved, args, err
}

func (c *change) options(a *app, e *events) apply.Options {
	o := apply.Options{Parallelism: a.parallelism, Rollback: c.rollback, Atomic: c.atomic, Owner: owner(), At: time.Now(), Event: e.event}
	if c.noRollback {
		o.Rollback = 0
	}
	c.pace.set(&o)
	return o
}

// check refuses flags that contradict each other.
func (c *change) check() error {
	switch {
	case c.asJSON && !c.approved:
		return errors.New("--json cannot ask for approval\nAdd --auto-approve.")
	case c.atomic && c.noRollback:
		return errors.New("--atomic and --no-rollback cannot be used together\nAll nodes or none is what rolling back is for.")
	case !c.noRollback:
		if err := checkRollback(c.rollback, "node"); err != nil {
			return err
		}
	}
	return c.pace.check()
}

// owner is the text for the locks on nodes: user@host of this program.
func owner() string {
	name, host := "somebody", "somewhere"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// approve asks on the terminal. Only "yes" is yes.
func (a *app) approve(ctx context.Context, question string) error {
	if _, ok := asTerminal(a.stdin); !ok {
		return errors.New("cannot ask for approval: standard input is not a terminal\nLook at the plan first, then add --auto-approve.")
	}
	fmt.Fprintf(a.stdout, "\n%s Only 'yes' is accepted.\n\n  Enter a value: ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.stdin).ReadString('\n')
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.stdout)
		return ctx.Err()
	case line := <-answer:
		fmt.Fprintln(a.stdout)
		if strings.TrimSpace(line) != "yes" {
			return errors.New("not approved; nothing was changed")
		}
		return nil
	}
}

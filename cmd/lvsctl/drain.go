package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/topology"
)

// drain is what drain and undrain have in common.
type drain struct {
	order
	verb  string // "Drain" or "Undrain"
	wait  time.Duration
	force bool
	all   bool
}

func drainCommand(a *app) *cobra.Command {
	d := &drain{verb: "Drain"}
	cmd := &cobra.Command{
		Use:   "drain [PATH] NODE...",
		Short: "Send real servers no new connections, and wait until the old ones have ended",
		Long: `Gives real servers weight 0 on every director that sends to them, waits until
their connections have ended, and says who is left. Who drained a real server, and
since when, is recorded on the directors: plan and apply keep it and show it until
'lvsctl undrain'. Nothing else is changed, whatever else differs from the topology.

Clients that persist go elsewhere at once, and those that sh or mh sends to a
drained real server get another: while it is drained the directors have
net.ipv4.vs.expire_quiescent_template = 1 and the scheduler's fallback. A drain
that would have clients refused (a service without any other real server, or one
scheduled by dh) needs --force.

NODE is a real server, or a for_each group of them. PATH, a file or folder that
exists, is the topology; without it that in the working directory.

Exit codes: 0 no connections are left; 1 some are, or a director could not be
changed; 4 a director was put back; 6 a director is locked by an apply; 130
interrupted (what was drained by then stays drained, and is said).`,
		Example: `  lvsctl drain web-1                 # and wait ten minutes at most
  lvsctl drain web-1 --wait 1h && ssh web-1 reboot
  lvsctl drain clusters/shop web-1 web-2 --wait 0`,
		Args:              from(1, "the real servers that are to be drained"),
		ValidArgsFunction: a.completeServers,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.drain(cmd.Context(), args, d) },
	}
	d.flags(cmd.Flags())
	cmd.Flags().DurationVar(&d.wait, "wait", 10*time.Minute, "how long to wait for connections to end; 0 does not wait")
	cmd.Flags().BoolVar(&d.force, "force", false, "drain although clients would be refused")
	return cmd
}

func undrainCommand(a *app) *cobra.Command {
	d := &drain{verb: "Undrain"}
	cmd := &cobra.Command{
		Use:   "undrain [PATH] NODE... | undrain [PATH] --all",
		Short: "Send drained real servers new connections again",
		Long: `Ends what 'lvsctl drain' began: every director gives the real servers the weight
that the topology has for them. Nothing else is changed.

Exit codes: 0 done, or nothing to do; 1 a director could not be changed; 4 a
director was put back; 6 a director is locked by an apply; 130 interrupted.`,
		Example: `  lvsctl undrain web-1
  lvsctl undrain --all`,
		ValidArgsFunction: a.completeServers,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.drain(cmd.Context(), args, d) },
	}
	d.flags(cmd.Flags())
	cmd.Flags().BoolVar(&d.all, "all", false, "end every drain")
	return cmd
}

// drain carries out both commands.
func (a *app) drain(ctx context.Context, args []string, d *drain) error {
	path, names, err := d.arguments(args)
	if err != nil {
		return err
	}
	k, err := a.cases(ctx, path, d.scope, everything)
	if err != nil {
		return err
	}
	asked, err := d.asked(k.Topology, names)
	if err != nil {
		return err
	}
	s, err := a.lookAtDirectors(ctx, k, d, &asked)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := d.known(k.Topology, names, s); err != nil {
		return err
	}
	a.reportUnreadable(s.Plan)
	if err := a.refuseDrain(s.Plan, d, names); err != nil {
		return err
	}
	if !d.asJSON {
		a.printLines(s.Plan.Lines(a.detail(d.commands)))
	}
	if a.stdout.failure() != nil {
		return errors.New("the plan could not be shown; nothing was changed")
	}
	result := a.carryOut(ctx, s, d.rollback, false)
	out := drained{Document: result.Document(d.verb), nodes: d.nodes(asked)}
	if err := exitOf(result, ctx.Err() != nil); err != nil {
		out.Summary.Text = result.Summary(d.verb)
		return a.finishDrain(d, out, err)
	}
	if d.verb == "Undrain" {
		out.Summary.Text = "Undrain complete: " + theyHave(out.nodes, "gets", "get") + " new connections."
		if len(out.nodes) == 0 {
			out.Summary.Text = "Nothing is drained."
		}
		return a.finishDrain(d, out, nil)
	}
	w := newDrainWait(a, s, asked)
	err = w.wait(ctx, d.wait)
	out.take(w)
	return a.finishDrain(d, out, w.verdict(ctx, &out, err, d.wait))
}

// arguments takes [PATH] NODE... apart.
func (d *drain) arguments(args []string) (path, names []string, err error) {
	if err := checkRollback(d.rollback, "director"); err != nil {
		return nil, nil, err
	}
	if d.wait < 0 {
		return nil, nil, fmt.Errorf("--wait %s is not a time to wait", d.wait)
	}
	switch {
	case d.all && len(args) > 1:
		return nil, nil, errors.New("--all ends every drain; name no nodes with it")
	case d.all:
		return args, nil, nil
	case len(args) == 0:
		return nil, nil, errors.New("name the real servers, or say --all")
	}
	path, names = splitPath(args)
	return path, names, nil
}

// asked is what is asked of the directors. Names that are no real servers of the
// topology may still be drained there: see known.
func (d *drain) asked(t *topology.Topology, names []string) (state.DrainOrder, error) {
	o := state.DrainOrder{Drain: map[string]state.Drained{}}
	for _, name := range names {
		nodes := serversNamed(t, name)
		if d.verb == "Undrain" {
			if len(nodes) == 0 {
				o.Undrain = append(o.Undrain, name)
			}
			for _, n := range nodes {
				o.Undrain = append(o.Undrain, n.Name)
			}
			continue
		}
		if len(nodes) == 0 {
			return o, notServer(t, name)
		}
		for _, n := range nodes {
			o.Drain[n.Name] = state.Drained{Addresses: n.ServerAddresses(), By: owner(), Since: time.Now().UTC().Truncate(time.Second)}
		}
	}
	return o, nil
}

// lookAtDirectors reads the directors and plans the order, which --all completes.
func (a *app) lookAtDirectors(ctx context.Context, k *cases, d *drain, o *state.DrainOrder) (*survey.Survey, error) {
	directors := slices.DeleteFunc(k.nodes, func(n survey.Node) bool { return n.Role != string(topology.Director) })
	return a.lookAndPlan(ctx, k, directors, func(topology string, inputs []plan.Input) *plan.Plan {
		if d.all {
			o.Undrain = drainedOn(inputs)
		}
		return plan.Drain(topology, inputs, *o)
	})
}

// refuseDrain stops a drain by which clients would be refused.
func (a *app) refuseDrain(p *plan.Plan, d *drain, names []string) error {
	var list []string
	for _, n := range p.Nodes {
		for _, why := range n.Refused {
			list = append(list, n.Name+": "+why)
		}
	}
	if d.force {
		for _, why := range list {
			a.warn("%s", why)
		}
		return nil
	}
	if len(list) == 0 {
		return nil
	}
	return fmt.Errorf("draining %s would leave clients without a real server; nothing was changed\n  %s\nAdd --force to drain all the same.", strings.Join(names, ", "), strings.Join(list, "\n  "))
}

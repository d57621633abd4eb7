package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/topology"
)

// drain is what drain and undrain have in common.
type drain struct {
	verb     string // "Drain" or "Undrain"
	scope    scope
	wait     time.Duration
	force    bool
	all      bool
	asJSON   bool
	commands bool
	rollback time.Duration
}

func (d *drain) flags(f *pflag.FlagSet) {
	f.BoolVar(&d.scope.lab, "lab", false, "work on the topology's lab instead of the real nodes")
	f.BoolVar(&d.asJSON, "json", false, "print the result as JSON")
	f.BoolVar(&d.commands, "commands", false, "show the commands of each change, and those that undo it")
	f.DurationVar(&d.rollback, "rollback-timeout", 60*time.Second, "how long a director waits for its change to be confirmed before it puts itself back")
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
	order, err := d.order(k.Topology, names)
	if err != nil {
		return err
	}
	s, err := a.lookAtDirectors(ctx, k, d, &order)
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
	result := apply.Nothing(s.Plan)
	if s.Plan.Count().Any() || s.Plan.Rewrites() {
		events := a.events(s.Plan)
		result = apply.Run(ctx, s.Plan, s.Reach(), apply.Options{Parallelism: a.parallelism, Rollback: d.rollback, Owner: owner(), Event: events.event})
		events.end()
	}
	a.reportFailures(result)
	out := drained{Document: result.Document(d.verb), nodes: d.nodes(order)}
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
	w := newDrainWait(a, s, order)
	err = w.wait(ctx, d.wait)
	out.take(w)
	return a.finishDrain(d, out, w.verdict(ctx, &out, err, d.wait))
}

// arguments takes [PATH] NODE... apart.
func (d *drain) arguments(args []string) (path, names []string, err error) {
	if d.rollback < 5*time.Second {
		return nil, nil, fmt.Errorf("--rollback-timeout %s is too short to look at a director again; use 5s or more", d.rollback)
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

// order is what is asked of the directors. Names that are no real servers of the
// topology may still be drained there: see known.
func (d *drain) order(t *topology.Topology, names []string) (state.DrainOrder, error) {
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
	progress := a.progress("Reading", len(directors))
	defer progress.end()
	c := survey.Case{Topology: k.Name, Nodes: directors, Plan: func(topology string, inputs []plan.Input) *plan.Plan {
		if d.all {
			o.Undrain = drainedOn(inputs)
		}
		return plan.Drain(topology, inputs, *o)
	}}
	all, err := survey.TakeAll(ctx, []survey.Case{c}, survey.Options{Parallelism: a.parallelism, Through: progress.node})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// drainedOn are the nodes that are drained on any director, by name.
func drainedOn(inputs []plan.Input) []string {
	var names []string
	for _, in := range inputs {
		if in.Live == nil {
			continue
		}
		for name := range in.Live.Record.Drained {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// known refuses names that neither the topology nor any director knows.
func (d *drain) known(t *topology.Topology, names []string, s *survey.Survey) error {
	drained := drainedOn(s.Inputs())
	for _, name := range names {
		if len(serversNamed(t, name)) == 0 && !slices.Contains(drained, name) {
			return notServer(t, name)
		}
	}
	return nil
}

// nodes are the order's, by name.
func (d *drain) nodes(o state.DrainOrder) []string {
	names := slices.Clone(o.Undrain)
	for name := range o.Drain {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
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

// serversNamed are the real servers that a name or a group stands for.
func serversNamed(t *topology.Topology, name string) []*topology.Node {
	var list []*topology.Node
	for _, n := range t.Nodes {
		if (n.Name == name || n.Group == name) && serves(t, n) {
			list = append(list, n)
		}
	}
	return list
}

func serves(t *topology.Topology, n *topology.Node) bool {
	return slices.ContainsFunc(t.Services, func(v *topology.VirtualServer) bool {
		return slices.ContainsFunc(v.RealServers, func(s topology.Server) bool { return s.Node == n })
	})
}

// notServer says which real servers there are.
func notServer(t *topology.Topology, name string) error {
	var names []string
	for _, n := range t.Nodes {
		if serves(t, n) {
			names = append(names, n.Name)
		}
	}
	return fmt.Errorf("there is no real server %q in the virtual servers of topology %s\nThey have %s.", name, t.Name, strings.Join(names, ", "))
}

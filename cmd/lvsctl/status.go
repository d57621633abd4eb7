package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/status"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
)

// statusOptions are what a status shows, and how.
type statusOptions struct {
	scope    scope
	watch    bool
	every    time.Duration
	json     bool
	services []string
	sort     string
}

func statusCommand(a *app) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [PATH]",
		Short: "Show what a cluster does: traffic, connections, health",
		Long: `Shows every director's live table with connections and rates a second, who holds
the VIPs, which real servers are down or drained, and whether each node is as it is
wanted and who applied last. Rates are of the last second, in and out together; a
director sees only what comes in where the mode is dr or tun.

With --watch the table is refreshed in place, every second, until Ctrl-C. Each
director is read over one connection and by one shell; every half minute all nodes
are read anew. With --json each refresh is one line.

Exit codes: 0 done; 1 error; 3 some node could not be read; 130 --watch was
interrupted.`,
		Example: `  lvsctl status --watch --sort connections
  lvsctl status --service web clusters/shop`,
		Args: atMost(1, "one PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return a.status(cmd.Context(), args, o)
		},
	}
	o.scope.flags(cmd.Flags(), "show")
	cmd.Flags().BoolVar(&o.watch, "watch", false, "refresh the table in place until Ctrl-C")
	cmd.Flags().DurationVar(&o.every, "interval", time.Second, "how often --watch refreshes")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the status as JSON")
	cmd.Flags().StringSliceVar(&o.services, "service", nil, "show these `SERVICES` alone: by name, address, or all of \"tcp 10.0.0.100:80\"")
	cmd.Flags().StringVar(&o.sort, "sort", "name", "sort services and servers by `COLUMN`: "+strings.Join(status.Orders(), ", "))
	a.completeNodes(cmd)
	a.completeFlag(cmd, "service", serviceNames)
	_ = cmd.RegisterFlagCompletionFunc("sort", cobra.FixedCompletions(status.Orders(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return cmd
}

func (o *statusOptions) check() error {
	if o.watch && o.every < time.Second {
		return fmt.Errorf("--interval %s is too short: a director's counters are read every second at most", o.every)
	}
	var none status.Report
	return none.Sort(o.sort)
}

// anew is how often a watched status reads whole nodes again.
const anew = 30 * time.Second

func (a *app) status(ctx context.Context, args []string, o statusOptions) error {
	k, err := a.casesBeside(ctx, args, o.scope, everything, nothingBeside)
	if err != nil {
		return err
	}
	if err := k.missing(k.nodes); err != nil {
		return err
	}
	all, err := a.lookAll(ctx, []survey.Case{{Topology: k.Name, Nodes: k.nodes}})
	if err != nil {
		return err
	}
	s := all[0]
	a.reportUnreadable(s.Plan)
	reading, stop := context.WithCancel(ctx)
	w := &watched{app: a, options: o, cases: k, survey: s, activity: s.Activities(reading, o.every)}
	defer func() {
		stop()
		w.activity.Wait()
		w.survey.Close()
	}()
	if o.watch {
		return w.follow(reading)
	}
	return w.once(reading)
}

// watched is a topology whose status is shown.
type watched struct {
	*app
	options  statusOptions
	cases    *cases
	survey   *survey.Survey
	activity *survey.Watch[live.Activity]
	memory   status.Memory
}

// once shows the status of one second.
func (w *watched) once(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, w.timeout)
	defer stop()
	for {
		readings, newer := w.activity.Readings()
		if complete(readings) || ctx.Err() != nil {
			break
		}
		select {
		case <-newer:
		case <-ctx.Done():
		}
	}
	r, unknown := w.report()
	if unknown != "" {
		return fmt.Errorf("no director has a service %q\nServices go by their names in the topology, or by address: 10.0.0.100, 10.0.0.100:80, \"tcp 10.0.0.100:80\".", unknown)
	}
	if w.options.json {
		if err := w.stdout.json(r); err != nil {
			return err
		}
	} else {
		w.show(r.Lines(w.width()))
	}
	for _, n := range r.Nodes {
		if n.Error != "" {
			return exitError{code: exitUnreadable}
		}
	}
	return nil
}

// complete reports whether rates are known of all that answer.
func complete(readings status.Readings) bool {
	for _, r := range readings {
		if r.Err == nil && r.Before == nil {
			return false
		}
	}
	return true
}

// report is the status by now, and a service that was asked for and is none.
func (w *watched) report() (status.Report, string) {
	readings, _ := w.activity.Readings()
	r := status.New(w.cases.Topology, w.survey, readings, time.Now())
	w.memory.Note(&r)
	_ = r.Sort(w.options.sort) // it was checked
	if len(w.options.services) == 0 {
		return r, ""
	}
	return r, r.Only(w.options.services)
}

func (w *watched) width() int {
	if width, ok := w.stdout.terminal(); ok && width != status.Width {
		return max(width, 60)
	}
	return status.Width
}

func (w *watched) show(lines []plan.Line) {
	for _, l := range lines {
		w.stdout.line(painted(l.Text, styles[l.Style]...))
	}
}

// follow shows the status until it is interrupted.
func (w *watched) follow(ctx context.Context) error {
	var p *page
	if !w.options.json {
		p = w.stdout.page()
	}
	refresh, again := time.NewTicker(w.options.every), time.NewTicker(anew)
	defer refresh.Stop()
	defer again.Stop()
	surveyed := make(chan *survey.Survey, 1)
	underWay := false
	for w.stdout.failure() == nil {
		r, _ := w.report()
		switch {
		case p != nil:
			p.show(r.Lines(w.width()))
		case w.options.json:
			_ = w.stdout.jsonLine(r) // the screen remembers
		default:
			w.show(r.Lines(w.width()))
			w.stdout.line()
		}
		for waiting := true; waiting; {
			select {
			case <-refresh.C:
				waiting = false
			case <-again.C:
				if !underWay {
					underWay = true
					go func(old *survey.Survey) {
						s, err := old.Again(ctx)
						if err != nil {
							s = nil
						}
						surveyed <- s
					}(w.survey)
				}
			case s := <-surveyed:
				underWay = false
				if s != nil {
					w.survey = s
				}
			case <-ctx.Done():
				if underWay {
					<-surveyed // its connections are closed
				}
				if p != nil {
					p.end()
					w.show(r.Lines(w.width()))
				}
				return exitError{code: exitInterrupted}
			}
		}
	}
	return nil
}

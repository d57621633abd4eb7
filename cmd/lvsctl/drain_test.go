package main

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
)

// director is one whose connections are a list: what it has at each second.
type director struct {
	remote.Runner
	tables  []string
	clients string
	lost    bool
	again   *director // what a new connection leads to; nil for none
}

func (d *director) Run(_ context.Context, s remote.Script) (remote.Output, error) {
	switch {
	case d.lost:
		return remote.Output{}, errors.New("the connection is gone")
	case strings.Contains(s.Body, "\nlvsctl_read_clients 10.1.0.11"):
		return remote.Output{Stdout: d.clients}, nil
	}
	now := d.tables[0]
	if len(d.tables) > 1 {
		d.tables = d.tables[1:]
	}
	return remote.Output{Stdout: "TCP  10.1.0.100:80 rr\n" + now}, nil
}

func (d *director) Close() error { return nil }

const (
	none       = "  -> 10.1.0.11:80  0 0 0 7\n  -> 10.1.0.12:80  1 0 9 9\n"
	two        = "  -> 10.1.0.11:80  0 0 2 7\n"
	sticking   = "  -> 10.1.0.11:80  0 4 0 0\n"
	weightBack = "  -> 10.1.0.11:80  1 0 0 0\n"
)

// TestDrainWait: a wait ends when no connections were there twice, when its time is up,
// when somebody ends the drain, and when it is interrupted; each with its last line.
func TestDrainWait(t *testing.T) {
	for name, c := range map[string]struct {
		director   *director
		limit      time.Duration
		persistent bool
		interrupt  time.Duration
		want       string // the last line
		code       int
		said       string
		clients    int
	}{
		"at once":        {&director{tables: []string{none}}, time.Minute, false, 0, "Drain complete: web-1 has no connections left, after 1s.", 0, "", 0},
		"not at all":     {&director{tables: []string{two}}, 0, false, 0, "Drain complete: web-1 gets no new connections; web-1 has 2 open connections.", 0, "", 0},
		"after a while":  {&director{tables: []string{two, two, none, two, none}}, time.Minute, false, 0, "Drain complete: web-1 has no connections left, after 5s.", 0, "Waiting: web-1 has 2 open connections, 1m0s left\n", 0},
		"never":          {&director{tables: []string{two}, clients: " 2 TCP 10.1.0.100:80 10.1.0.11:80 198.51.100.7\n"}, 30 * time.Second, false, 0, "Drain incomplete: after 30s web-1 has 2 open connections; web-1 stays drained.", 1, "Waiting: web-1 has 2 open connections, 30s left\n", 1},
		"templates":      {&director{tables: []string{sticking, sticking, none}}, time.Minute, true, 0, "Drain complete: web-1 has no connections left, after 3s.", 0, "Waiting: web-1 has 0 open connections and 4 persistent clients, 1m0s left\n", 0},
		"expired ones":   {&director{tables: []string{sticking}}, time.Minute, false, 0, "Drain complete: web-1 has no connections left, after 1s.", 0, "", 0},
		"undrained":      {&director{tables: []string{two, weightBack}}, time.Minute, false, 0, "Drain incomplete: somebody has ended the drain.", 1, "Waiting: web-1 has 2 open connections, 1m0s left\nError: lvs sends web-1 new connections again (weight 1): somebody has ended the drain\n", 0},
		"interrupted":    {&director{tables: []string{two}}, time.Minute, false, 3500 * time.Millisecond, "Drain interrupted: web-1 stays drained; web-1 has 2 open connections.", 130, "Waiting: web-1 has 2 open connections, 1m0s left\n", 0},
		"lost for good":  {&director{tables: []string{two}, lost: true}, 5 * time.Second, false, 0, "Drain incomplete: web-1 stays drained, and what is left is not known.", 1, "Error: lvs: no route to it\n", 0},
		"lost once":      {&director{tables: []string{two}, lost: true, again: &director{tables: []string{none}}}, time.Minute, false, 0, "Drain complete: web-1 has no connections left, after 1s.", 0, "", 0},
		"nothing listed": {&director{tables: []string{""}}, time.Minute, false, 0, "Drain complete: web-1 has no connections left, after 1s.", 0, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var stderr strings.Builder
				a := newApp(nil, nil, &stderr)
				w := newDrainWait(a, surveyOf(c.director, c.persistent), state.DrainOrder{Drain: map[string]state.Drained{
					"web-1": {Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.11")}},
				}})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.interrupt > 0 {
					time.AfterFunc(c.interrupt, cancel)
				}
				out := drained{nodes: []string{"web-1"}}
				err := w.wait(ctx, c.limit)
				out.take(w)
				code := 0
				var exit exitError
				if errors.As(w.verdict(ctx, &out, err, c.limit), &exit) {
					code = exit.code
				}
				if d := cmp.Diff(c.want, out.Summary.Text); d != "" || code != c.code {
					t.Errorf("exit %d, want %d: %s", code, c.code, d)
				}
				if said := strings.ReplaceAll(stderr.String(), clearLine, ""); said != c.said {
					t.Errorf("it says %q, want %q", said, c.said)
				}
				if len(out.Clients) != c.clients {
					t.Errorf("clients: %v", out.Clients)
				}
			})
		})
	}
}

// surveyOf is a survey of one director, lvs, whose service may be persistent.
func surveyOf(d *director, persistent bool) *survey.Survey {
	n := survey.Node{Runner: d, Dial: func(context.Context) (remote.Runner, error) {
		if d.again == nil {
			return nil, errors.New("no route to it")
		}
		return d.again, nil
	}}
	n.Name, n.Live = "lvs", &live.Node{}
	planned := plan.Node{Name: "lvs", Settled: state.Settled{Have: state.New(), Want: state.New()}}
	if persistent {
		k := state.ServiceKey{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.1.0.100:80")}
		planned.Settled.Have.Services[k] = state.Service{Scheduler: "rr", Timeout: 60}
	}
	return &survey.Survey{Nodes: []survey.Node{n}, Plan: &plan.Plan{Nodes: []plan.Node{planned}}}
}

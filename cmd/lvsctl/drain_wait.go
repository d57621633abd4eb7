package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
)

// drainWait waits until drained real servers have no connections on any director. It
// looks every second over the connections that are open anyway, and holds no lock:
// an apply may go on meanwhile, and keeps what is drained.
type drainWait struct {
	app    *app
	survey *survey.Survey
	// nodes are the drained real servers by each of their addresses.
	nodes map[netip.Addr]string
	// lasting are the services, by director, whose persistent clients come back to a
	// real server without weight.
	lasting map[string]map[state.ServiceKey]bool
	begin   time.Time

	left    []drainLeft
	clients []drainClient
	said    int
	last    time.Time
}

func newDrainWait(a *app, s *survey.Survey, o state.DrainOrder) *drainWait {
	w := &drainWait{app: a, survey: s, nodes: map[netip.Addr]string{}, lasting: map[string]map[state.ServiceKey]bool{}, begin: time.Now()}
	for name, d := range o.Drain {
		for _, addr := range d.Addresses {
			w.nodes[addr] = name
		}
	}
	for _, n := range s.Plan.Nodes {
		services := map[state.ServiceKey]bool{}
		if want := n.Settled.Want; want != nil && want.Sysctls[state.QuiescentTemplates] != "1" {
			for k, v := range n.Settled.Have.Services {
				services[k] = v.Timeout > 0
			}
		}
		w.lasting[n.Name] = services
	}
	return w
}

// errUndrained says that somebody else ended the drain.
var errUndrained = errors.New("somebody has ended the drain")

// wait returns when no connections are left, seen twice: one that was just being made
// the first time counts the second. The error is why it did not come so far.
func (w *drainWait) wait(ctx context.Context, limit time.Duration) error {
	defer w.app.stderr.inPlace("")
	reading, stop := context.WithCancel(ctx)
	loads := w.survey.Loads(reading, time.Second)
	defer func() {
		stop()
		loads.Wait()
	}()
	quiet := 0
	var last map[string]survey.Load
	for {
		if last = loads.Next(ctx, last); ctx.Err() != nil {
			return ctx.Err()
		}
		err := w.count(last)
		switch {
		case errors.Is(err, errUndrained) || limit == 0:
			return err
		case err == nil && len(w.left) == 0:
			quiet++
		default:
			quiet = 0
		}
		rest := limit - time.Since(w.begin)
		if quiet == 2 {
			return nil
		}
		if rest <= 0 {
			stop()
			loads.Wait()
			if err == nil && len(w.left) > 0 {
				w.askClients(ctx)
			}
			return err
		}
		w.say(rest, err)
	}
}

// say shows how far it is: in place on a terminal; elsewhere a line when the count
// changes, every ten seconds at most.
func (w *drainWait) say(rest time.Duration, err error) {
	text := fmt.Sprintf("Waiting: %s, %s left", w.sum(), rest.Round(time.Second))
	if err != nil {
		text = remote.FirstLine(err) + "; trying again"
	}
	if w.app.inPlace() {
		w.app.stderr.inPlace(text)
		return
	}
	if open := w.open(); w.last.IsZero() && open > 0 || !w.last.IsZero() && open != w.said && time.Since(w.last) >= 10*time.Second {
		w.said, w.last = open, time.Now()
		w.app.stderr.linef("%s", text)
	}
}

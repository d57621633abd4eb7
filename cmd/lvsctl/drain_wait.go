package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/plural"
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

// drainLeft is what a real server still has on a director.
type drainLeft struct {
	Node        string `json:"node"`
	Director    string `json:"director"`
	Service     string `json:"service"`
	Server      string `json:"server"`
	Connections int    `json:"connections"`
	Persistent  int    `json:"persistent_clients"`
}

// drainClient is who has some of them.
type drainClient struct {
	Director    string `json:"director"`
	Service     string `json:"service"`
	Server      string `json:"server"`
	Client      string `json:"client"`
	Connections int    `json:"connections"`
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

// count takes what is left on all directors from their readings. The error is of those
// that were not read.
func (w *drainWait) count(readings map[string]survey.Load) error {
	w.left = nil
	var errs []error
	for _, n := range w.survey.Nodes {
		switch r, watched := readings[n.Name]; {
		case !watched:
		case r.Err != nil:
			errs = append(errs, named(n.Name, r.Err))
		default:
			left, err := w.leftOn(n.Name, *r.Now)
			w.left, errs = append(w.left, left...), append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// leftOn is what the drained real servers still have on a director. It is an error if one
// of them gets new connections again.
func (w *drainWait) leftOn(director string, loads map[state.ServerKey]state.Load) ([]drainLeft, error) {
	var list []drainLeft
	for k, load := range loads {
		name, ours := w.nodes[k.Addr.Addr()]
		if !ours {
			continue
		}
		if load.Weight > 0 {
			return nil, fmt.Errorf("%s sends %s new connections again (weight %d): %w", director, name, load.Weight, errUndrained)
		}
		left := drainLeft{Node: name, Director: director, Service: k.Service.String(), Server: k.Addr.String(), Connections: load.Open(k.Service.Protocol)}
		if w.lasting[director][k.Service] {
			left.Persistent = load.Persistent
		}
		if left.Connections+left.Persistent > 0 {
			list = append(list, left)
		}
	}
	slices.SortFunc(list, func(a, b drainLeft) int {
		return strings.Compare(a.Service+" "+a.Server, b.Service+" "+b.Server)
	})
	return list, nil
}

// askClients finds out who is left.
func (w *drainWait) askClients(ctx context.Context) {
	servers := slices.SortedFunc(maps.Keys(w.nodes), netip.Addr.Compare)
	for _, n := range w.survey.Nodes {
		if n.Live == nil {
			continue
		}
		clients, err := clientsOf(ctx, n, servers)
		if err != nil {
			w.app.warn("%v", named(n.Name, err))
		}
		for _, c := range clients {
			w.clients = append(w.clients, drainClient{n.Name, strings.ToLower(c.Protocol) + " " + c.Service, c.Server, c.Address, c.Count})
		}
	}
}

// clientsOf asks a director over the connection that there is, or over a new one if that
// has ended during the wait.
func clientsOf(ctx context.Context, n survey.Node, servers []netip.Addr) ([]state.Client, error) {
	if clients, err := live.Clients(ctx, n.Runner, servers); err == nil {
		return clients, nil
	}
	runner, err := n.Dial(ctx)
	if err != nil {
		return nil, err
	}
	defer runner.Close()
	return live.Clients(ctx, runner, servers)
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

func (w *drainWait) open() int {
	n := 0
	for _, l := range w.left {
		n += l.Connections + l.Persistent
	}
	return n
}

// sum is what is left, real server by real server.
func (w *drainWait) sum() string {
	open, persistent := map[string]int{}, map[string]int{}
	var names []string
	for _, name := range w.nodes {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, l := range w.left {
		open[l.Node] += l.Connections
		persistent[l.Node] += l.Persistent
	}
	var list []string
	for _, name := range names {
		if open[name]+persistent[name] == 0 && len(w.left) > 0 {
			continue
		}
		text := name + " has " + plural.Of(open[name], "open connection")
		if persistent[name] > 0 {
			text += " and " + plural.Of(persistent[name], "persistent client")
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

// verdict gives a drain its last line and its exit code.
func (w *drainWait) verdict(ctx context.Context, out *drained, err error, limit time.Duration) error {
	waited := time.Since(w.begin).Round(time.Second)
	failed := func(code int, format string, args ...any) error {
		out.Complete = false
		out.Summary.Text = fmt.Sprintf(format, args...)
		return exitError{code: code}
	}
	switch {
	case ctx.Err() != nil:
		return failed(exitInterrupted, "Drain interrupted: %s drained; %s.", theyHave(out.nodes, "stays", "stay"), w.sum())
	case errors.Is(err, errUndrained):
		w.app.fail(err)
		return failed(exitFailed, "Drain incomplete: %s.", errUndrained)
	case err != nil:
		w.app.fail(err)
		return failed(exitFailed, "Drain incomplete: %s drained, and what is left is not known.", theyHave(out.nodes, "stays", "stay"))
	case limit == 0:
		out.Summary.Text = fmt.Sprintf("Drain complete: %s no new connections; %s.", theyHave(out.nodes, "gets", "get"), w.sum())
		return nil
	case len(w.left) > 0:
		return failed(exitFailed, "Drain incomplete: after %s %s; %s drained.", waited, w.sum(), theyHave(out.nodes, "stays", "stay"))
	}
	out.Summary.Text = fmt.Sprintf("Drain complete: %s no connections left, after %s.", theyHave(out.nodes, "has", "have"), waited)
	return nil
}

// theyHave is a list of names with its verb: web-1 has, web-1, web-2 have.
func theyHave(names []string, one, more string) string {
	if len(names) == 1 {
		return names[0] + " " + one
	}
	return strings.Join(names, ", ") + " " + more
}

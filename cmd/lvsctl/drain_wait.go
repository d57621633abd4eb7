package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
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
	app       *app
	directors []*survey.Node
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
	w := &drainWait{app: a, nodes: map[netip.Addr]string{}, lasting: map[string]map[state.ServiceKey]bool{}, begin: time.Now()}
	for i := range s.Nodes {
		if s.Nodes[i].Live != nil {
			w.directors = append(w.directors, &s.Nodes[i])
		}
	}
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
	quiet := 0
	for {
		err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
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
			if err == nil && len(w.left) > 0 {
				w.askClients(ctx)
			}
			return err
		}
		w.say(rest, err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// look counts what is left on all directors, all at once.
func (w *drainWait) look(ctx context.Context) error {
	lefts := make([][]drainLeft, len(w.directors))
	errs := make([]error, len(w.directors))
	var all sync.WaitGroup
	for i, n := range w.directors {
		all.Go(func() { lefts[i], errs[i] = w.lookAt(ctx, n) })
	}
	all.Wait()
	w.left = slices.Concat(lefts...)
	return errors.Join(errs...)
}

func (w *drainWait) lookAt(ctx context.Context, n *survey.Node) ([]drainLeft, error) {
	loads, err := live.Load(ctx, n.Runner)
	if err != nil { // the connection may have ended; a new one may not
		runner, again := n.Dial(ctx)
		if again != nil {
			return nil, named(n.Name, again)
		}
		_ = n.Runner.Close() // it is no use any more
		n.Runner = runner
		if loads, err = live.Load(ctx, runner); err != nil {
			return nil, named(n.Name, err)
		}
	}
	var list []drainLeft
	for k, load := range loads {
		name, ours := w.nodes[k.Addr.Addr()]
		if !ours {
			continue
		}
		if load.Weight > 0 {
			return nil, fmt.Errorf("%s sends %s new connections again (weight %d): %w", n.Name, name, load.Weight, errUndrained)
		}
		left := drainLeft{Node: name, Director: n.Name, Service: k.Service.String(), Server: k.Addr.String(), Connections: load.Open(k.Service.Protocol)}
		if w.lasting[n.Name][k.Service] {
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
	for _, n := range w.directors {
		var servers []netip.Addr
		for addr := range w.nodes {
			servers = append(servers, addr)
		}
		slices.SortFunc(servers, netip.Addr.Compare)
		clients, err := live.Clients(ctx, n.Runner, servers)
		if err != nil {
			w.app.warn("%v", named(n.Name, err))
		}
		for _, c := range clients {
			w.clients = append(w.clients, drainClient{n.Name, strings.ToLower(c.Protocol) + " " + c.Service, c.Server, c.Address, c.Count})
		}
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

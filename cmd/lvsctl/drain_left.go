package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/survey"
)

// What drained real servers still have on their directors, and who has it.

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

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/plural"
)

// drained is what became of a drain, as JSON has it.
type drained struct {
	apply.Document
	Waited  float64       `json:"waited_seconds"`
	Left    []drainLeft   `json:"left"`
	Clients []drainClient `json:"clients,omitempty"`

	nodes []string
}

func (d *drained) take(w *drainWait) {
	d.Waited, d.Left, d.Clients = float64(time.Since(w.begin).Milliseconds())/1000, w.left, w.clients
}

// finishDrain prints the result. The error is the exit code.
func (a *app) finishDrain(d *drain, out drained, exit error) error {
	if d.asJSON {
		if out.Left == nil {
			out.Left = []drainLeft{}
		}
		if err := a.stdout.json(out); err != nil {
			return err
		}
		return exit
	}
	for _, l := range out.Left {
		text := fmt.Sprintf("  left on %s: %s -> %s  %s", l.Director, l.Service, l.Server, plural.Of(l.Connections, "open connection"))
		if l.Persistent > 0 {
			text += ", " + plural.Of(l.Persistent, "persistent client")
		}
		a.stdout.linef("%s", text)
		for _, c := range out.Clients {
			if c.Director == l.Director && c.Server == l.Server && (c.Service == l.Service || strings.HasPrefix(l.Service, "fwm")) {
				a.stdout.linef("    %s  %s", c.Client, plural.Of(c.Connections, "connection"))
			}
		}
	}
	a.printSummary(out.Summary.Text)
	return exit
}

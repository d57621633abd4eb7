package main

import (
	"context"
	"errors"
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

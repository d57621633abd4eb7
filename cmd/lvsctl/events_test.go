package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// terminal is an app whose standard error is a terminal of 80 columns. What it has
// shown, all of it, is returned by the second function, which ends it.
func terminal(t *testing.T) (*app, func() string) {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	all := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master) // ends in an error when the terminal is closed
		all <- string(text)
	}()
	t.Cleanup(func() { _ = master.Close() })
	a := newApp(nil, io.Discard, tty)
	a.colour = "never"
	return a, func() string {
		closeFile(t, tty)
		return strings.ReplaceAll(<-all, "\r\n", "\n")
	}
}

func closeFile(t *testing.T, f *os.File) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// left is what a terminal shows in the end of all that was written to it: of each
// line what came after it was cleared last.
func left(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		parts := strings.Split(line, clearLine)
		lines[i] = parts[len(parts)-1]
	}
	return regexp.MustCompile(`\[\d+s\]`).ReplaceAllString(strings.Join(lines, "\n"), "[0s]")
}

// wide is a plan of three stages for n real servers and a director.
func wide(n int) *plan.Plan {
	p := &plan.Plan{}
	add := func(node string, stage plan.Stage) {
		a := plan.Action{ID: len(p.Actions) + 1, Node: node, Stage: stage}
		a.Op, a.Ref = state.Add, state.Ref{Kind: state.KindModule, Key: state.Name("ip_vs")}
		p.Actions = append(p.Actions, a)
	}
	for stage, perNode := range []int{2, 0, 0, 0, 1} {
		for range perNode {
			for i := range n {
				add(fmt.Sprintf("web-%d", i+1), plan.Stage(stage))
			}
		}
		if plan.Stage(stage) == plan.Send {
			add("lvs", plan.Send)
		}
	}
	return p
}

// TestBars: from ten nodes on a terminal shows a line a stage, and what went wrong.
func TestBars(t *testing.T) {
	const ready = "making nodes ready     100% [==============================] (20/20) [0s]\n"
	const directors = "changing directors     100% [==============================] (1/1) [0s]\n"
	for name, c := range map[string]struct {
		nodes   int
		verbose bool
		happens func(p *plan.Plan, e *events)
		want    string
	}{
		"all is done": {10, false, func(p *plan.Plan, e *events) { finish(p, e, nil) },
			ready + directors + "writing boot files     100% [==============================] (10/10) [0s]\n"},
		"one is ahead": {10, false, func(p *plan.Plan, e *events) {
			e.event(apply.Event{Node: "lvs", Action: &p.Actions[20], Outcome: apply.Outcome{Status: apply.Done}})
			for i := range 20 {
				e.event(apply.Event{Node: "web", Action: &p.Actions[i], Outcome: apply.Outcome{Status: apply.Done}})
			}
		}, ready + directors + "writing boot files     0% [                              ] (0/10)\n"},
		"a node fails": {10, false, func(p *plan.Plan, e *events) {
			for i := range 5 {
				e.event(apply.Event{Node: "web", Action: &p.Actions[i], Outcome: apply.Outcome{Status: apply.Done}})
			}
			e.event(apply.Event{Node: "web-6", Action: &p.Actions[5], Outcome: apply.Outcome{Status: apply.Failed, Err: errors.New("no")}})
			e.event(apply.Event{Node: "web-6", Note: "putting it back: no"})
			for i := range 5 {
				e.event(apply.Event{Node: "web", Action: &p.Actions[i], Outcome: apply.Outcome{Status: apply.RolledBack}})
			}
		}, "web-6: + module ip_vs: FAILED\nweb-6: putting it back: no\nmaking nodes ready     30% [========>                     ] (6/20)\n"},
		"few nodes": {1, false, func(p *plan.Plan, e *events) { finish(p, e, nil) },
			"web-1: + module ip_vs\nweb-1: + module ip_vs\nlvs: + module ip_vs\nweb-1: + module ip_vs\n"},
		"verbose": {9, true, func(p *plan.Plan, e *events) {
			e.event(apply.Event{Node: "lvs", Action: &p.Actions[18], Outcome: apply.Outcome{Status: apply.Done}})
		}, "lvs: + module ip_vs\n"},
	} {
		t.Run(name, func(t *testing.T) {
			a, shown := terminal(t)
			a.verbose = c.verbose
			p := wide(c.nodes)
			e := a.events(p)
			c.happens(p, e)
			e.end()
			if d := cmp.Diff(c.want, left(shown())); d != "" {
				t.Error(d)
			}
		})
	}
}

func finish(p *plan.Plan, e *events, err error) {
	for i := range p.Actions {
		e.event(apply.Event{Node: p.Actions[i].Node, Action: &p.Actions[i], Outcome: apply.Outcome{Status: apply.Done, Err: err}})
	}
}

// TestReadingProgress: a round over few nodes leaves nothing, one over many a line.
func TestReadingProgress(t *testing.T) {
	for nodes, want := range map[int]string{
		9:  "",
		10: "Reading nodes          100% [==============================] (10/10) [0s]\n",
	} {
		a, shown := terminal(t)
		p := a.progress("Reading", nodes)
		for i := range nodes {
			p.node(fmt.Sprint(i), 0, nil)
		}
		p.end()
		if d := cmp.Diff(want, left(shown())); d != "" {
			t.Errorf("%d nodes: %s", nodes, d)
		}
	}
}

// TestStatusStaysLast: a line that is printed while a status is shown comes above it,
// and a status is never longer than the terminal's line.
func TestStatusStaysLast(t *testing.T) {
	a, shown := terminal(t)
	a.stderr.inPlace("Reading nodes: 3 of 5")
	a.warn("somebody is at the door")
	a.stderr.inPlace(strings.Repeat("x", 200))
	a.stderr.linef("another")
	have := left(shown())
	if want := "Warning: somebody is at the door\nanother\n" + strings.Repeat("x", 79); have != want {
		t.Errorf("have %q\nwant %q", have, want)
	}
}

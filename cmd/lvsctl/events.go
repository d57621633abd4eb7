package main

import (
	"fmt"

	"github.com/fatih/color"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/plan"
)

// An apply's progress, on standard error. On a terminal a plan for [manyNodes] or
// more has one line a stage:
//
//	making nodes ready     [==============>               ] (212/450)
//
// The stages are in the order of plan.Stage. One that some nodes have begun while
// others are at an earlier one is counted, and gets its line when its turn comes.
// Only what went wrong, and what a node has to say, are lines of their own. A plan
// for fewer nodes, and whatever is no terminal, has a line an event.

// events shows what happens in an apply.
type events struct {
	app *app
	// totals and done count each stage's actions; totals is nil where each has a line.
	totals, done map[plan.Stage]int
	ended        map[int]bool // by the action's ID
	stage        plan.Stage
	bar          *bar
}

// stageTitles are what happens in each stage.
var stageTitles = map[plan.Stage]string{
	plan.Ready:   "making nodes ready",
	plan.Send:    "changing directors",
	plan.Stop:    "clearing directors",
	plan.Clear:   "clearing nodes",
	plan.Persist: "writing boot files",
}

// events begins to show an apply of a plan.
func (a *app) events(p *plan.Plan) *events {
	e := &events{app: a}
	if !a.inPlace() || p.Count().Nodes < manyNodes {
		return e
	}
	e.totals, e.done, e.ended = map[plan.Stage]int{}, map[plan.Stage]int{}, map[int]bool{}
	for _, act := range p.Actions {
		if act.Held == "" {
			e.totals[act.Stage]++
		}
	}
	e.stage = -1
	e.advance()
	return e
}

// event takes an event of the apply.
func (e *events) event(ev apply.Event) {
	switch {
	case ev.Action == nil:
		e.app.stderr.linef("%s: %s", ev.Node, ev.Note)
	case ev.Action.Held != "":
	case e.totals == nil:
		e.line(ev)
	default:
		if ev.Status == apply.Failed {
			e.line(ev)
		}
		e.count(ev.Action)
	}
}

// line prints an action that came to its end.
func (e *events) line(ev apply.Event) {
	line := fmt.Sprintf("%s: %s %s %s", ev.Node, ev.Action.Op.Symbol(), ev.Action.Kind, ev.Action.Sentence())
	switch ev.Status {
	case apply.Done:
		e.app.stderr.line(painted(line))
	case apply.Failed:
		e.app.stderr.line(painted(line+": FAILED", color.FgRed))
	case apply.RolledBack:
		e.app.stderr.line(painted(line+": rolled back", color.FgYellow))
	}
}

// count counts an action once: one that is rolled back ends a second time.
func (e *events) count(a *plan.Action) {
	if e.ended[a.ID] {
		return
	}
	e.ended[a.ID] = true
	e.done[a.Stage]++
	if e.bar == nil || a.Stage != e.stage {
		return
	}
	e.bar.set(e.done[e.stage])
	for e.bar != nil && e.done[e.stage] == e.totals[e.stage] {
		e.bar.end()
		e.advance()
	}
}

// advance goes to the next stage that has anything to do.
func (e *events) advance() {
	e.bar = nil
	for e.stage++; e.stage <= plan.Persist; e.stage++ {
		if e.totals[e.stage] > 0 {
			e.bar = e.app.stderr.bar(stageTitles[e.stage], e.totals[e.stage])
			e.bar.set(e.done[e.stage])
			return
		}
	}
}

// end leaves the line of a stage that did not come to its end.
func (e *events) end() {
	if e.bar != nil {
		e.bar.end()
		e.bar = nil
	}
}

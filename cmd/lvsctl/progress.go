package main

import (
	"fmt"
	"sync"
	"time"
)

// progress shows on standard error how far a round over all nodes is: on a
// terminal in place, from [manyNodes] on with a bar; elsewhere one line a node.
type progress struct {
	app   *app
	verb  string
	total int
	live  bool

	mu   sync.Mutex
	done int
	bar  *bar
}

func (a *app) progress(verb string, total int) *progress {
	p := &progress{app: a, verb: verb, total: total, live: a.inPlace()}
	if p.live && total >= manyNodes {
		p.bar = a.stderr.bar(verb+" nodes", total)
	}
	p.show()
	return p
}

// inPlace reports whether progress replaces what it said before, instead of adding
// a line an event.
func (a *app) inPlace() bool {
	_, terminal := a.stderr.terminal()
	return terminal && !a.verbose
}

func (p *progress) show() {
	switch {
	case p.bar != nil:
		p.bar.set(p.done)
	case p.live:
		p.app.stderr.inPlace(fmt.Sprintf("%s nodes: %d of %d", p.verb, p.done, p.total))
	}
}

// node reports one node that is through.
func (p *progress) node(name string, took time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.live {
		p.show()
		return
	}
	result := "ok"
	if err != nil {
		result = "failed"
	}
	p.app.stderr.linef("%s %s: %s (%.1fs)", p.verb, name, result, took.Seconds())
}

// more adds nodes that are to be read too.
func (p *progress) more(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total += n
	p.show()
}

func (p *progress) end() {
	switch {
	case p.bar != nil:
		p.bar.end()
	case p.live:
		p.app.stderr.inPlace("")
	}
}

package main

import (
	"fmt"
	"sync"
	"time"
)

// progress shows on standard error how far a round over all nodes is: in place
// on a terminal, one line a node elsewhere.
type progress struct {
	app   *app
	verb  string
	total int
	live  bool

	mu   sync.Mutex
	done int
}

func (a *app) progress(verb string, total int) *progress {
	_, live := a.stderr.terminal()
	live = live && !a.verbose
	p := &progress{app: a, verb: verb, total: total, live: live}
	p.show()
	return p
}

func (p *progress) show() {
	if p.live {
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

func (p *progress) end() {
	if p.live {
		p.app.stderr.inPlace("")
	}
}

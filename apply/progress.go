package apply

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/plan"
)

// What a batch reports while it runs, read line by line.

// progress reads the output of a batch's script line by line, and sets the outcomes of its
// actions. Lines that begin with nonce are reports, all others are output of commands.
type progress struct {
	nonce   string
	actions []*plan.Action
	run     *run
	work    *work
	next    int // index of the first action without an outcome
	armed   bool
	unarmed bool     // arming failed
	said    []string // output since the last action began
	failure error    // of the first action that failed
	// ready is called when the script waits for the other directors of a joint reload.
	ready func()
}

func (p *progress) line(text string) {
	words, marked := strings.CutPrefix(text, p.nonce+" ")
	if !marked {
		p.said = append(p.said, text)
		if note, ok := strings.CutPrefix(text, "note: "); ok {
			p.run.note(p.work, "%s", live.Said(note))
		}
		return
	}
	verb, rest, _ := strings.Cut(words, " ")
	switch {
	case verb == "ready":
		p.ready()
		return
	case verb == "armed":
		p.armed = true
		return
	case verb == "stopped":
		p.unarmed = !p.armed
		p.failure = fmt.Errorf("%s: %s", live.Said(rest), lastLine(p.said, "no message"))
		return
	case p.next >= len(p.actions):
		return
	}
	a := p.actions[p.next]
	switch verb {
	case "begin":
		p.said = nil
	case "done":
		p.run.end(a, Outcome{Status: Done})
		p.next++
	case "failed":
		id, status, _ := strings.Cut(rest, " ")
		if i := slices.IndexFunc(p.actions, func(a *plan.Action) bool { return strconv.Itoa(a.ID) == id }); i >= 0 {
			a = p.actions[i]
		}
		p.failure = fmt.Errorf("cannot %s %s: %s", a.Op, a.Ref, lastLine(p.said, "exit status "+status))
		p.run.end(a, Outcome{Failed, p.failure})
	}
}

// finish sets the outcome of all actions that have none: Skipped after a script that
// ended, Unknown after a lost connection.
func (p *progress) finish(rest Status, err error) error {
	if err == nil && p.next < len(p.actions) {
		err = errors.New("the script ended before its last step")
	}
	for ; p.next < len(p.actions); p.next++ {
		if a := p.actions[p.next]; !p.run.ended(a) {
			p.run.end(a, Outcome{rest, err})
		}
	}
	return err
}

func lastLine(said []string, otherwise string) string {
	for i := len(said) - 1; i >= 0; i-- {
		if s := strings.TrimSpace(said[i]); s != "" {
			return live.Said(s)
		}
	}
	return otherwise
}

package apply

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/plan"
)

// script runs a batch on its node. The error is the one that stopped the node;
// every action has an outcome when it returns.
func (r *run) script(ctx context.Context, n *plan.Node, actions []*plan.Action, first bool) error {
	nonce, err := newNonce()
	if err != nil {
		return r.abandon(actions, Skipped, err)
	}
	var b strings.Builder
	writePrelude(&b, nonce)
	if first {
		// Written before the first change: should this apply die, what was there
		// before is still known.
		text, err := encodeRecord(n.Settled.Intent)
		if err != nil {
			return r.abandon(actions, Skipped, err)
		}
		writeRecord(&b, n.Settled.Intent.Topology, text)
	}
	for _, a := range actions {
		writeStep(&b, a)
	}
	p := &progress{nonce: nonce, actions: actions, run: r}
	_, err = r.nodes[n.Name].Runner.Run(ctx, remote.Script{Body: b.String(), Line: p.line})
	return p.finish(err)
}

func (r *run) abandon(actions []*plan.Action, s Status, err error) error {
	for _, a := range actions {
		r.end(a, Outcome{s, err})
	}
	return err
}

func newNonce() (string, error) {
	b := make([]byte, 12)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("cannot make a nonce: %w", err)
	}
	return "lvsctl-" + hex.EncodeToString(b), nil
}

// writePrelude defines what reports on steps: lines that begin with a nonce,
// which nothing else on the node can know.
func writePrelude(b *strings.Builder, nonce string) {
	fmt.Fprintf(b, `s() { printf '%%s\n' '%[1]s begin '"$1"; }
d() { printf '%%s\n' '%[1]s done '"$1"; }
f() { printf '%%s\n' '%[1]s failed '"$1 $2"; }
r() { printf '%%s\n' '%[1]s record '"$1"; }
`, nonce)
}

// writeStep runs an action's commands one by one, each status checked; the first
// that fails ends the script.
func writeStep(b *strings.Builder, a *plan.Action) {
	fmt.Fprintf(b, "s %d\n", a.ID)
	for _, c := range a.Do {
		fmt.Fprintf(b, "{ %s; } 2>&1 || { f %d $?; return 0; }\n", c, a.ID)
	}
	fmt.Fprintf(b, "d %d\n", a.ID)
}

// progress follows a batch's script line by line.
type progress struct {
	nonce   string
	actions []*plan.Action
	run     *run
	next    int  // the first action without an outcome
	begun   bool // whether it was begun
	said    []string
	failure error
}

func (p *progress) line(text string) {
	words, marked := strings.CutPrefix(text, p.nonce+" ")
	if !marked {
		p.said = append(p.said, text)
		return
	}
	verb, rest, _ := strings.Cut(words, " ")
	if p.next >= len(p.actions) {
		return
	}
	a := p.actions[p.next]
	switch verb {
	case "begin":
		p.begun, p.said = true, nil
	case "done":
		p.run.end(a, Outcome{Status: Done})
		p.next, p.begun = p.next+1, false
	case "failed":
		_, status, _ := strings.Cut(rest, " ")
		p.failure = stepError(a, status, p.said)
		p.run.end(a, Outcome{Failed, p.failure})
		p.next, p.begun = p.next+1, false
	case "record":
		p.failure = fmt.Errorf("cannot write the record: %s", lastLine(p.said, rest))
	}
}

func stepError(a *plan.Action, status string, said []string) error {
	n, _ := strconv.Atoi(status)
	return fmt.Errorf("cannot %s %s %s: %s", a.Op, a.Kind, a.Key, lastLine(said, fmt.Sprintf("exit status %d", n)))
}

func lastLine(said []string, otherwise string) string {
	for i := len(said) - 1; i >= 0; i-- {
		if s := strings.TrimSpace(said[i]); s != "" {
			return s
		}
	}
	return otherwise
}

// finish gives every action that is left an outcome: the rest of a script that
// stopped was not begun, that of one whose connection was lost is unknown.
func (p *progress) finish(err error) error {
	switch {
	case err != nil:
		p.failure = err
	case p.failure == nil && p.next < len(p.actions):
		p.failure = errors.New("the script ended before its last step")
	}
	for ; p.next < len(p.actions); p.next++ {
		status := Skipped
		if err != nil {
			status = Unknown
		}
		p.run.end(p.actions[p.next], Outcome{status, p.failure})
	}
	return p.failure
}

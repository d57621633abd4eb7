package apply

import (
	"context"
	"fmt"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// confirm looks at a node over a new connection, compares it with what was
// wanted, and leaves the record that is true of it.
func (r *run) confirm(ctx context.Context, n *plan.Node) error {
	node := r.nodes[n.Name]
	conn, err := node.Dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	after, err := live.Read(ctx, conn, node.Question)
	if err != nil {
		return fmt.Errorf("cannot look at it again: %w", err)
	}
	s := state.Settle(after.State, node.Want, after.Record, node.Exclusive)
	if err := r.keepRecord(ctx, conn, state.Confirm(s, after.State)); err != nil {
		return err
	}
	return r.difference(n, state.Diff(s.Have, s.Want))
}

// difference is what is still not as wanted, beyond what is known not to have
// been done.
func (r *run) difference(n *plan.Node, left []state.Change) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	undone := map[state.Ref]bool{}
	for i := range r.Actions {
		if a := &r.Actions[i]; a.Node == n.Name && r.outcomes[a.ID].Status != Done {
			undone[a.Ref()] = true
		}
	}
	var list []string
	for _, c := range left {
		if !undone[c.Ref()] {
			list = append(list, fmt.Sprintf("%s %s is %s instead of %s", c.Kind, c.Key, orAbsent(c.Op == state.Add, c.Before), orAbsent(c.Op == state.Remove, c.After)))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return fmt.Errorf("%s is not as wanted after the apply: %s", n.Name, strings.Join(list, "; "))
}

func orAbsent(absent bool, value string) string {
	switch {
	case absent:
		return "absent"
	case value == "":
		return "there"
	}
	return value
}

func (r *run) keepRecord(ctx context.Context, conn remote.Runner, rec state.Record) error {
	var b strings.Builder
	nonce, err := newNonce()
	if err != nil {
		return err
	}
	writePrelude(&b, nonce)
	if rec.Empty() {
		removeRecord(&b, rec.Topology)
	} else {
		text, err := encodeRecord(rec)
		if err != nil {
			return err
		}
		writeRecord(&b, rec.Topology, text)
	}
	out, err := conn.Run(ctx, remote.Script{Body: b.String()})
	if err != nil {
		return err
	}
	if out.Status != 0 || strings.Contains(out.Stdout, nonce) {
		return fmt.Errorf("cannot write the record: %s", strings.TrimSpace(strings.ReplaceAll(out.Stdout, nonce+" record ", "")+out.Stderr))
	}
	return nil
}

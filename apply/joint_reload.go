package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// Directors that reload keepalived at the same time.
//
// Premise. Some changes make a director's adverts a stranger's to the others: another
// password, another interval, another router id. While one has the change and another
// does not, each becomes master three adverts later. So all reload within two adverts, and
// all keep the change or none does.
//
// How. The script of each director stops just before its reload and says that it is ready.
// When all are, each gets an order over a connection of its own: reload now, and for those
// that hold addresses, in a second. So nothing that lvsctl does comes between two reloads,
// and it may die there. If one director cannot be made ready, the others get the order to
// stop. A change is confirmed when the check of every director was good; otherwise all are
// put back at once.
//
//	lvsctl                      lvs-1 (holds the VIP)    lvs-2
//	both scripts                new file, "ready"        new file, "ready"
//	both are ready: "go"        waits a second           reloads, becomes no master
//	                            reloads
//	reads both, both good       confirmed                confirmed
//
// What if lvsctl dies between two orders. Backups get theirs first. A backup that becomes
// master after such a reload was alone with it, sees that by itself, and puts itself back.

// jointReload is a set of directors that reload together.
type jointReload struct {
	run *run
	// members are in the order in which they get their orders.
	members []*work
	token   string

	mu      sync.Mutex
	ready   map[string]bool
	decided bool
	results map[string]error
	// all is closed when every member has a result.
	all chan struct{}
}

// findJointReloads finds the directors of one instance whose change of keepalived must be
// made together.
func (r *run) findJointReloads() {
	reloads := map[string]bool{}
	for i := range r.Actions {
		a := &r.Actions[i]
		if a.Kind == state.KindKeepalived && a.Op == state.Edit && a.Held == "" {
			reloads[a.Node] = true
		}
	}
	for _, inst := range r.Instances {
		var members []*work
		for _, d := range inst.Directors {
			if w := r.works[d]; w != nil && reloads[d] && w.plan.Together && w.joint == nil {
				members = append(members, w)
			}
		}
		if len(members) < 2 {
			continue
		}
		slices.SortStableFunc(members, func(a, b *work) int { return lastIf(a.plan.Holds) - lastIf(b.plan.Holds) })
		j := &jointReload{
			run: r, members: members, token: strings.TrimPrefix(shell.NewMark(), "lvsctl-"),
			ready: map[string]bool{}, results: map[string]error{}, all: make(chan struct{}),
		}
		for _, w := range members {
			w.joint = j
		}
	}
}

func lastIf(last bool) int {
	if last {
		return 1
	}
	return 0
}

// hasReload reports whether a batch reloads keepalived.
func hasReload(actions []*plan.Action) bool {
	return slices.ContainsFunc(actions, func(a *plan.Action) bool { return a.Kind == state.KindKeepalived && a.Op == state.Edit })
}

// waiting is called when a director's script waits before its reload.
func (j *jointReload) waiting(ctx context.Context, w *work) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ready[w.plan.Name] = true
	j.decide(ctx)
}

// decide orders all directors that wait to reload, or to stop, once one of both is certain.
// j.mu is locked.
func (j *jointReload) decide(ctx context.Context) {
	stop := slices.ContainsFunc(j.members, func(w *work) bool { return j.results[w.plan.Name] != nil })
	if j.decided || !stop && len(j.ready) < len(j.members) || len(j.ready) == 0 {
		return
	}
	j.decided = true
	var waiting []*work
	for _, w := range j.members {
		if j.ready[w.plan.Name] {
			waiting = append(waiting, w)
		}
	}
	go j.sendOrders(ctx, waiting, stop)
}

// sendOrders connects to the directors first, so that their orders follow each other
// closely.
func (j *jointReload) sendOrders(ctx context.Context, waiting []*work, stop bool) {
	conns := make([]remote.Runner, len(waiting))
	var group sync.WaitGroup
	var mu sync.Mutex
	for i, w := range waiting {
		group.Go(func() {
			conn, err := w.Dial(ctx)
			mu.Lock()
			defer mu.Unlock()
			conns[i] = conn
			if err != nil {
				stop = true
				j.run.note(w, "cannot be reached to be told to reload: %s", remote.FirstLine(err))
			}
		})
	}
	group.Wait()
	for i, w := range waiting {
		if conns[i] == nil {
			continue // its script gives up by itself
		}
		order := []string{j.token, "go", fmt.Sprint(lastIf(w.plan.Holds)), fmt.Sprint(j.watchSeconds(w))}
		if stop {
			order = []string{j.token, "stop"}
		}
		var s shell.Script
		s.Line(shell.Call(shell.Order, order...))
		if _, err := conns[i].Run(ctx, remote.Script{Body: s.String()}); err != nil {
			j.run.note(w, "cannot be told to reload: %s", remote.FirstLine(err))
			stop = true
		}
	}
	for _, conn := range conns {
		if conn != nil {
			_ = conn.Close() // it has done its work
		}
	}
}

// watchSeconds is for how many seconds a director looks whether it becomes master.
func (j *jointReload) watchSeconds(w *work) int {
	if w.plan.Holds || !w.plan.Steady {
		return 0
	}
	return int(w.plan.Election/time.Second) + 1
}

// record keeps how a director's part ended. The first time counts.
func (j *jointReload) record(ctx context.Context, w *work, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, known := j.results[w.plan.Name]; known {
		return
	}
	j.results[w.plan.Name] = err
	if len(j.results) == len(j.members) {
		close(j.all)
	}
	if err != nil {
		j.decide(ctx)
	}
}

var errNoReload = errors.New("it ended before its reload")

// endJoint is called when a director's part has ended, whichever way.
func (w *work) endJoint(ctx context.Context) {
	if w.joint != nil {
		w.joint.record(ctx, w, errNoReload)
	}
}

// awaitOthers records a director's own result and waits for those of the others. The error
// says whose is bad. Meanwhile the director's deadline is put off over conn, which is the
// connection that it is confirmed over.
func (w *work) awaitOthers(ctx context.Context, t *transaction, conn remote.Runner, own error) error {
	j := w.joint
	if j == nil || !hasReload(t.actions) {
		return own
	}
	j.record(ctx, w, own)
	for done := false; !done; {
		select {
		case <-j.all:
			done = true
		case <-time.After(max(j.run.opts.Rollback/3, time.Second)):
			if t.id == "" {
				continue
			}
			var s shell.Script
			t.resume(&s, j.run.rollbackSeconds(w))
			s.Line(shell.Call(shell.PutOff))
			if _, err := conn.Run(ctx, remote.Script{Body: s.String()}); err != nil {
				return fmt.Errorf("cannot be reached while the other directors are looked at: %w", err)
			}
		}
	}
	if own != nil {
		return own
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, other := range j.members {
		if err := j.results[other.plan.Name]; err != nil {
			return fmt.Errorf("%s could not be changed, and both have to agree: %s", other.plan.Name, remote.FirstLine(err))
		}
	}
	return nil
}

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
// When all are, each gets a word over a connection of its own: reload now, and for those
// that hold addresses, in a second. So nothing that lvsctl does comes between two reloads,
// and it may die there. If one director cannot be made ready, the others are told to stop.
// A change is confirmed when the check of every director was good; otherwise all are put
// back at once.
//
// What if lvsctl dies between two words. Backups get theirs first. A backup that becomes
// master after such a reload was alone with it, sees that by itself, and puts itself back.

// meeting is a set of directors that reload together.
type meeting struct {
	run *run
	// members are in the order in which they are told.
	members []*work
	token   string

	mu       sync.Mutex
	ready    map[string]bool
	told     bool
	verdicts map[string]error
	// all is closed when every member has a verdict.
	all chan struct{}
}

// meet finds the meetings of an apply: the directors of one instance whose change of
// keepalived must be made together.
func (r *run) meet() {
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
			if w := r.works[d]; w != nil && reloads[d] && w.plan.Together && w.meeting == nil {
				members = append(members, w)
			}
		}
		if len(members) < 2 {
			continue
		}
		slices.SortStableFunc(members, func(a, b *work) int { return order(a.plan.Holds) - order(b.plan.Holds) })
		m := &meeting{
			run: r, members: members, token: strings.TrimPrefix(shell.NewMark(), "lvsctl-"),
			ready: map[string]bool{}, verdicts: map[string]error{}, all: make(chan struct{}),
		}
		for _, w := range members {
			w.meeting = m
		}
	}
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}

// begins reports whether a batch has the reload that a meeting is for.
func begins(actions []*plan.Action) bool {
	return slices.ContainsFunc(actions, func(a *plan.Action) bool { return a.Kind == state.KindKeepalived && a.Op == state.Edit })
}

// arrive is called when a director's script waits before its reload.
func (m *meeting) arrive(ctx context.Context, w *work) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ready[w.plan.Name] = true
	m.tell(ctx)
}

// tell gives all directors that wait their word, once it is known. m.mu is locked.
func (m *meeting) tell(ctx context.Context) {
	stop := slices.ContainsFunc(m.members, func(w *work) bool { return m.verdicts[w.plan.Name] != nil })
	if m.told || !stop && len(m.ready) < len(m.members) || len(m.ready) == 0 {
		return
	}
	m.told = true
	var waiting []*work
	for _, w := range m.members {
		if m.ready[w.plan.Name] {
			waiting = append(waiting, w)
		}
	}
	go m.send(ctx, waiting, stop)
}

// send connects to the directors first, so that their words follow each other closely.
func (m *meeting) send(ctx context.Context, waiting []*work, stop bool) {
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
				m.run.note(w, "cannot be reached to be told to reload: %s", remote.FirstLine(err))
			}
		})
	}
	group.Wait()
	for i, w := range waiting {
		if conns[i] == nil {
			continue // its script gives up by itself
		}
		word := []string{m.token, "go", fmt.Sprint(order(w.plan.Holds)), fmt.Sprint(m.watch(w))}
		if stop {
			word = []string{m.token, "stop"}
		}
		var s shell.Script
		s.Line(shell.Call(shell.Tell, word...))
		if _, err := conns[i].Run(ctx, remote.Script{Body: s.String()}); err != nil {
			m.run.note(w, "cannot be told to reload: %s", remote.FirstLine(err))
			stop = true
		}
	}
	for _, conn := range conns {
		if conn != nil {
			_ = conn.Close() // it has done its work
		}
	}
}

// watch is for how many seconds a director looks whether it becomes master.
func (m *meeting) watch(w *work) int {
	if w.plan.Holds || !w.plan.Steady {
		return 0
	}
	return int(w.plan.Election/time.Second) + 1
}

// verdict records how a director's part ended; the first one counts.
func (m *meeting) verdict(ctx context.Context, w *work, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, given := m.verdicts[w.plan.Name]; given {
		return
	}
	m.verdicts[w.plan.Name] = err
	if len(m.verdicts) == len(m.members) {
		close(m.all)
	}
	if err != nil {
		m.tell(ctx)
	}
}

var errAlone = errors.New("it ended before its reload")

// leave is called when a director's part has ended, whichever way.
func (w *work) leave(ctx context.Context) {
	if w.meeting != nil {
		w.meeting.verdict(ctx, w, errAlone)
	}
}

// agree gives a director's verdict and waits for the others'. The error says whose was bad.
// conn is the connection that the director is confirmed over.
func (w *work) agree(ctx context.Context, t *transaction, conn remote.Runner, own error) error {
	m := w.meeting
	if m == nil || !begins(t.actions) {
		return own
	}
	m.verdict(ctx, w, own)
	for done := false; !done; {
		select {
		case <-m.all:
			done = true
		case <-time.After(max(m.run.opts.Rollback/3, time.Second)):
			if t.id == "" {
				continue
			}
			var s shell.Script
			t.resume(&s, m.run.rollbackSeconds(w))
			s.Line(shell.Call(shell.PutOff))
			if _, err := conn.Run(ctx, remote.Script{Body: s.String()}); err != nil {
				return fmt.Errorf("cannot be reached while the other directors are looked at: %w", err)
			}
		}
	}
	if own != nil {
		return own
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, other := range m.members {
		if err := m.verdicts[other.plan.Name]; err != nil {
			return fmt.Errorf("%s could not be changed, and both have to agree: %s", other.plan.Name, remote.FirstLine(err))
		}
	}
	return nil
}

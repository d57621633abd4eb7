package apply_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// herd are n hosts, web-1 to web-n, all of which are to become want.
func herd(t *testing.T, n int, want func() *state.State) []job {
	t.Helper()
	var jobs []job
	for i := range n {
		jobs = append(jobs, job{node: start(t, hostOptions{name: "web-" + string(rune('1'+i)), setup: ethernet}), want: want()})
	}
	return jobs
}

// statuses are how many actions of each node ended in each way.
func statuses(r apply.Result) map[string]map[apply.Status]int {
	have := map[string]map[apply.Status]int{}
	for _, a := range r.Plan.Actions {
		if have[a.Node] == nil {
			have[a.Node] = map[apply.Status]int{}
		}
		have[a.Node][r.Outcomes[a.ID].Status]++
	}
	return have
}

// order are the nodes as their first actions end.
type order struct {
	mu    sync.Mutex
	nodes []string
}

func (o *order) event(e apply.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e.Action != nil && e.Status == apply.Done && !slices.Contains(o.nodes, e.Node) {
		o.nodes = append(o.nodes, e.Node)
	}
}

// TestCanary: of nodes with the same changes one goes first, and if it fails the others
// are left as they are. What has other changes goes on.
func TestCanary(t *testing.T) {
	t.Parallel()
	t.Run("fails", func(t *testing.T) {
		t.Parallel()
		jobs := herd(t, 3, impossible)
		jobs = append(jobs, job{node: start(t, hostOptions{name: "other", setup: ethernet}), want: newState()})
		r := look(t, jobs...).apply(t.Context(), func(o *apply.Options) { o.Canary = true })
		have := statuses(r)
		if r.Reverted["web-1"] == nil || have["other"][apply.Done] == 0 {
			t.Errorf("result: %s", explain(r))
		}
		for _, name := range []string{"web-2", "web-3"} {
			if len(have[name]) != 1 || have[name][apply.Skipped] == 0 || r.Reverted[name] != nil {
				t.Errorf("%s was begun: %s", name, explain(r))
			}
		}
		if text := explain(r); !strings.Contains(text, "not begun: web-1, which goes first, was not changed") {
			t.Errorf("it does not say why: %s", text)
		}
	})
	t.Run("succeeds", func(t *testing.T) {
		t.Parallel()
		var o order
		r := look(t, herd(t, 3, newState)...).apply(t.Context(), func(opts *apply.Options) { opts.Canary, opts.Event = true, o.event })
		if !r.Complete() || len(o.nodes) != 3 || o.nodes[0] != "web-1" {
			t.Errorf("order %v: %s", o.nodes, explain(r))
		}
	})
	t.Run("for all nodes or none", func(t *testing.T) {
		t.Parallel()
		jobs := herd(t, 2, impossible)
		before := jobs[1].snapshot()
		r := look(t, jobs...).apply(t.Context(), func(o *apply.Options) { o.Canary, o.Atomic = true, true })
		if r.Complete() || r.Reverted["web-1"] == nil || statuses(r)["web-2"][apply.Skipped] == 0 {
			t.Errorf("result: %s", explain(r))
		}
		if d := cmp.Diff(before, jobs[1].snapshot()); d != "" {
			t.Error(d)
		}
	})
}

// TestDirectorsInTurn: directors alike are changed one after another.
func TestDirectorsInTurn(t *testing.T) {
	t.Parallel()
	jobs := herd(t, 3, newState)
	for i := range jobs {
		jobs[i].role = "director"
	}
	var o order
	r := look(t, jobs...).apply(t.Context(), func(opts *apply.Options) { opts.Canary, opts.Event = true, o.event })
	if d := cmp.Diff([]string{"web-1", "web-2", "web-3"}, o.nodes); d != "" || !r.Complete() {
		t.Errorf("order %s: %s", d, explain(r))
	}
}

// TestBatches: so many nodes at a time, and no more once too many have failed.
func TestBatches(t *testing.T) {
	t.Parallel()
	t.Run("two at a time", func(t *testing.T) {
		t.Parallel()
		var o order
		r := look(t, herd(t, 5, newState)...).apply(t.Context(), func(opts *apply.Options) {
			opts.Batch, opts.Event = apply.Share{Nodes: 2}, o.event
		})
		for i, name := range o.nodes {
			if at := slices.Index([]string{"web-1", "web-2", "web-3", "web-4", "web-5"}, name); at/2 != i/2 {
				t.Errorf("%s is no. %d", name, i+1)
			}
		}
		if !r.Complete() || len(o.nodes) != 5 {
			t.Errorf("order %v: %s", o.nodes, explain(r))
		}
	})
	t.Run("until one fails", func(t *testing.T) {
		t.Parallel()
		r := look(t, herd(t, 4, impossible)...).apply(t.Context(), func(o *apply.Options) {
			o.Batch, o.StopAfter = apply.Share{Percent: 50}, 1
		})
		have := statuses(r)
		for name, reverted := range map[string]bool{"web-1": true, "web-2": true, "web-3": false, "web-4": false} {
			if (r.Reverted[name] != nil) != reverted || !reverted && have[name][apply.Skipped] == 0 {
				t.Errorf("%s: %s", name, explain(r))
			}
		}
		if text := explain(r); !strings.Contains(text, "not begun: 2 nodes failed already") {
			t.Errorf("it does not say why: %s", text)
		}
	})
	t.Run("who has begun", func(t *testing.T) {
		t.Parallel()
		r := look(t, herd(t, 3, impossible)...).apply(t.Context(), func(o *apply.Options) { o.Parallelism, o.StopAfter = 1, 1 })
		if len(r.Reverted) != 1 || !strings.Contains(explain(r), "not begun: 1 node failed already") {
			t.Errorf("%s", explain(r))
		}
	})
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		var jobs []job
		for _, j := range herd(t, 2, newState) {
			must(t, j)
			j.persist = netsystem.Auto
			jobs = append(jobs, j)
		}
		jobs[0].sh("mount -t tmpfs -o ro tmpfs /etc/sysctl.d")
		r := look(t, jobs...).apply(t.Context(), func(o *apply.Options) { o.Canary = true })
		have := statuses(r)["web-2"]
		if len(have) != 1 || have[apply.Skipped] == 0 || !strings.Contains(explain(r), "not begun: web-1, which goes first") {
			t.Errorf("%s", explain(r))
		}
	})
}

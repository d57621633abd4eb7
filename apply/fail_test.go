package apply_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// impossible is newState with a step in the middle that fails, because the label is too
// long.
func impossible() *state.State {
	s := newState()
	s.Addresses[state.AddressKey{Prefix: prefix("10.0.0.102/32"), Dev: "lo"}] = state.Address{Label: "lo:" + strings.Repeat("x", 20)}
	return s
}

// cannot is how its error begins. The kernel's words follow.
const cannot = "cannot add address 10.0.0.102/32 dev lo: "

func TestFailedStep(t *testing.T) {
	t.Parallel()
	t.Run("rolls its host back at once", func(t *testing.T) {
		t.Parallel()
		bad, good := start(t, hostOptions{name: "bad", setup: ethernet}), start(t, hostOptions{name: "good", setup: ethernet})
		before := bad.snapshot()
		r := look(t, job{node: bad, want: impossible()}, job{node: good, want: newState()}).apply(t.Context(), nil)
		if r.Complete() || r.Reverted["bad"] == nil || !strings.HasPrefix(r.Reverted["bad"].Error(), cannot) {
			t.Errorf("result: %s", explain(r))
		}
		if diff := cmp.Diff(before, bad.snapshot()); diff != "" {
			t.Errorf("it was not put back (-before +after):\n%s", diff)
		}
		if left := bad.left() + bad.record(); left != "" {
			t.Errorf("left over:\n%s", left)
		}
		wantStatuses(t, r, "bad", map[string]apply.Status{
			"net.ipv4.ip_forward": apply.RolledBack, "net.ipv4.conf.all.arp_announce": apply.RolledBack,
			"net.ipv4.conf.all.arp_ignore": apply.RolledBack, "net.ipv4.conf.lo.arp_ignore": apply.RolledBack,
			"10.0.0.101/32 dev lo": apply.RolledBack, "10.0.0.102/32 dev lo": apply.Failed,
			"default": apply.Skipped, "10.2.0.0/16": apply.Skipped,
		})
		for _, a := range r.Plan.Actions {
			if a.Node == "good" && r.Outcomes[a.ID].Status != apply.Done {
				t.Errorf("the other host does not go on: %s", explain(r))
			}
		}
		must(t, job{node: bad, want: newState()})
	})
	t.Run("without rollback leaves what was done", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet})
		r := look(t, job{node: n, want: impossible()}).apply(t.Context(), func(o *apply.Options) { o.Rollback = 0 })
		if r.Complete() || len(r.Reverted) > 0 {
			t.Errorf("result: %s", explain(r))
		}
		wantStatuses(t, r, "web", map[string]apply.Status{
			"net.ipv4.ip_forward": apply.Done, "net.ipv4.conf.all.arp_announce": apply.Done,
			"net.ipv4.conf.all.arp_ignore": apply.Done, "net.ipv4.conf.lo.arp_ignore": apply.Done,
			"10.0.0.101/32 dev lo": apply.Done, "10.0.0.102/32 dev lo": apply.Failed,
			"default": apply.Skipped, "10.2.0.0/16": apply.Skipped,
		})
		if shot := n.snapshot(); !strings.Contains(shot, "10.0.0.101/32") || !strings.Contains(shot, "default via 10.0.0.1 ") {
			t.Errorf("the host has:\n%s", shot)
		}
		// The record still knows what was there before lvsctl.
		must(t, job{node: n, want: newState()})
		must(t, job{node: n, want: state.New()})
		if shot := n.snapshot(); n.record() != "" || strings.Contains(shot, "10.0.0.101/32") || !strings.Contains(shot, "default via 10.0.0.1 ") {
			t.Errorf("what was there before is not known; the host has:\n%s", shot)
		}
	})
}

// TestAllOrNone has three hosts, of which one cannot be changed. The others are put back in
// the reverse order: a real server first gets back what was removed, and loses what was
// added only after the director no longer sends there.
func TestAllOrNone(t *testing.T) {
	t.Parallel()
	lvs, web, bad := start(t, hostOptions{name: "lvs", setup: ethernet}), start(t, hostOptions{name: "web", setup: ethernet}), start(t, hostOptions{name: "bad", setup: ethernet})
	all := []*node{lvs, web, bad}
	before := map[string]string{}
	for _, n := range all {
		before[n.name] = n.snapshot()
	}
	// This apply has two transactions on web: one adds, the other one removes.
	must(t, job{node: web, want: oldState()})
	before["web"] = web.snapshot()
	record := web.record()

	var order []string
	s := look(t, job{node: lvs, want: newState(), role: "director"}, job{node: web, want: newState()}, job{node: bad, want: impossible()})
	r := s.apply(t.Context(), func(o *apply.Options) {
		o.Atomic = true
		o.Event = func(e apply.Event) {
			if e.Action == nil || e.Status != apply.RolledBack {
				return
			}
			what := e.Node + " makes"
			if e.Action.Stage == plan.Clear || e.Action.Stage == plan.Stop {
				what = e.Node + " takes away"
			}
			if !slices.Contains(order, what) {
				order = append(order, what)
			}
		}
	})
	if r.Complete() || r.Reverted["lvs"] == nil || r.Reverted["web"] == nil || r.Reverted["bad"] == nil {
		t.Errorf("result: %s", explain(r))
	}
	if diff := cmp.Diff([]string{"bad makes", "web takes away", "lvs makes", "web makes"}, order); diff != "" {
		t.Errorf("order (-want +have):\n%s", diff)
	}
	for _, n := range all {
		if diff := cmp.Diff(before[n.name], n.snapshot()); diff != "" {
			t.Errorf("%s was not put back (-before +after):\n%s", n.name, diff)
		}
		if left := n.left(); left != "" {
			t.Errorf("left over on %s:\n%s", n.name, left)
		}
	}
	if diff := cmp.Diff(record, web.record()); diff != "" {
		t.Errorf("the record (-before +after):\n%s", diff)
	}

	s = look(t, job{node: lvs, want: newState(), role: "director"}, job{node: web, want: newState()}, job{node: bad, want: newState()})
	if r := s.apply(t.Context(), func(o *apply.Options) { o.Atomic = true }); !r.Complete() {
		t.Errorf("all: %s", explain(r))
	}
	for _, n := range all {
		if left := n.left(); left != "" {
			t.Errorf("left over on %s:\n%s", n.name, left)
		}
	}
}

func wantStatuses(t *testing.T, r apply.Result, node string, want map[string]apply.Status) {
	t.Helper()
	have := map[string]apply.Status{}
	for _, a := range r.Plan.Actions {
		if a.Node == node {
			have[a.Key.String()] = r.Outcomes[a.ID].Status
		}
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("outcomes on %s (-want +have):\n%s", node, diff)
	}
}

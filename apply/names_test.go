package apply_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
)

// TestNamesFirst has an apply fail on the director, after web was changed. The director
// is put back, and knows of web all the same: its block may be deleted next.
func TestNamesFirst(t *testing.T) {
	t.Parallel()
	lvs, web := start(t, hostOptions{name: "lvs", setup: ethernet}), start(t, hostOptions{name: "web", setup: ethernet})
	before := lvs.snapshot()
	of := func(lvsWants, webWants *state.State) []job {
		return []job{{node: lvs, want: lvsWants, role: "director", named: true}, {node: web, want: webWants, named: true}}
	}
	r := look(t, of(impossible(), newState())...).apply(t.Context(), nil)
	if r.Reverted["lvs"] == nil || r.Reverted["web"] != nil || r.Whole() {
		t.Fatalf("result: %s", explain(r))
	}
	if diff := cmp.Diff(before, lvs.snapshot()); diff != "" {
		t.Errorf("the director was not put back (-before +after):\n%s", diff)
	}
	if record := lvs.record(); !strings.Contains(record, `"web"`) || strings.Contains(record, "10.0.0.101") {
		t.Errorf("the director's record:\n%s", record)
	}

	// web is put back too, and the director knows of nobody any more, although its
	// connection is lost just then.
	g := &gates{where: where{before: "lvsctl_remove_record"}, text: "printf '%s\\n' tripped; sleep 1\n", reached: lvs.wire.cut}
	jobs := of(state.New(), state.New())
	jobs[0].wrap = g.wrap
	s := look(t, jobs...)
	g.open()
	if r := s.apply(t.Context(), nil); !r.Complete() || !g.passed() {
		t.Errorf("reached %t: %s", g.passed(), explain(r))
	}
	if left := lvs.record() + web.record(); left != "" {
		t.Errorf("left over:\n%s", left)
	}
}

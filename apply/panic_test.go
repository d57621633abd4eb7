package apply_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/remote"
)

// panicking panics at a script that contains text.
type panicking struct {
	remote.Runner
	at string
}

func (r panicking) Run(ctx context.Context, s remote.Script) (remote.Output, error) {
	out, err := r.Runner.Run(ctx, s)
	r.look(s)
	return out, err
}

func (r panicking) Hold(ctx context.Context, s remote.Script) (remote.Output, func(), error) {
	out, release, err := r.Runner.Hold(ctx, s)
	defer func() {
		if recover() != nil {
			release()
			panic("at the lock")
		}
	}()
	r.look(s)
	return out, release, err
}

func (r panicking) look(s remote.Script) {
	if strings.Contains(s.Body+" ", "\n"+r.at+" ") || strings.Contains(s.Body, "\n"+r.at+"\n") {
		panic("at " + r.at)
	}
}

// TestPanic has a host whose answer makes lvsctl panic. That is the host's error, and the
// others are changed.
func TestPanic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, at string
		status   apply.Status
	}{
		{name: "while it is locked", at: "lvsctl_lock", status: apply.Unknown},
		{name: "while it is changed", at: "lvsctl_arm", status: apply.Unknown},
		{name: "while it is looked at again", at: "lvsctl_probe_again", status: apply.RolledBack},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			one, other := start(t, hostOptions{setup: ethernet}), start(t, hostOptions{name: "db", setup: ethernet})
			before := one.snapshot()
			wrap := func(r remote.Runner) remote.Runner { return panicking{r, c.at} }
			s := look(t, job{node: one, want: newState(), wrap: wrap}, job{node: other, want: newState()})
			r := s.apply(t.Context(), func(o *apply.Options) { o.Parallelism, o.Rollback = 1, 20*time.Second })
			if r.Complete() || !strings.Contains(explain(r), "lvsctl failed on what the node answered (at ") {
				t.Errorf("it says %s", explain(r))
			}
			for _, a := range r.Plan.Actions {
				have, want := r.Outcomes[a.ID].Status, apply.Done
				if a.Node == one.name {
					want = c.status
				}
				if have != want && !(a.Node == one.name && have == apply.Skipped) {
					t.Errorf("%s: %s: have %q, want %q", a.Node, a.Key, have, want)
				}
			}
			s.Close()
			eventually(one, time.Minute, "the host has put itself back", func() bool {
				_, err := one.try(atRest)
				return err == nil
			})
			if diff := cmp.Diff(before, one.snapshot()); diff != "" {
				t.Errorf("the host is not as it was (-before +after):\n%s", diff)
			}
			must(t, job{node: one, want: newState()})
		})
	}
}

// TestBadRecord has a record that is damaged, before the plan or after it. Its host is not
// changed, and the others are.
func TestBadRecord(t *testing.T) {
	t.Parallel()
	one, other := start(t, hostOptions{setup: ethernet}), start(t, hostOptions{name: "db", setup: ethernet})
	must(t, job{node: one, want: oldState()})
	before := one.snapshot()
	file := "/var/lib/lvsctl/" + topologyName + ".json"
	for _, spoil := range []string{
		": >" + file,
		"echo null >" + file,
		"sed -i 's/\"set\": {/\"set\": null, \"was\": {/' " + file,
		"sed -i 's/\"topology\": \"test\"/\"topology\": \"other\"/' " + file,
	} {
		s := look(t, job{node: one, want: newState()}, job{node: other, want: newState()})
		one.sh("cp " + file + " /root/kept; " + spoil)
		r := s.apply(t.Context(), nil)
		if r.Unconfirmed["web"] == nil || !strings.Contains(explain(r), "cannot use "+file+": ") {
			t.Errorf("%s: it says %s", spoil, explain(r))
		}
		if len(r.Unconfirmed) > 1 || len(r.Reverted) > 0 {
			t.Errorf("%s: the other host is not done: %s", spoil, explain(r))
		}
		s.Close()
		if _, err := take(t.Context(), job{node: one, want: newState()}); err == nil || !strings.Contains(err.Error(), "cannot use "+file+": ") {
			t.Errorf("%s: a plan says %v", spoil, err)
		}
		if diff := cmp.Diff(before, one.snapshot()); diff != "" {
			t.Errorf("%s: the host was changed (-before +after):\n%s", spoil, diff)
		}
		one.sh("cp /root/kept " + file)
	}
	must(t, job{node: one, want: newState()})
}

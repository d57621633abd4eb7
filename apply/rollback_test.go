package apply_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
)

// TestPowerCut ends a host while it is changed, before the confirmation. Its namespaces are
// made again, with an empty /run and the same /var/lib. For an apply that is a reboot.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]string{
		"before a step": "lvsctl_begin 1 ", "after a step": "lvsctl_say done 6", "before the record": `if ! mv -f "$1.new"`, "before it disarms": `if ! mv "$lvsctl_transaction/armed"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, hostOptions{setup: ethernet})
			before := n.snapshot()
			g := &gates{where: where{before: at}, text: waiting}
			g.reached = func() {
				n.off()
				n.boot()
			}
			s := look(t, job{node: n, want: newState(), wrap: g.wrap})
			g.open()
			r := s.apply(t.Context(), nil)
			if r.Complete() || !g.passed() {
				t.Errorf("result: %s", explain(r))
			}
			if diff := cmp.Diff(before, n.snapshot()); diff != "" {
				t.Errorf("it is not as it was (-before +after):\n%s", diff)
			}
			n.recovers(before)
		})
	}
}

// recovers checks that after a rollback the next apply works, and that the record still knows
// what was there before the first one.
func (n *node) recovers(before string) {
	n.Helper()
	must(n, job{node: n, want: newState()})
	if left := n.left(); left != "" {
		n.Errorf("left over:\n%s", left)
	}
	must(n, job{node: n, want: oldState()})
	n.sh("ip addr del 10.0.0.100/32 dev lo; ip route del 10.1.0.0/16; echo 0 >/proc/sys/net/ipv4/conf/lo/arp_ignore")
	if diff := cmp.Diff(before, n.snapshot()); diff != "" {
		n.Errorf("what was there before is not known (-before +after):\n%s", diff)
	}
}

// TestFailingRollback has an inverse command that fails. The others run all the same, and
// the result names what is not as before.
func TestFailingRollback(t *testing.T) {
	t.Parallel()
	t.Run("an inverse fails", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet})
		before := n.snapshot()
		n.sh(wrapIP(`*"addr del 10.0.0.101"*) echo "RTNETLINK answers: Never" >&2; exit 2;;`))
		r := look(t, job{node: n, want: impossible()}).apply(t.Context(), nil)
		if err := r.Unconfirmed["web"]; err == nil || !strings.HasPrefix(err.Error(), "the rollback did not take: address 10.0.0.101/32 dev lo is there instead of absent (") || !strings.HasSuffix(err.Error(), "; RTNETLINK answers: Never)") {
			t.Errorf("result: %s", explain(r))
		}
		n.sh(unwrapIP)
		n.recovers(before)
	})
	for name, breaks := range map[string]string{
		"the script is gone":   "rm /run/lvsctl/*/rollback.sh",
		"the script is no sh":  "for f in /run/lvsctl/*/rollback.sh; do echo ') (' >$f; done",
		"the script is killed": "", // by its first inverse
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPassage(t, hostOptions{})
			if breaks == "" {
				p.sh(wrapIP(`*"route del 10.2.0.0/16"*) [ -e /run/killed ] || { : >/run/killed; kill -9 $PPID; sleep 1; };;`))
			}
			g := &gates{where: where{before: "lvsctl_say done 6"}, text: breaks + "\nprintf '%s\\n' tripped; ip addr del 10.0.0.101/32 dev lo\n"}
			s := look(t, job{node: p.node, want: newState(), wrap: g.wrap})
			g.open()
			r := s.apply(t.Context(), func(o *apply.Options) { o.Rollback = 15 * time.Second })
			// On a slow machine the timer may have run the rollback before lvsctl looks.
			if r.Complete() || r.Unconfirmed["web"] == nil && r.Reverted["web"] == nil {
				t.Errorf("result: %s", explain(r))
			}
			if breaks == "" {
				p.sh(unwrapIP)
			}
			eventually(t, time.Minute, "the next apply can begin and finishes", func() bool {
				return look(t, job{node: p.node, want: newState()}).apply(t.Context(), nil).Complete()
			})
			p.finish()
		})
	}
}

// TestInterrupted ends the context in the middle of an apply. A batch that is running is
// finished and confirmed, and no other one is begun.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	p := newPassage(t, hostOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	g := &gates{where: changing, text: "printf '%s\\n' tripped\n", reached: cancel}
	s := look(t, job{node: p.node, want: newState(), wrap: g.wrap})
	g.open()
	r := s.apply(ctx, nil)
	if diff := cmp.Diff(p.states[1], p.snapshot()); diff != "" || r.Complete() {
		t.Errorf("what was begun was not finished (-want +have):\n%s\n%s", diff, explain(r))
	}
	for _, a := range r.Plan.Actions {
		if a.ID > 6 && r.Outcomes[a.ID].Status != apply.Skipped {
			t.Errorf("something else was begun: %s", explain(r))
		}
	}
	p.finish()
}

// TestClock sets the host's clock. Its rollback timer does not depend on it.
func TestClock(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet})
	end := holdUp(t, n)
	text := n.sh("cat /run/lvsctl/*/rollback.sh; cat /run/lvsctl/*/deadline; cat /proc/uptime")
	if strings.Contains(text, "date") || !strings.Contains(text, "/proc/uptime") {
		t.Errorf("the rollback is timed by something else than /proc/uptime:\n%s", text)
	}
	end()
}

package apply_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
)

// overdue is the text of a gate before a host's confirmation. It waits until the other
// host is confirmed, and lets this host's timer run out.
const overdue = `printf '%s\n' tripped
while [ ! -e /run/go ]; do sleep 0.05; done
for d in /run/lvsctl/*/deadline; do echo 0 >"$d"; done
while [ -e /run/lvsctl/*/armed ]; do sleep 0.05; done
`

// TestLateConfirmation has an apply of all hosts or none in which one host's
// confirmation comes too late when the other's was taken already.
func TestLateConfirmation(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// before runs on the confirmed host just before it is put back.
		before string
		stays  bool
	}{
		"it is put back":                        {},
		"it is put back over a new connection":  {before: dying},
		"it stays changed, and the result says": {before: "kill $(cat /run/sshd.pid)\n" + dying, stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := start(t, hostOptions{name: "first", setup: ethernet}), start(t, hostOptions{name: "second", setup: ethernet})
			must(t, job{node: first, want: oldState()})
			before, record := first.snapshot(), first.record()
			secondBefore := second.snapshot()

			g := &gates{where: where{before: "lvsctl_disarm"}, text: overdue, reached: func() {
				eventually(t, soon, "the other host is confirmed", func() bool {
					_, err := first.try("ls /run/lvsctl/*/confirmed && ! ls /run/lvsctl/*/armed")
					return err == nil
				})
				second.sh("touch /run/go")
			}}
			back := &gates{where: where{before: "lvsctl_reopen"}, text: c.before}
			s := look(t, job{node: first, want: newState(), wrap: back.wrap}, job{node: second, want: newState(), wrap: g.wrap})
			g.open()
			if c.before != "" {
				back.open()
			}
			r := s.apply(t.Context(), func(o *apply.Options) {
				o.Atomic = true
				if c.stays {
					o.Rollback = 20 * time.Second
				}
			})
			if !g.passed() || r.Complete() || r.Reverted["second"] == nil {
				t.Fatalf("result: %s", explain(r))
			}
			if diff := cmp.Diff(secondBefore, second.snapshot()); diff != "" {
				t.Errorf("second was not put back (-before +after):\n%s", diff)
			}
			if c.stays {
				err := r.Unconfirmed["first"]
				if err == nil || !strings.HasPrefix(err.Error(), "stays changed, because it was confirmed before the others") || r.Reverted["first"] != nil {
					t.Errorf("result: %s", explain(r))
				}
				return
			}
			if r.Reverted["first"] == nil {
				t.Errorf("result: %s", explain(r))
			}
			if diff := cmp.Diff(before, first.snapshot()) + cmp.Diff(record, first.record()); diff != "" {
				t.Errorf("first was not put back (-before +after):\n%s", diff)
			}
			for _, n := range []*node{first, second} {
				if left := n.left(); left != "" {
					t.Errorf("left over on %s:\n%s", n.name, left)
				}
			}
		})
	}
}

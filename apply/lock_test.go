package apply_test

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lvsctl/lvsctl/apply"
)

// holdUp begins an apply that waits in the middle of its changes. end lets it go on, and
// returns the result.
func holdUp(t *testing.T, n *node) (end func() apply.Result) {
	t.Helper()
	reached := make(chan struct{})
	g := &gates{where: changing, text: waiting, reached: func() { close(reached) }}
	s := look(t, job{node: n, want: newState(), wrap: g.wrap})
	g.open()
	result := make(chan apply.Result, 1)
	go func() { result <- s.apply(t.Context(), nil) }()
	select {
	case <-reached:
	case r := <-result:
		t.Fatalf("it did not stop: %s", explain(r))
	case <-time.After(time.Minute):
		t.Fatal("it does not come to where it has to stop")
	}
	return func() apply.Result {
		n.sh(": >/run/go")
		return <-result
	}
}

func TestTwoAppliesAtOnce(t *testing.T) {
	t.Parallel()
	for name, setup := range map[string]string{
		"flock":    "",
		"no flock": `mount --bind /dev/null "$(command -v flock)"` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, hostOptions{setup: ethernet + setup})
			end := holdUp(t, n)
			s := look(t, job{node: n, want: newState()})
			r := s.apply(t.Context(), nil)
			locked := r.Locked["web"]
			if locked == nil || r.Outcomes != nil || r.Complete() {
				t.Fatalf("the second is not refused: %s", explain(r))
			}
			if !regexp.MustCompile(`^somebody@here since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(locked.Holder) {
				t.Errorf("the holder is %q", locked.Holder)
			}
			if !strings.HasPrefix(locked.Error(), "web is locked by another apply: somebody@here since ") {
				t.Errorf("it says: %s", locked)
			}
			if d := r.Document("Apply"); d.Locked["web"] != locked.Error() || !strings.HasSuffix(d.Summary.Text, "Not done: web (locked).") {
				t.Errorf("as JSON: %q, %s", d.Locked, d.Summary.Text)
			}
			if r := end(); !r.Complete() {
				t.Errorf("the first is disturbed: %s", explain(r))
			}
			must(t, job{node: n, want: oldState()})
		})
	}
}

// TestLockGoesWithItsHolder cuts the connection or kills the program while an apply has
// the lock. Then another apply can get it.
func TestLockGoesWithItsHolder(t *testing.T) {
	t.Parallel()
	free := func(n *node) func() bool {
		return func() bool { _, err := n.try("flock -n /run/lvsctl/lock true"); return err == nil }
	}
	t.Run("cut", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet})
		end := holdUp(t, n)
		if free(n)() {
			t.Error("it is not locked")
		}
		n.wire.refuse()
		eventually(t, soon, "the lock is free", free(n))
		n.wire.allow()
		end()
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet})
		kill(t, n, changing, time.Minute)
		eventually(t, soon, "the lock is free", free(n))
	})
}

// TestPending kills an apply after it has changed something. No other apply may begin
// before the host has put itself back.
func TestPending(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet})
	before := n.snapshot()
	kill(t, n, changing, 20*time.Second)
	r := look(t, job{node: n, want: newState()}).apply(t.Context(), nil)
	locked := r.Locked["web"]
	if locked == nil || locked.Pending <= 0 || locked.Pending > 20*time.Second {
		t.Fatalf("the second is not refused: %s", explain(r))
	}
	if want := "web waits for an apply that was cut off (doomed@here since "; !strings.HasPrefix(locked.Error(), want) {
		t.Errorf("it says: %s", locked)
	}
	eventually(t, time.Minute, "the host puts itself back", func() bool { return n.snapshot() == before })
	eventually(t, soon, "an apply can begin", func() bool {
		return look(t, job{node: n, want: newState()}).apply(t.Context(), nil).Complete()
	})
}

// kill runs a doomed process, which applies to n and kills itself at a place.
func kill(t testing.TB, n *node, at where, rollback time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), doomedPlace+"="+strconv.Itoa(at.number), doomedBefore+"="+at.before, doomedConfig+"="+n.config, doomedTimeout+"="+rollback.String())
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.String() != "signal: killed" {
		t.Fatalf("it did not kill itself: %v: %s", err, out)
	}
}

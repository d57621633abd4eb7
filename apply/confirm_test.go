package apply_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/state"
)

// TestConfirmation has changes that succeed, but after which no new SSH connection or no
// gateway of the host works. They are put back.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	t.Run("no new connection", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet})
		before := n.snapshot()
		// The session that makes the change goes on, as with a firewall that lets
		// established connections through.
		g := &gates{where: changing, text: "kill $(cat /run/sshd.pid); printf '%s\\n' tripped\n"}
		s := look(t, job{node: n, want: newState(), wrap: g.wrap})
		g.open()
		r := s.apply(t.Context(), nil)
		if err := r.Reverted["web"]; err == nil || !strings.HasPrefix(err.Error(), "cannot be reached anew after the change: ") {
			t.Errorf("result: %s", explain(r))
		}
		if diff := cmp.Diff(before, n.snapshot()); diff != "" {
			t.Errorf("it was not put back (-before +after):\n%s", diff)
		}
		if left := n.left() + n.record(); left != "" {
			t.Errorf("left over:\n%s", left)
		}
		n.sh("/usr/sbin/sshd -f " + n.dir + "/sshd_config")
		must(t, job{node: n, want: newState()})
	})
	t.Run("a silent gateway", func(t *testing.T) {
		t.Parallel()
		router := start(t, hostOptions{name: "router", setup: "ip link add eth0 type veth peer name web; ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up\n"})
		n := start(t, hostOptions{})
		router.give("web", n, "eth0")
		n.sh("ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.0.1")
		eventually(t, soon, "the gateway answers", func() bool { _, err := n.try("ping -c 1 -W 1 10.0.0.1"); return err == nil })
		before := n.snapshot()
		want := newState()
		want.Routes[state.NewRouteKey(prefix("10.0.0.1/32"), 0)] = state.Route{Dev: "lo"}
		r := look(t, job{node: n, want: want}).apply(t.Context(), nil)
		if err := r.Reverted["web"]; err == nil || err.Error() != "10.0.0.1 answered before the change and does not any more" {
			t.Errorf("result: %s", explain(r))
		}
		if diff := cmp.Diff(before, n.snapshot()); diff != "" {
			t.Errorf("it was not put back (-before +after):\n%s", diff)
		}
		// The new gateway does not exist. It is not probed, as it did not answer before.
		must(t, job{node: n, want: newState()})
	})
	t.Run("another hand", func(t *testing.T) {
		t.Parallel()
		n := start(t, hostOptions{setup: ethernet})
		before := n.snapshot()
		g := &gates{where: changing, text: "ip addr del 10.0.0.101/32 dev lo; printf '%s\\n' tripped\n"}
		s := look(t, job{node: n, want: newState(), wrap: g.wrap})
		g.open()
		r := s.apply(t.Context(), nil)
		if err := r.Reverted["web"]; err == nil || err.Error() != "not as wanted after the change: address 10.0.0.101/32 dev lo is absent instead of there" {
			t.Errorf("result: %s", explain(r))
		}
		if diff := cmp.Diff(before, n.snapshot()); diff != "" {
			t.Errorf("it was not put back (-before +after):\n%s", diff)
		}
	})
}

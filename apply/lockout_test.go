package apply_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/state"
)

// behindRouter is a real server that an operator reaches only through its default gateway:
//
//	operator 10.7.0.9 --- 10.7.0.1 router 10.0.0.1 --- 10.0.0.2 web
func behindRouter(t *testing.T) *node {
	t.Helper()
	router := start(t, hostOptions{name: "router", setup: `echo 1 >/proc/sys/net/ipv4/ip_forward
ip link add op type veth peer name forop; ip addr add 10.7.0.1/24 dev op; ip link set op up
ip link add rs type veth peer name forrs; ip addr add 10.0.0.1/24 dev rs; ip link set rs up
`})
	operator := start(t, hostOptions{name: "operator"})
	router.give("forop", operator, "eth0")
	operator.sh("ip addr add 10.7.0.9/24 dev eth0; ip link set eth0 up; ip route add default via 10.7.0.1")
	web := start(t, hostOptions{name: "web", from: operator, address: "10.0.0.2", silence: 8 * time.Second})
	router.give("forrs", web, "eth0")
	web.sh("ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.0.1")
	eventually(t, soon, "the operator reaches the real server", func() bool {
		_, err := operator.try("ping -c 1 -W 1 10.0.0.2")
		return err == nil
	})
	return web
}

// TestLockOut is the classic mistake with LVS-NAT: the real server's default route must
// lead to the director, 10.0.0.254, and the operator came by the old one.
func TestLockOut(t *testing.T) {
	t.Parallel()
	web := behindRouter(t)
	before := web.snapshot()

	want := state.New()
	want.Sysctls["net/ipv4/conf/all/accept_redirects"] = "0"
	want.Routes[state.NewRouteKey(prefix("0.0.0.0/0"), 0)] = state.Route{Via: netip.MustParseAddr("10.0.0.254"), Dev: "eth0"}
	s := look(t, job{node: web, want: want})
	var notes []string
	r := s.apply(t.Context(), func(o *apply.Options) {
		o.Rollback = 5 * time.Second
		o.Event = func(e apply.Event) {
			if e.Action == nil {
				notes = append(notes, e.Note)
			}
		}
	})
	if r.Complete() || r.Reverted["web"] == nil || len(r.Unconfirmed) > 0 {
		t.Errorf("result: %s", explain(r))
	}
	for id, o := range r.Outcomes {
		if o.Status != apply.RolledBack {
			t.Errorf("action %d is %s, want it rolled back", id, o.Status)
		}
	}
	if len(notes) < 2 || notes[len(notes)-1] != "it is as it was before" {
		t.Errorf("what was said:\n%s", strings.Join(notes, "\n"))
	}
	if diff := cmp.Diff(before, web.snapshot()); diff != "" {
		t.Errorf("the real server is not as it was (-before +after):\n%s", diff)
	}
	if left := web.left() + web.record(); left != "" {
		t.Errorf("left over:\n%s", left)
	}

	// With a route to the operator beside the new default route it works.
	want.Routes[state.NewRouteKey(prefix("10.7.0.0/24"), 0)] = state.Route{Via: netip.MustParseAddr("10.0.0.1"), Dev: "eth0"}
	s = look(t, job{node: web, want: want})
	if r := s.apply(t.Context(), nil); !r.Complete() {
		t.Errorf("with a way back: %s", explain(r))
	}
}

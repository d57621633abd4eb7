package apply_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/plan"
)

// TestChangedSincePlan changes a host by hand between its plan and its apply.
func TestChangedSincePlan(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet})

	t.Run("what the plan touches", func(t *testing.T) {
		s := look(t, job{node: n, want: newState()})
		n.sh("ip route replace default via 10.0.0.7; ip addr add 10.0.0.101/32 dev lo label lo:9")
		before := n.snapshot()
		r := s.apply(t.Context(), nil)
		stale := r.Stale["web"]
		if stale == nil || r.Complete() {
			t.Fatalf("it is not refused: %s", explain(r))
		}
		want := []plan.Conflict{{Kind: "route", Key: "default", Planned: "via 10.0.0.1 dev eth0", Want: "via 10.0.0.254 dev eth0", Found: "via 10.0.0.7 dev eth0"}}
		if diff := cmp.Diff(want, stale.Conflicts); diff != "" {
			t.Errorf("conflicts (-want +have):\n%s", diff)
		}
		if diff := cmp.Diff(before, n.snapshot()); diff != "" {
			t.Errorf("it was changed all the same (-before +after):\n%s", diff)
		}
		if left := n.left(); left != "" || n.record() != "" {
			t.Errorf("left over:\n%s%s", left, n.record())
		}
		n.sh("ip route replace default via 10.0.0.1; ip addr del 10.0.0.101/32 dev lo")
	})
	t.Run("something else, and what is as wanted", func(t *testing.T) {
		s := look(t, job{node: n, want: newState()})
		n.sh(`ip route add 10.9.0.0/16 via 10.0.0.9
echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce
ip route replace default via 10.0.0.254`)
		r := s.apply(t.Context(), nil)
		if !r.Complete() {
			t.Fatalf("it is not done: %s", explain(r))
		}
		have := map[string]apply.Status{}
		for _, a := range r.Plan.Actions {
			have[a.Key.String()] = r.Outcomes[a.ID].Status
		}
		want := map[string]apply.Status{
			"net.ipv4.ip_forward": apply.Done, "net.ipv4.conf.all.arp_ignore": apply.Done, "net.ipv4.conf.lo.arp_ignore": apply.Done,
			"10.0.0.101/32 dev lo": apply.Done, "10.2.0.0/16": apply.Done,
			"net.ipv4.conf.all.arp_announce": apply.Already, "default": apply.Already,
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("outcomes (-want +have):\n%s", diff)
		}
		n.sh("ip route del 10.9.0.0/16") // fails if the route is gone
	})
}

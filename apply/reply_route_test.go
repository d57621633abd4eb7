package apply_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// TestReplyRoute adds a reply route on a real host, checks that replies from one address
// leave by it, and that nothing of it stays at the end.
func TestReplyRoute(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet + "ip addr add 10.0.0.100/32 dev lo; ip addr add 10.0.0.101/32 dev lo\n"})
	write(t, n.dir+"/reply.sh", shell.Definitions(shell.ReplyRoute)+"\"$@\"\n")
	before := n.snapshot()
	run := func(d state.ReplyRoute, end bool) {
		t.Helper()
		command := d.Begin()
		if end {
			command = d.End()
		}
		if out := n.sh("sh " + n.dir + "/reply.sh " + command.String()); out != "" {
			t.Errorf("%s says %s", command, out)
		}
	}
	wantVia := func(from, via string) {
		t.Helper()
		if have := n.sh("ip route get 192.0.2.1 from " + from); !strings.Contains(have, " via "+via+" ") {
			t.Errorf("replies from %s take %s, want via %s", from, have, via)
		}
	}
	one := state.ReplyRoute{From: netip.MustParseAddr("10.0.0.100"), Via: netip.MustParseAddr("10.0.0.254"), Dev: "eth0", For: time.Minute}
	other := one
	other.From = netip.MustParseAddr("10.0.0.101")
	for _, d := range []state.ReplyRoute{one, one, other} { // twice is once
		run(d, false)
	}
	wantVia("10.0.0.100", "10.0.0.254")
	wantVia("10.0.0.101", "10.0.0.254")
	wantVia("10.0.0.2", "10.0.0.1")
	run(one, true)
	wantVia("10.0.0.100", "10.0.0.1")
	wantVia("10.0.0.101", "10.0.0.254")
	run(other, true)
	run(other, true)
	if have := n.snapshot() + n.sh("ip rule show"); !strings.HasPrefix(have, before) || strings.Count(have, "lookup") != 3 {
		t.Errorf("something is left:\n%s", have)
	}
	eventually(n, soon, "nobody watches any more", func() bool {
		_, err := n.try("pgrep -f '[r]eply.sh'")
		return err != nil
	})
	// This one ends by itself.
	brief := one
	brief.For = 4 * time.Second
	run(brief, false)
	wantVia("10.0.0.100", "10.0.0.254")
	eventually(n, soon, "it has ended by itself", func() bool { return !strings.Contains(n.sh("ip rule show"), "10.0.0.100") })
	// The process that ends an earlier reply route does not end a later one: it runs out
	// while the later one is there.
	n.sh("mkdir -p /run/lvsctl")
	run(brief, false)
	run(one, false)
	eventually(n, soon, "the first watcher has ended", func() bool {
		return strings.Count(n.sh("pgrep -f '[r]eply.sh'"), "\n") == 1
	})
	wantVia("10.0.0.100", "10.0.0.254")
	run(one, true)
	if left := n.left(); left != "" {
		t.Errorf("left over:\n%s", left)
	}
	// A gateway that cannot be reached is no error.
	lost := one
	lost.Via = netip.MustParseAddr("198.51.100.1")
	if out := n.sh("sh " + n.dir + "/reply.sh " + lost.Begin().String()); !strings.Contains(out, "\nnote: no rule for replies from 10.0.0.100 can be made") {
		t.Errorf("it says %q", out)
	}
	if have := n.snapshot(); have != before {
		t.Errorf("something is left:\n%s", have)
	}
}

package apply_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// TestMuteICMP ends a script that stops ICMP errors, in every way in which a shell can end.
// Afterwards the host's ICMP rate limit is as before.
func TestMuteICMP(t *testing.T) {
	t.Parallel()
	// The kernel returns the limit in its own ticks, so the value read is another one.
	const limit = "/proc/sys/net/ipv4/icmp_ratelimit"
	n := start(t, hostOptions{setup: "mkdir -p /run/lvsctl\necho 776 >" + limit + "\n"})
	write(t, n.dir+"/mute.sh", shell.Definitions(shell.MuteICMP)+"\"$@\"\n")
	script := "sh " + n.dir + "/mute.sh "
	have := func() string { return strings.TrimSpace(n.sh("cat " + limit + "; ls -A /run/lvsctl")) }
	wantHave := func(want string) {
		t.Helper()
		if diff := cmp.Diff(want, have()); diff != "" {
			t.Errorf("the limit, and what is kept (-want +have):\n%s", diff)
		}
	}
	n.sh(script + "lvsctl_mute_icmp " + limit + " grep -qx '2147483[0-9]*' " + limit)
	wantHave("776")
	if out, err := n.try(script + "lvsctl_mute_icmp " + limit + " sh -c 'echo said; exit 3'"); err == nil || out != "said\n" {
		t.Errorf("a command that fails: %q, %v", out, err)
	}
	wantHave("776")
	for _, signal := range []string{"HUP", "INT", "TERM", "KILL"} {
		// A job of a shell without job control ignores INT.
		n.sh("set -m; " + script + "lvsctl_mute_icmp " + limit + " sleep 3 >/dev/null 2>&1 & ")
		eventually(n, soon, "it is muted", func() bool {
			_, err := n.try("pgrep -x sleep")
			return err == nil && strings.HasPrefix(have(), "2147483")
		})
		// Of the two shells the one whose child sleeps is the one that mutes.
		n.sh(`kill -` + signal + ` $(ps -o ppid= -p $(pgrep -x sleep))`)
		if signal == "KILL" {
			eventually(n, soon, "it is dead", func() bool { _, err := n.try(`pgrep -f '[m]ute.sh'`); return err != nil })
			if !strings.HasPrefix(have(), "2147483") || !strings.HasSuffix(have(), "\nborrowed.net.ipv4.icmp_ratelimit") {
				t.Errorf("what a killed one leaves: %s", have())
			}
			n.sh(script + "lvsctl_give_back")
		}
		eventually(n, soon, "it is as before after "+signal, func() bool { return have() == "776" })
		eventually(n, soon, "nothing runs any more", func() bool { _, err := n.try("pgrep -x sleep"); return err != nil })
	}
	// A limit that a killed shell left raised is not taken for the host's own.
	n.sh("echo 2147483647 >" + limit + "; printf '%s\\n' " + limit + " 776 >/run/lvsctl/borrowed.net.ipv4.icmp_ratelimit")
	n.sh(script + "lvsctl_mute_icmp " + limit + " true")
	wantHave("776")
	// If the old limit cannot be stored, it is not changed.
	n.sh("mount -t tmpfs -o ro tmpfs /run/lvsctl")
	n.sh(script + "lvsctl_mute_icmp " + limit + " grep -qx 776 " + limit)
	n.sh("umount /run/lvsctl")
	wantHave("776")
}

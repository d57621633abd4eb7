package apply_test

import (
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// small makes busybox every program of a host, as on Alpine: its shell, ip, sed, grep,
// awk, cp and all others but sshd.
const small = `sed -i "/^root:/s,:[^:]*\$,:/bin/sh," /etc/passwd
mkdir /run/small
cp "$(command -v busybox)" /usr/sbin/sshd /run/small/
/run/small/busybox --install -s /run/small
mount --bind /run/small /usr/bin
mount --bind /run/small /usr/sbin
if ! [ /bin -ef /usr/bin ]; then mount --bind /run/small /bin; mount --bind /run/small /sbin; fi
mount -t tmpfs tmpfs /usr/local
for d in lo eth0; do echo 0 >/proc/sys/net/ipv6/conf/$d/disable_ipv6; done
`

// network is the host's network, printed by this machine's tools.
func (n *node) network() string {
	n.Helper()
	out, err := exec.Command("nsenter", "-t", n.id(), "-n", "sh", "-c", "ip -o addr show | sed 's/ *valid_lft.*//; s/ tentative//' | grep -v fe80 | sort; ip route show table all | grep -v fe80; ip rule").CombinedOutput()
	if err != nil {
		n.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestSmallSystem has a host with nothing but busybox. It is read, changed, put back after
// a step that fails, and destroyed, as any other.
func TestSmallSystem(t *testing.T) {
	t.Parallel()
	n := start(t, hostOptions{setup: ethernet + debian + small})
	if out := n.sh("ls -l /usr/bin/ip /bin/sh; sed --version 2>&1 | head -1"); strings.Count(out, "busybox") < 2 {
		t.Fatalf("the host has more than busybox: %s", out)
	}
	before := n.network()

	if r := look(t, job{node: n, want: impossible()}).apply(t.Context(), nil); r.Complete() || len(r.Reverted) != 1 {
		t.Fatalf("want a host that was put back: %s", explain(r))
	}
	if d := cmp.Diff(before, n.network()); d != "" {
		t.Errorf("it was not put back (-before +after):\n%s", d)
	}

	wanted := job{node: n, want: newState(), persist: netsystem.Auto}
	for dev, vip := range map[string]string{"lo": "fd00::100/128", "eth0": "fd00::101/128"} {
		wanted.want.Addresses[state.AddressKey{Prefix: prefix(vip), Dev: dev}] = state.Address{}
	}
	k, rule := state.ReplyPolicy(netip.MustParseAddr("10.0.0.2"))
	wanted.want.Policies[k] = rule
	way := state.NewRouteKey(prefix("0.0.0.0/0"), 0)
	way.Table = strconv.Itoa(state.ReplyTable)
	wanted.want.Routes[way] = state.Route{Via: netip.MustParseAddr("10.0.0.253"), Dev: "eth0"}
	must(t, wanted)
	for _, want := range []string{"10.0.0.101/32", "default via 10.0.0.254", "eth0    inet6 fd00::101/128 scope global deprecated", "from 10.0.0.2 lookup 862", "default via 10.0.0.253 dev eth0 table 862"} {
		if have := n.network(); !strings.Contains(have, want) {
			t.Errorf("want %s, have\n%s", want, have)
		}
	}
	if s := look(t, wanted); len(s.Plan.Actions) > 0 {
		t.Errorf("a second look finds %d changes, the first of them %s %s", len(s.Plan.Actions), s.Plan.Actions[0].Op, s.Plan.Actions[0].Ref)
	}
	for file := range strings.Lines(n.left()) {
		// The lock's file stays on a system without flock, though nobody has the lock.
		if !strings.HasPrefix(file, "/run/lvsctl/process") {
			t.Errorf("left behind: %s", file)
		}
	}
	must(t, job{node: n, want: state.New()})
	if d := cmp.Diff(before, n.network()); d != "" {
		t.Errorf("it was not given back (-before +after):\n%s", d)
	}
	if record := n.record(); record != "" {
		t.Errorf("a record is left: %s", record)
	}
}

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/lvsctl/lvsctl/internal/lab/labtest"
)

// TestMain lets the test's binary be /init of a machine.
func TestMain(m *testing.M) {
	if InGuest() {
		os.Exit(Guest())
	}
	goleak.VerifyTestMain(m)
}

func needLab(t *testing.T, o Options) {
	t.Helper()
	labtest.Need(t, func() error { return CheckTools(o) })
}

// bring brings a lab up, and takes it down when the test ends.
func bring(t *testing.T, s Spec) *Lab {
	t.Helper()
	needLab(t, Options{})
	begin := time.Now()
	l, err := Up(t.Context(), s, Options{Dir: t.TempDir(), Progress: func(s string) { t.Logf("%5.1fs %s", time.Since(begin).Seconds(), s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d hosts in %.1fs (%s)", len(l.Hosts), time.Since(begin).Seconds(), l.Accel)
	t.Cleanup(func() {
		// The second Down finds no lab, which is no error.
		for range 2 {
			if err := DownDir(l.Dir()); err != nil {
				t.Error(err)
			}
		}
		if l.Running() {
			t.Error("the machine still runs")
		}
		if _, err := os.Stat(l.Dir()); err == nil {
			t.Errorf("%s is still there", l.Dir())
		}
	})
	console, err := os.ReadFile(l.Dir() + "/" + consoleFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("console:\n%s", console)
	return l
}

// on runs a script on a host and returns what it printed.
func on(t *testing.T, l *Lab, host, script string) string {
	t.Helper()
	cmd, err := l.Command(t.Context(), host, []string{"sh", "-euc", script})
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %s: %v\n%s%s", host, script, err, &stdout, &stderr)
	}
	return stdout.String()
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// lan has a client behind a router, and a director and two real servers that are all
// on the same two networks. That is enough for every mode.
func lan() Spec {
	rs := func(n int) Host {
		return Host{Name: fmt.Sprintf("rs-%d", n), Role: "real_server", Interfaces: []Interface{
			{Name: "eth0", Addresses: prefixes(fmt.Sprintf("10.1.0.%d/24", 10+n), fmt.Sprintf("fd00:1::%d/64", 10+n))},
			{Name: "eth1", Addresses: prefixes(fmt.Sprintf("10.2.0.%d/24", 10+n))},
		}, Listeners: []Listener{{"tcp", 80}, {"tcp", 8080}, {"udp", 53}, {"sctp", 90}}}
	}
	return Spec{Name: "lan", Hosts: []Host{
		{Name: "director", Role: "director", Interfaces: []Interface{
			{Name: "ens33", Addresses: prefixes("10.1.0.2/24", "fd00:1::2/64")},
			{Name: "eth0.100", Addresses: prefixes("10.2.0.2/24")},
		}},
		rs(1), rs(2),
		{Name: "router", Role: "router", Interfaces: []Interface{
			{Name: "eth0", Addresses: prefixes("10.1.0.1/24", "fd00:1::1/64")}, {Name: "eth1", Addresses: prefixes("10.9.0.1/24", "fd00:9::1/64")},
		}},
		{Name: "client", Role: "client", Aliases: []string{"10.9.0.9"}, Interfaces: []Interface{
			{Name: "eth0", Addresses: prefixes("10.9.0.9/24", "fd00:9::9/64")},
		}, Gateway4: netip.MustParseAddr("10.9.0.1"), Gateway6: netip.MustParseAddr("fd00:9::1")},
	}}
}

func TestLab(t *testing.T) {
	l := bring(t, lan())
	t.Run("ssh", func(t *testing.T) { checkSSH(t, l) })
	t.Run("bare", func(t *testing.T) { checkBare(t, l) })
	t.Run("network", func(t *testing.T) { checkNetwork(t, l) })
	t.Run("dr", func(t *testing.T) { balanceDR(t, l) })
	t.Run("nat", func(t *testing.T) { balanceNAT(t, l) })
	t.Run("tun", func(t *testing.T) { balanceTUN(t, l) })
	t.Run("fullnat", func(t *testing.T) { balanceFullNAT(t, l) })
	t.Run("keepalived", func(t *testing.T) { checkKeepalived(t, l) })
	t.Run("watch", func(t *testing.T) { checkWatch(t, l) })
	t.Run("state", func(t *testing.T) { checkState(t, l) })
}

// checkState checks what the lab reports of itself, and that a second Up is refused.
func checkState(t *testing.T, l *Lab) {
	if _, err := Up(t.Context(), lan(), Options{Dir: l.Dir()}); !errors.Is(err, ErrUp) {
		t.Errorf("a second Up: %v", err)
	}
	again, err := OpenDir(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l, again, cmp.AllowUnexported(Lab{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("reopened (-want +have):\n%s", diff)
	}
	if changed := lan(); !again.Made(lan()) || again.Made(Spec{Name: changed.Name, Hosts: changed.Hosts[1:]}) {
		t.Error("the lab does not know what it was made of")
	}
	if have, want := again.Answering(t.Context()), []bool{true, true, true, true, true}; !slices.Equal(have, want) {
		t.Errorf("answering: %v", have)
	}
	on(t, l, "rs-2", "kill $(cat /run/sshd.pid)")
	if have, want := again.Answering(t.Context()), []bool{true, true, false, true, true}; !slices.Equal(have, want) {
		t.Errorf("answering without rs-2's sshd: %v", have)
	}
	// The network of a host without sshd still works.
	if have := on(t, l, "director", "curl -sS http://10.1.0.12/"); have != "rs-2\n" {
		t.Errorf("rs-2 without sshd answers %q", have)
	}
}

// machinesIn returns the machines of the lab in dir, also after dir was removed.
func machinesIn(dir string) []string {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		// QEMU changes its working directory, but keeps the console file open.
		if console, err := os.Readlink(filepath.Join(filepath.Dir(file), "exe")); err == nil && strings.Contains(console, qemu) {
			links, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "fd", "*"))
			for _, l := range links {
				if target, err := os.Readlink(l); err == nil && strings.HasPrefix(target, dir+"/") {
					found = append(found, file)
				}
			}
		}
	}
	return found
}

// TestUpInterrupted interrupts Up at several moments. No machine and no folder may stay.
func TestUpInterrupted(t *testing.T) {
	needLab(t, Options{})
	for _, at := range []string{"packing", "booting"} {
		dir := filepath.Join(t.TempDir(), "lab")
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Up(ctx, lan(), Options{Dir: dir, Accel: "tcg", Progress: func(step string) {
			if strings.HasPrefix(step, at) {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("at %s: %v", at, err)
		}
		if _, err := os.Stat(dir); err == nil || len(machinesIn(dir)) > 0 {
			t.Errorf("at %s: something stayed behind", at)
		}
	}
}

// TestUpFails lets a machine end while it boots. Up must notice and show the last lines
// of its console.
func TestUpFails(t *testing.T) {
	needLab(t, Options{})
	s := lan()
	s.Hosts[0].Gateway4 = netip.MustParseAddr("192.0.2.1") // on no subnet of the host
	dir := filepath.Join(t.TempDir(), "lab")
	_, err := Up(t.Context(), s, Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "its machine failed") || !strings.Contains(err.Error(), "make host director") {
		t.Errorf("error: %v", err)
	}
	if _, err := os.Stat(dir); err == nil || len(machinesIn(dir)) > 0 {
		t.Error("something stayed behind")
	}
}

func checkSSH(t *testing.T, l *Lab) {
	for _, h := range l.Hosts {
		if have, want := on(t, l, h.Name, "hostname; cat /etc/hostname; id -un"), h.Name+"\n"+h.Name+"\nroot\n"; have != want {
			t.Errorf("%s says %q", h.Name, have)
		}
	}
	out, err := exec.Command("ssh", "-F", l.SSHConfig(), "10.9.0.9", "hostname").CombinedOutput()
	if string(out) != "client\n" {
		t.Errorf("alias: %s%v", out, err)
	}
	cmd, err := l.Command(t.Context(), "client", []string{"sh", "-c", `cat; printf '<%s>' "$@"; exit 7`, "x", "a b", "it's", "", "$HOME;*"})
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = strings.NewReader("in ")
	text, err := cmd.Output()
	var exit *exec.ExitError
	if string(text) != "in <a b><it's><><$HOME;*>" || !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("the argument vector came as %q, %v", text, err)
	}
}

// checkBare checks that a host has the kernel's defaults.
func checkBare(t *testing.T, l *Lab) {
	for _, host := range []string{"director", "rs-1"} {
		have := on(t, l, host, `
			cd /proc/sys/net
			for c in all default lo; do for k in rp_filter arp_ignore arp_announce forwarding; do echo $c.$k $(cat ipv4/conf/$c/$k); done; done
			for c in all default; do for k in send_redirects accept_redirects; do echo $c.$k $(cat ipv4/conf/$c/$k); done; done
			echo ip_forward $(cat ipv4/ip_forward)
			for c in all default lo; do for k in disable_ipv6 forwarding; do echo 6.$c.$k $(cat ipv6/conf/$c/$k); done; done
			! test -e /proc/net/ip_vs || echo ip_vs is loaded
			! test -e ipv4/conf/tunl0 || echo ipip is loaded
			grep -E '^(ip_vs|ipip|nf_conntrack|ip_tables|nf_tables|br_netfilter) ' /proc/modules || true
			ip route show default
			ls /var/lib /etc/sysctl.d`)
		var want strings.Builder
		for _, c := range []string{"all", "default", "lo"} {
			fmt.Fprintf(&want, "%[1]s.rp_filter 0\n%[1]s.arp_ignore 0\n%[1]s.arp_announce 0\n%[1]s.forwarding 0\n", c)
		}
		for _, c := range []string{"all", "default"} {
			fmt.Fprintf(&want, "%[1]s.send_redirects 1\n%[1]s.accept_redirects 1\n", c)
		}
		want.WriteString("ip_forward 0\n")
		for _, c := range []string{"all", "default", "lo"} {
			fmt.Fprintf(&want, "6.%[1]s.disable_ipv6 0\n6.%[1]s.forwarding 0\n", c)
		}
		want.WriteString("/etc/sysctl.d:\n\n/var/lib:\n")
		if diff := cmp.Diff(want.String(), have); diff != "" {
			t.Errorf("%s (-want +have):\n%s", host, diff)
		}
	}
	// No host sees the files that another one writes.
	on(t, l, "rs-1", "for d in etc var root run tmp home; do echo x > /$d/private; done")
	if have := on(t, l, "rs-2", "ls /etc/private /var/private /root/private /run/private /tmp/private /home/private 2>/dev/null || true"); have != "" {
		t.Errorf("rs-2 sees rs-1's files: %s", have)
	}
}

func checkNetwork(t *testing.T, l *Lab) {
	if have, want := on(t, l, "director", "ip -o address show | awk '$2 != \"lo\" && $2 != \"mgmt0\" && !/scope link/ {print $2, $4, $6}'"),
		"ens33 10.1.0.2/24 10.1.0.255\nens33 fd00:1::2/64 global\neth0.100 10.2.0.2/24 10.2.0.255\n"; have != want {
		t.Errorf("the director's addresses are\n%s", have)
	}
	if have, want := on(t, l, "client", "ip route show default; ip -6 route show default; curl -sS --max-time 1 http://10.1.0.11/ 2>/dev/null || echo behind a router that does not forward"),
		"default via 10.9.0.1 dev eth0 \ndefault via fd00:9::1 dev eth0 metric 1024 pref medium\nbehind a router that does not forward\n"; have != want {
		t.Errorf("the client's way out is\n%s", have)
	}
	have := on(t, l, "director", `
		curl -sS http://10.1.0.11/ http://[fd00:1::12]:8080/any/path
		curl -sS -D - -o /dev/null -d "$(seq 20000)" http://10.1.0.11/ | tr -d '\r' | grep -E '^(HTTP|X-Client)'
		`+datagram("10.1.0.12"))
	if want := "rs-1\nrs-2\nHTTP/1.1 200 OK\nX-Client: 10.1.0.2\nrs-2\n"; have != want {
		t.Errorf("the real servers answer\n%s", have)
	}
	// Hosts cannot reach this machine.
	out := on(t, l, "client", "ping -c 1 -W 1 198.18.0.2 >/dev/null && echo reached || echo closed; curl -sS --max-time 2 http://198.18.0.2:22/ 2>/dev/null || echo closed")
	if !strings.HasSuffix(out, "closed\n") {
		t.Errorf("a host reached this machine: %s", out)
	}
}

// datagram is a script that sends a datagram to port 53 of an address and prints the
// answer.
func datagram(to string) string {
	return "timeout 15 bash -c 'exec 3<>/dev/udp/" + to + "/53; echo >&3; head -n 1 <&3'"
}

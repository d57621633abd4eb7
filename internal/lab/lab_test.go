package lab

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

// TestMain makes the test's own binary fit to be a machine's /init.
func TestMain(m *testing.M) {
	if InGuest() {
		os.Exit(Guest())
	}
	goleak.VerifyTestMain(m)
}

// mustRun says whether a machine without what a lab takes fails the test.
func mustRun() bool { return os.Getenv("CI") == "true" || os.Getenv("LVSCTL_LAB") == "1" }

// bring brings a lab up for the test.
func bring(t *testing.T, s Spec) *Lab {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a virtual machine: not with -short")
	}
	var missing Missing
	if err := CheckTools(); errors.As(err, &missing) && !mustRun() {
		t.Skip(err)
	}
	begin := time.Now()
	l, err := Up(t.Context(), s, Options{Dir: t.TempDir(), Progress: func(s string) { t.Logf("%5.1fs %s", time.Since(begin).Seconds(), s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d hosts in %.1fs (%s)", len(l.Hosts), time.Since(begin).Seconds(), l.Accel)
	t.Cleanup(func() {
		if err := DownDir(l.Dir()); err != nil {
			t.Error(err)
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

// lan is a client behind a router, a director with a leg in two networks, and
// two real servers with one in each: enough for every mode.
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

// checkBare is that a host is as a kernel starts it.
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
	// What one host writes, no other has.
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
	// The way out of the laboratory is closed.
	out := on(t, l, "client", "ping -c 1 -W 1 198.18.0.2 >/dev/null && echo reached || echo closed; curl -sS --max-time 2 http://198.18.0.2:22/ 2>/dev/null || echo closed")
	if !strings.HasSuffix(out, "closed\n") {
		t.Errorf("a host reached this machine: %s", out)
	}
}

// datagram sends one to port 53 of an address and prints the answer.
func datagram(to string) string {
	return "timeout 3 bash -c 'exec 3<>/dev/udp/" + to + "/53; echo >&3; head -n 1 <&3'"
}

// quietARP is what a real server needs before it takes a VIP.
const quietARP = "for i in all lo; do echo 1 > /proc/sys/net/ipv4/conf/$i/arp_ignore; echo 2 > /proc/sys/net/ipv4/conf/$i/arp_announce; done\n"

// balanced asks for a URL from the client and sees both real servers answer.
func balanced(t *testing.T, l *Lab, url, from string) {
	t.Helper()
	have := on(t, l, "client", "for i in 1 2 3 4; do curl -sS --max-time 5 -D /tmp/head "+url+"; grep -i ^x-client: /tmp/head | tr -d '\\r'; done")
	servers := strings.Count(have, "rs-1\n")*10 + strings.Count(have, "rs-2\n")
	if servers != 22 {
		t.Errorf("the real servers did not take turns:\n%s", have)
	}
	if strings.Count(have, "X-Client: "+from+"\n") != 4 {
		t.Errorf("the real servers did not see %s:\n%s", from, have)
	}
}

func balanceDR(t *testing.T, l *Lab) {
	on(t, l, "router", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
	for _, rs := range []string{"rs-1", "rs-2"} {
		on(t, l, rs, quietARP+"ip address add 10.1.0.100/32 dev lo; ip route add default via 10.1.0.1; ip -6 address add fd00:1::100/128 dev lo nodad; ip -6 route add default via fd00:1::1")
	}
	// The scheduler's module is loaded by the kernel's own request.
	on(t, l, "director", `
		ip address add 10.1.0.100/32 dev ens33; ip address add fd00:1::100/128 dev ens33 nodad
		ipvsadm -A -t 10.1.0.100:80 -s rr; ipvsadm -a -t 10.1.0.100:80 -r 10.1.0.11 -g; ipvsadm -a -t 10.1.0.100:80 -r 10.1.0.12 -g
		ipvsadm -A -u 10.1.0.100:53 -s wrr -o; ipvsadm -a -u 10.1.0.100:53 -r 10.1.0.11 -g
		ipvsadm -A -t [fd00:1::100]:80 -s rr; ipvsadm -a -t [fd00:1::100]:80 -r [fd00:1::11]:80 -g; ipvsadm -a -t [fd00:1::100]:80 -r [fd00:1::12]:80 -g
		arping -q -U -c 1 -I ens33 10.1.0.100`)
	balanced(t, l, "http://10.1.0.100/", "10.9.0.9")
	balanced(t, l, "http://[fd00:1::100]/", "fd00:9::9")
	if have := on(t, l, "client", datagram("10.1.0.100")); have != "rs-1\n" {
		t.Errorf("a datagram to the VIP was answered by %q", have)
	}
	if have := on(t, l, "rs-1", "test -e /proc/net/ip_vs && cat /proc/net/ip_vs | wc -l"); have != "3\n" {
		t.Errorf("a real server has %s lines of IPVS, not a table of its own", have)
	}
}

func balanceNAT(t *testing.T, l *Lab) {
	for _, rs := range []string{"rs-1", "rs-2"} {
		on(t, l, rs, "ip route replace default via 10.2.0.2")
	}
	on(t, l, "director", `
		sysctl -qw net.ipv4.ip_forward=1; ip address add 10.1.0.101/32 dev ens33; ip route add default via 10.1.0.1
		ipvsadm -A -t 10.1.0.101:80 -s rr; ipvsadm -a -t 10.1.0.101:80 -r 10.2.0.11:8080 -m; ipvsadm -a -t 10.1.0.101:80 -r 10.2.0.12:8080 -m`)
	balanced(t, l, "http://10.1.0.101/", "10.9.0.9")
}

func balanceTUN(t *testing.T, l *Lab) {
	for _, rs := range []string{"rs-1", "rs-2"} {
		on(t, l, rs, quietARP+"modprobe ipip; ip link set tunl0 up; echo 2 > /proc/sys/net/ipv4/conf/tunl0/rp_filter; ip address add 10.1.0.102/32 dev tunl0; ip route replace default via 10.1.0.1")
	}
	on(t, l, "director", `
		ip address add 10.1.0.102/32 dev ens33
		ipvsadm -A -t 10.1.0.102:80 -s rr; ipvsadm -a -t 10.1.0.102:80 -r 10.2.0.11 -i; ipvsadm -a -t 10.1.0.102:80 -r 10.2.0.12 -i`)
	balanced(t, l, "http://10.1.0.102/", "10.9.0.9")
}

func balanceFullNAT(t *testing.T, l *Lab) {
	for _, rs := range []string{"rs-1", "rs-2"} {
		on(t, l, rs, "ip route del default")
	}
	on(t, l, "director", `
		ip address add 10.1.0.103/32 dev ens33
		ipvsadm -A -t 10.1.0.103:80 -s rr; ipvsadm -a -t 10.1.0.103:80 -r 10.2.0.11 -m; ipvsadm -a -t 10.1.0.103:80 -r 10.2.0.12 -m
		sysctl -qw net.ipv4.vs.conntrack=1
		iptables -t nat -A POSTROUTING -m ipvs --vaddr 10.1.0.103 --vport 80 -m comment --comment lab -j MASQUERADE
		for t in nat mangle filter; do iptables-legacy -t $t -S >/dev/null; ip6tables-legacy -t $t -S >/dev/null; ip6tables -t $t -S >/dev/null; done`)
	balanced(t, l, "http://10.1.0.103/", "10.2.0.2")
}

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

	t.Run("ssh", func(t *testing.T) {
		for _, h := range l.Hosts {
			if have, want := on(t, l, h.Name, "hostname; cat /etc/hostname"), h.Name+"\n"+h.Name+"\n"; have != want {
				t.Errorf("%s: hostname %q", h.Name, have)
			}
		}
		out, err := exec.Command("ssh", "-F", l.SSHConfig(), "10.9.0.9", "hostname").CombinedOutput()
		if string(out) != "client\n" {
			t.Errorf("alias: %s%v", out, err)
		}
	})
	_ = strings.TrimSpace
}

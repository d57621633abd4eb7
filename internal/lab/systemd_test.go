package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// whole has a host with each network system. On each, two devices swap their names, and
// there is a second LAN.
func whole() (Spec, Options) {
	s := Spec{Name: "whole"}
	o := Options{System: Ifupdown, Systems: map[string]System{}}
	for n, system := range Systems {
		name := "on-" + string(system)
		o.Systems[name] = system
		s.Hosts = append(s.Hosts, Host{Name: name, Role: "real_server", Interfaces: []Interface{
			{Name: "eth1", Addresses: prefixes(fmt.Sprintf("10.1.0.%d/24", 1+n), fmt.Sprintf("10.3.0.%d/24", 1+n), fmt.Sprintf("fd00:1::%d/64", 1+n))},
			{Name: "eth0", Addresses: prefixes(fmt.Sprintf("10.2.%d.1/24", n))},
			{Name: "ens33"},
			{Name: "lo", Addresses: prefixes(fmt.Sprintf("10.7.0.%d/32", 1+n))},
		}, Listeners: []Listener{{"tcp", 80}, {"tcp", 6379}},
			Gateway4: netip.MustParseAddr("10.1.0.250"), Gateway6: netip.MustParseAddr("fd00:1::fa"),
			Routes: []Route{{To: netip.MustParsePrefix("10.99.0.0/16"), Via: netip.MustParseAddr(fmt.Sprintf("10.2.%d.2", n))}}})
	}
	return s, o
}

func TestSystems(t *testing.T) {
	s, o := whole()
	needLab(t, o)
	begin := time.Now()
	say := func(s string) { t.Logf("%5.1fs %s", time.Since(begin).Seconds(), s) }
	o.Dir, o.Progress = t.TempDir(), say
	l, err := Up(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := DownDir(l.Dir()); err != nil || l.Running() {
			t.Errorf("down: %v, still running: %v", err, l.Running())
		}
	})
	say("up")
	checkSystems(t, l, s)
	say("done")
}

// checkSystems checks every host's programs, network and answers.
func checkSystems(t *testing.T, l *Lab, s Spec) {
	t.Helper()
	if up := l.Answering(t.Context()); slices.Contains(up, false) {
		t.Errorf("answering: %v", up)
	}
	// Each host has the program of its own system, and none of another one's.
	programs := map[System]string{Ifupdown: "ifup", Netplan: "netplan active", Networkd: "active", NetworkManager: "nmcli"}
	for n, h := range s.Hosts {
		system := l.Hosts[n].System
		have := on(t, l, h.Name, `
			hostname; systemctl is-system-running; cat /proc/1/comm
			echo $(for p in ifup netplan nmcli; do ! command -v $p >/dev/null || echo $p; done; ! systemctl -q is-active systemd-networkd || echo active)
			ip -o address show | grep -v fe80: | awk '$2 !~ "mgmt0|^lo" || /10\.7/ {print $2, $4}' | sort
			ip route | grep -v 'proto kernel' | awk '{print $1, $2, $3, $4, $5}' | sort; ip -6 route show default | awk '{print $1, $2, $3, $4, $5}'`)
		want := strings.Join([]string{
			h.Name, "running", "systemd", programs[system],
			fmt.Sprintf("eth0 10.2.%d.1/24", n), fmt.Sprintf("eth1 10.1.0.%d/24", 1+n), fmt.Sprintf("eth1 10.3.0.%d/24", 1+n), fmt.Sprintf("eth1 fd00:1::%d/64", 1+n),
			fmt.Sprintf("lo 10.7.0.%d/32", 1+n),
			fmt.Sprintf("10.99.0.0/16 via 10.2.%d.2 dev eth0", n), "default via 10.1.0.250 dev eth1", "default via fd00:1::fa dev eth1",
		}, "\n") + "\n"
		if have != want {
			t.Errorf("%s:\nwant\n%s\nhave\n%s", h.Name, want, have)
		}
		// Requests go from host to host: to the next one here.
		next := s.Hosts[(n+1)%len(s.Hosts)]
		have = on(t, l, h.Name, fmt.Sprintf(`curl -sS -m 20 http://%[1]s/; redis-cli -h %[1]s get host
			test -e /sys/class/net/ens33; modprobe ip_vs; ipvsadm -Ln | head -n1 | cut -d' ' -f1-3`, next.Interfaces[0].Addresses[0].Addr()))
		if want := next.Name + "\n" + next.Name + "\nIP Virtual Server\n"; have != want {
			t.Errorf("%s: asking %s: want %q, have %q", h.Name, next.Name, want, have)
		}
	}
}

package state

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// releases are the versions of ipvsadm whose output is in testdata/live, by their minor
// number. Debian's 1.31 accepts weights above 65535.
var releases = []struct {
	folder string
	minor  int
	debian bool
}{
	{"ipvsadm-1.24", 24, false}, {"ipvsadm-1.25", 25, false}, {"ipvsadm-1.26", 26, false}, {"ipvsadm-1.27", 27, false},
	{"ipvsadm-1.28", 28, false}, {"ipvsadm-1.29", 29, false}, {"ipvsadm-1.30", 30, false}, {"ipvsadm-1.31", 31, false},
	{"ipvsadm-1.31-debian", 31, true},
}

// loaded are the lines by which each of them filled the table. since is the first version
// that knows a line.
var loaded = []struct {
	since   int
	service string
	Service
	servers map[string]Server
}{
	{24, "tcp 10.0.0.1:80", Service{Scheduler: "wlc", Timeout: 360, Mask: 24}, map[string]Server{
		"10.0.0.11:80":   {Forward: Direct, Weight: 1, Upper: 100, Lower: 80},
		"10.0.0.12:80":   {Forward: Tunnel},
		"10.0.0.13:8080": {Forward: Masq, Weight: 65535, Upper: 20},
	}},
	{24, "tcp 10.0.0.1:0", Service{Scheduler: "rr", Timeout: 60, Mask: 32}, map[string]Server{"10.0.0.11:0": {Forward: Direct, Weight: 1}}},
	{24, "tcp 200.0.0.1:443", Service{Scheduler: "lblcr"}, nil},
	{24, "udp 10.0.0.1:53", Service{Scheduler: "rr"}, map[string]Server{"10.0.0.11:53": {Forward: Masq, Weight: 3}}},
	{24, "fwm 7", Service{Scheduler: "lc"}, map[string]Server{"10.0.0.11:0": {Forward: Masq, Weight: 1}}},
	{24, "fwm 2882430849", Service{Scheduler: "rr", Timeout: 300, Mask: 32}, map[string]Server{"10.0.0.11:0": {Forward: Direct, Weight: 1}}},
	{25, "tcp [2001:db8::1]:443", Service{Scheduler: "wlc"}, map[string]Server{
		"[2001:db8::11]:443":                        {Forward: Masq, Weight: 1},
		"[2001:db8:aaaa:bbbb:cccc:dddd:eeee:5]:443": {Forward: Direct, Weight: 2, Upper: 100, Lower: 80},
	}},
	{25, "fwm6 8", Service{Scheduler: "rr", Timeout: 50, Mask: 64}, map[string]Server{"[2001:db8::11]:0": {Forward: Direct, Weight: 1}}},
	{26, "udp 10.0.0.1:514", Service{Scheduler: "rr", OnePacket: true}, nil},
	{26, "udp 10.0.0.1:5060", Service{Scheduler: "rr", Timeout: 300, Mask: 32, Engine: "sip"}, nil},
	{26, "udp 10.0.0.1:5061", Service{Scheduler: "rr", Timeout: 300, Mask: 32, Engine: "sip", OnePacket: true}, nil},
	{27, "fwm6 9", Service{Scheduler: "lc", Flags: "flag-1,flag-2,flag-3"}, nil},
	{27, "tcp 10.0.0.2:80", Service{Scheduler: "sh", Flags: "sh-fallback,sh-port"}, nil},
	{28, "tcp 10.0.0.2:80", Service{Scheduler: "sh", Flags: "sh-fallback,sh-port"}, map[string]Server{"[2001:db8::5]:80": {Forward: Tunnel, Weight: 1}}},
	{28, "sctp 10.0.0.1:9", Service{Scheduler: "rr"}, map[string]Server{"10.0.0.11:9": {Forward: Masq, Weight: 2, Upper: 7}}},
	{30, "tcp 10.0.0.3:80", Service{Scheduler: "mh", Flags: "mh-port"}, nil},
	{31, "tcp 10.0.0.3:80", Service{Scheduler: "mh", Flags: "mh-port"}, map[string]Server{
		"10.0.0.11:80": {Forward: Tunnel, Weight: 1, Tunnel: "--tun-type gue --tun-port 6080 --tun-csum"},
		"10.0.0.12:80": {Forward: Tunnel, Weight: 1, Tunnel: "--tun-type gre --tun-nocsum"},
	}},
}

// TestEveryRelease parses what each version printed of the same table.
func TestEveryRelease(t *testing.T) {
	for _, r := range releases {
		t.Run(r.folder, func(t *testing.T) {
			want := New()
			want.Timeouts = map[string]int{TimeoutTCP: 1200, TimeoutTCPFin: 60, TimeoutUDP: 90}
			put := func(k ServiceKey, addr string, v Server) {
				sk := server(k.String() + " -> " + addr)
				want.Servers[sk], want.Connections[sk] = v, Connections{}
			}
			for _, l := range loaded {
				if k := service(l.service); l.since <= r.minor {
					want.Services[k] = l.Service
					for addr, v := range l.servers {
						put(k, addr, v)
					}
				}
			}
			if r.debian {
				put(service("tcp 10.0.0.3:80"), "10.0.0.13:80", Server{Forward: Masq, Weight: 2147483647})
			}

			have := New()
			for tool, parse := range map[string]func(string, *State) error{"ipvsadm-S": parseIPVS, "ipvsadm-timeout": parseTimeouts} {
				if err := parse(captured(t, r.folder, tool), have); err != nil {
					t.Fatal(err)
				}
			}
			if err := parseThresholds(captured(t, r.folder, "ipvsadm-thresholds"), have); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, have, same); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestEveryReleaseDaemons parses what each version printed of the sync daemons. Up to 1.27
// lvsctl's script adds that a backup runs, because ipvsadm does not always print it.
func TestEveryReleaseDaemons(t *testing.T) {
	for _, r := range releases {
		master, backup := Daemon{Interface: "eth0", ID: 7}, Daemon{Interface: "eth1", ID: 9}
		beside := backup // the backup as printed beside a master
		switch {
		case r.minor == 24: // it has no --syncid
			master.ID, backup.ID, beside.ID = 0, 0, 0
		case r.minor < 27: // it prints a backup only beside a master
			backup = Daemon{}
		case r.minor == 27: // it prints the master in place of the backup
			backup, beside = Daemon{}, Daemon{}
		case r.minor > 28:
			master.Rest = "maxlen=1400, group=224.0.0.82, port=8849, ttl=4"
		}
		for which, want := range map[string]map[string]Daemon{
			"master": {DaemonMaster: master},
			"backup": {DaemonBackup: backup},
			"both":   {DaemonMaster: master, DaemonBackup: beside},
		} {
			t.Run(fmt.Sprint(r.folder, " ", which), func(t *testing.T) {
				have := New()
				if err := parseDaemons(captured(t, r.folder, "ipvsadm-daemon-"+which), have); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, have.Daemons); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

package state

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// captured is the output of a tool on a certain system, from testdata/live.
func captured(t *testing.T, system, tool string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "live", system, tool+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// same are the options by which cmp compares addresses by value.
var same = cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{}), cmpopts.EquateEmpty()}

func service(text string) ServiceKey {
	var k ServiceKey
	if err := k.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return k
}

func server(text string) ServerKey {
	var k ServerKey
	if err := k.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return k
}

func TestParseIPVSRefuses(t *testing.T) {
	if err := parseIPVS("unreadable\n", New()); err == nil {
		t.Error("no error where there is no ipvsadm")
	}
	for _, text := range []string{
		"-A",
		"-A -t",
		"-A -t 10.0.0.1:80 -s",
		"-A -t 10.0.0.1:80 -p",
		"-A -t 10.0.0.1:80 -p soon",
		"-A -t 10.0.0.1:80 -s rr -M 255.255.255",
		"-A -t 10.0.0.1:80 -s rr -p 5 -M 33",
		"-A -f 8 -6 -s rr -p 5 -M -1",
		"-A -t 10.0.0.1:80 -s rr -x 5",
		"-A -t 10.0.0.1:80 -s (null)",
		"-a -t 10.0.0.1:80 -r 10.0.0.2:80 (null) -w 1",
		"-A -t 10.0.0.1:99999 -s rr",
		"-A -t lvs.example.org:80 -s rr",
		"-A -t 2001:db8::1] -s rr",
		"-A -f seven -s rr",
		"-A -f 4294967296 -s rr",
		"-A -f -2147483649 -s rr",
		"-A --quic-service 10.0.0.1:80 -s rr",
		"-a -t 10.0.0.1:80",
		"-a -t 10.0.0.1:80 -r",
		"-a -t 10.0.0.1:80 -w 1 -r 10.0.0.2:80",
		"-a -t 10.0.0.1:80 -r 10.0.0.2:80 -w 1",
		"-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w",
		"-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w much",
		"-a -t 10.0.0.1:80 -r nowhere -g -w 1",
		"IP Virtual Server version 1.2.1 (size=4096)",
		"-D -t 10.0.0.1:80",
	} {
		t.Run(text, func(t *testing.T) {
			have := New()
			if err := parseIPVS("-A -t 10.0.0.7:80 -s rr\n"+text+"\n", have); err != nil {
				t.Fatal(err)
			}
			// The error is stored under the service that the line names. Other lines are
			// read.
			var k ServiceKey
			if strings.Contains(text, "-t 10.0.0.1:80") {
				k = service("tcp 10.0.0.1:80")
			}
			if strings.Contains(text, "-f 8 -6") {
				k = service("fwm6 8")
			}
			if why := have.Unreadable[k]; !strings.Contains(why, text) || len(have.Unreadable) != 1 {
				t.Errorf("unreadable: %v", have.Unreadable)
			}
			if _, ok := have.Services[service("tcp 10.0.0.7:80")]; !ok || len(have.Services) != 1 || len(have.Servers) != 0 {
				t.Errorf("services: %v, servers: %v", have.Services, have.Servers)
			}
		})
	}
}

func TestParseIPVS(t *testing.T) {
	for _, c := range []struct {
		name, text string
		services   map[ServiceKey]Service
		servers    map[ServerKey]Server
	}{
		{name: "nothing"},
		{
			name: "1.24: IPv4, in the kernel's order",
			text: "-A -t 10.0.0.9:80 -s wlc\n-a -t 10.0.0.9:80 -r 10.0.0.3:80 -g -w 1\n-a -t 10.0.0.9:80 -r 10.0.0.2:80 -g -w 1\n-A -t 10.0.0.1:80 -s rr\n",
			services: map[ServiceKey]Service{
				service("tcp 10.0.0.9:80"): {Scheduler: "wlc"},
				service("tcp 10.0.0.1:80"): {Scheduler: "rr"},
			},
			servers: map[ServerKey]Server{
				server("tcp 10.0.0.9:80 -> 10.0.0.2:80"): {Forward: Direct, Weight: 1},
				server("tcp 10.0.0.9:80 -> 10.0.0.3:80"): {Forward: Direct, Weight: 1},
			},
		},
		{
			name:     "after 1.31: unsigned marks",
			text:     "-A -f 2882430849 -s rr\n-a -f 2882430849 -r 10.0.0.2:0 -i -w 1 --tun-type ipip\n",
			services: map[ServiceKey]Service{service("fwm 2882430849"): {Scheduler: "rr"}},
			servers:  map[ServerKey]Server{server("fwm 2882430849 -> 10.0.0.2:0"): {Forward: Tunnel, Weight: 1}},
		},
		{
			name:     "flags in whatever order, a mask of everyone, no scheduler",
			text:     "-A -t 10.0.0.1:0 -p 9 -M 0.0.0.0 -b sh-port,sh-fallback\n",
			services: map[ServiceKey]Service{service("tcp 10.0.0.1:0"): {Scheduler: "wlc", Flags: "sh-fallback,sh-port", Timeout: 9}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, have := New(), New()
			if c.services != nil {
				want.Services = c.services
			}
			if c.servers != nil {
				want.Servers = c.servers
			}
			if err := parseIPVS(c.text, have); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, have, same); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseThresholds(t *testing.T) {
	for _, text := range []string{
		"TCP  10.0.0.1:80 rr\n  -> nowhere 1 0 0 0\n",
		"TCP  10.0.0.1:80 rr\n  -> 10.0.0.2:80 many 0 0 0\n",
		"TCP  10.0.0.1:80 rr\n  -> 10.0.0.2:80 0 few 0 0\n",
	} {
		have := New()
		if err := parseThresholds(text, have); err != nil || have.Unreadable[service("tcp 10.0.0.1:80")] == "" {
			t.Errorf("%q: error %v, unreadable %v", text, err, have.Unreadable)
		}
	}

	const (
		rules = "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1\n-a -t 10.0.0.1:80 -r 10.0.0.3:80 -i -w 1\n" +
			"-A --sctp-service 10.0.0.1:9 -s rr\n-a --sctp-service 10.0.0.1:9 -r 10.0.0.2:9 -m -w 2\n"
		// A server that was added since ipvsadm -S is left out.
		listing = "TCP  10.0.0.1:80 rr\n" +
			"  -> 10.0.0.2:80                  10         5          3          4         \n" +
			"  -> 10.0.0.3:80                  0          0          0          0         \n" +
			"  -> [2001:db8:aaaa:bbbb:cccc:dddd:eeee:5]:80 100        80         1          2         \n" +
			"SCTP 10.0.0.1:9 rr\n" +
			"  -> 10.0.0.2:9                   7          0          0          9         \n"
	)
	have := New()
	if err := parseIPVS(rules, have); err != nil {
		t.Fatal(err)
	}
	if err := parseThresholds(listing, have); err != nil {
		t.Fatal(err)
	}
	type limits struct {
		Upper, Lower int
		Connections
	}
	want := map[string]limits{
		"tcp 10.0.0.1:80 -> 10.0.0.2:80": {10, 5, Connections{3, 4}},
		"tcp 10.0.0.1:80 -> 10.0.0.3:80": {},
		"sctp 10.0.0.1:9 -> 10.0.0.2:9":  {7, 0, Connections{0, 9}},
	}
	got := map[string]limits{}
	for k, v := range have.Servers {
		got[k.String()] = limits{v.Upper, v.Lower, have.Connections[k]}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseTimeouts(t *testing.T) {
	for _, text := range []string{
		"Timeout (tcp tcpfin udp): 900 120\n",
		"Timeout (tcp tcpfin udp): 900 soon 300\n",
	} {
		if err := parseTimeouts(text, New()); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
	for text, want := range map[string]map[string]int{
		"": nil,
		"Timeout (tcp tcpfin udp): 900 120 300\n": {TimeoutTCP: 900, TimeoutTCPFin: 120, TimeoutUDP: 300},
	} {
		have := New()
		if err := parseTimeouts(text, have); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, have.Timeouts, same); d != "" {
			t.Error(d)
		}
	}
}

func TestParseDaemons(t *testing.T) {
	if err := parseDaemons("master sync daemon (mcast=eth0, syncid=all)\n", New()); err == nil {
		t.Error("no error for a sync ID that is no number")
	}
	for _, c := range []struct {
		name, text string
		want       map[string]Daemon
	}{
		{"none", "", nil},
		{"1.26", "master sync daemon (mcast=eth0, syncid=1)\n", map[string]Daemon{DaemonMaster: {Interface: "eth0", ID: 1}}},
		{
			"1.27 prints the master twice, and its kernel thread tells of the backup",
			"master sync daemon (mcast=eth0, syncid=1)\nmaster sync daemon (mcast=eth0, syncid=1)\nbackup sync daemon\n",
			map[string]Daemon{DaemonMaster: {Interface: "eth0", ID: 1}, DaemonBackup: {}},
		},
		{
			"1.29 to 1.31, defaults",
			"master sync daemon (mcast=eth0, syncid=1, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\nbackup sync daemon (mcast=eth1, syncid=0, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n",
			map[string]Daemon{DaemonMaster: {Interface: "eth0", ID: 1}, DaemonBackup: {Interface: "eth1"}},
		},
		{
			"1.29 to 1.31, more",
			"master sync daemon (mcast=bond0.100, syncid=255, maxlen=1400, group=224.0.0.90, port=8848, ttl=4)\n",
			map[string]Daemon{DaemonMaster: {Interface: "bond0.100", ID: 255, Rest: "maxlen=1400, group=224.0.0.90, ttl=4"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := New()
			if err := parseDaemons(c.text, have); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, have.Daemons, same); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestNetmask(t *testing.T) {
	for _, c := range []struct {
		key  string
		mask int
		want string
	}{
		{"tcp 10.0.0.1:80", 0, ""},
		{"tcp 10.0.0.1:80", 32, ""},
		{"tcp 10.0.0.1:80", 24, "255.255.255.0"},
		{"tcp 10.0.0.1:80", 9, "255.128.0.0"},
		{"tcp 10.0.0.1:80", 1, "128.0.0.0"},
		{"fwm 7", 24, "255.255.255.0"},
		{"fwm6 7", 128, ""},
		{"fwm6 7", 64, "64"},
		{"tcp [2001:db8::1]:80", 1, "1"},
	} {
		s := Service{Timeout: 5, Mask: c.mask}
		if have := s.netmask(service(c.key)); have != c.want {
			t.Errorf("%s mask %d: %q, not %q", c.key, c.mask, have, c.want)
		}
	}
}

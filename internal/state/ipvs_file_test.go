package state

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What each version of ipvsadm -S -n printed is read as from a node.
func TestTableFileIsATable(t *testing.T) {
	files, err := filepath.Glob("../../testdata/live/*/ipvsadm-S*.txt")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := New()
		if err := parseIPVS(string(text), want); err != nil {
			t.Fatal(err)
		}
		have := ParseTableFile(string(text))
		if d := cmp.Diff(want.Services, have.Services, same); d != "" {
			t.Errorf("%s: services (-want +have):\n%s", file, d)
		}
		if d := cmp.Diff(want.Servers, have.Servers, same); d != "" {
			t.Errorf("%s: servers (-want +have):\n%s", file, d)
		}
		if len(have.Problems) != len(want.Unreadable) {
			t.Errorf("%s: %v, and from a node %v", file, have.Problems, want.Unreadable)
		}
	}
}

// outline is a table in one way, whatever way it was written in.
func outline(f TableFile) string {
	var lines []string
	for k, v := range f.Services {
		lines = append(lines, fmt.Sprint(k, " ", v))
	}
	for k, v := range f.Servers {
		lines = append(lines, fmt.Sprint(k.Service, " -> ", k.Addr, " ", v))
	}
	for role, d := range f.Daemons {
		lines = append(lines, fmt.Sprint(role, " ", d))
	}
	for k, n := range f.Timeouts {
		lines = append(lines, fmt.Sprint(k, " ", n))
	}
	slices.Sort(lines)
	for _, p := range f.Problems {
		lines = append(lines, fmt.Sprintf("%d: %s", p.Line, p.Text))
	}
	return strings.Join(lines, "\n")
}

// Each text is another spelling of the one before it.
func TestTableFileSpellings(t *testing.T) {
	for _, spellings := range [][]string{
		{
			"-A -t 10.0.0.1:80 -s rr -p 300 -M 255.255.255.0\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 3 -x 10 -y 5\n",
			"ipvsadm -A -t 10.0.0.1:http -s rr -p300 -M 255.255.255.0\n/sbin/ipvsadm -a -t 10.0.0.1:80 -r 10.0.0.2 -w3 -x 10 -y 5\n",
			"-At 10.0.0.1:www -srr -p 300 -M255.255.255.0\r\n\n# a comment\nsudo ipvsadm -at 10.0.0.1:80 -r 10.0.0.2:8080 -g -w 3 -x10 -y5\n",
			"--add-service --tcp-service 10.0.0.1:80 --scheduler=rr --persistent=300 --netmask 255.255.255.0\n--add-server --tcp-service=10.0.0.1:80 --real-server 10.0.0.2:80 --gatewaying --weight 3 --u-threshold 10 --l-threshold=5\n",
			"-C\n-A -t 10.0.0.1:80\n-E -t 10.0.0.1:80 -s rr -p 300 -M 255.255.255.0\n-A -t 10.0.0.9:80\n-D -t 10.0.0.9:80\n-a -t 10.0.0.1:80 -r 10.0.0.2\n-e -t 10.0.0.1:80 -r 10.0.0.2 -w 3 -x 10 -y 5\n-a -t 10.0.0.1:80 -r 10.0.0.3\n-d -t 10.0.0.1:80 -r 10.0.0.3:80\n-Z\n",
			"IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\nTCP  10.0.0.1:80 rr persistent 300 mask 255.255.255.0\n  -> 10.0.0.2:80                  Route   3      0          0\nIP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn\n  -> RemoteAddress:Port\nTCP  10.0.0.1:80 rr persistent 300 mask 255.255.255.0\n  -> 10.0.0.2:http                10         5          0          0\n",
		},
		{
			"-A -u 10.0.0.1:53 -s sh -b sh-port -o\n-a -u 10.0.0.1:53 -r 10.0.0.2:5353 -m -w 1\n",
			"-A -u 10.0.0.1:domain -s sh -b sh-port ops\n-a -u 10.0.0.1:53 -r 10.0.0.2:mdns -m\n",
			"UDP  10.0.0.1:53 sh (sh-port) ops\n  -> 10.0.0.2:5353                Masq    1      0          0\n",
		},
		{
			"-A -f 7 -6 -s wlc -p 360\n-a -f 7 -6 -r [2001:db8::2]:0 -i -w 1\n",
			"-A -f 0x7 -6 -p\n-a -f 07 -6 -r 2001:db8::2 -i\n",
			"--add-service --fwmark-service=0x00000007 --ipv6 --persistent\n--add-server -f7 --ipv6 --real-server=[2001:db8::2] --ipip\n",
			"-A -f 7 -6 -p\n-a -f 7 -6 -r [2001:db8::2]:0 -i\n",
			"FWM  7 IPv6 wlc persistent 360\n  -> [2001:db8::2]:0              Tunnel  1      0          0\n",
		},
		{
			"-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum\n-a -t 10.0.0.1:80 -r 10.0.0.3:80 -i -w 1 --tun-type gre --tun-nocsum\n-a -t 10.0.0.1:80 -r 10.0.0.4:80 -i -w 1 --tun-type ipip\n",
			"-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-remcsum --tun-port=6080 --tun-type=gue\n-a -t 10.0.0.1:80 -r 10.0.0.3 --tun-type gre -i\n-a -t 10.0.0.1:80 -r 10.0.0.4 -i\n",
			"TCP  10.0.0.1:80 rr\n  -> 10.0.0.2:80                  Tunnel  gue:6080:r+c   1      0          0\n  -> 10.0.0.3:80                  Tunnel  gre:-c         1      0          0\n  -> 10.0.0.4:80                  Tunnel  ipip           1      0          0\n",
		},
		{
			"--set 900 120 300\n--start-daemon master --mcast-interface eth1 --syncid 5\n",
			"Timeout (tcp tcpfin udp): 900 120 300\nmaster sync daemon (mcast=eth1, syncid=5)\n",
		},
	} {
		want := outline(ParseTableFile(spellings[0]))
		for _, text := range spellings[1:] {
			if d := cmp.Diff(want, outline(ParseTableFile(text))); d != "" {
				t.Errorf("%q (-want +have):\n%s", text, d)
			}
		}
	}
}

func TestTableFileProblems(t *testing.T) {
	for text, want := range map[string]string{
		"-A -t www.example.com:80 -s rr":                                                      `1: "www.example.com:80" has the name of a host`,
		"-A -t 10.0.0.1:nosuch":                                                               `1: "10.0.0.1:nosuch" has the port "nosuch", which is not known here`,
		"-A -t 10.0.0.1:80 -p 60 -M 24":                                                       "1: -M 24 is the mask 0.0.0.24",
		"-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m":                                                 "1: its service was not added before it",
		"-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gue":                  "2: gue needs --tun-port",
		"-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gre --tun-port 1":     "2: gue needs --tun-port, and no other tunnel has it",
		"-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type vxlan":                `2: unknown tunnel type "vxlan"`,
		"-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gue --tun-port 70000": `2: bad tunnel port "70000"`,
		"TCP  10.0.0.1:80 rr\n-> 10.0.0.2:80 Tunnel gue:6080:x 1 0 0":                         `2: unknown tunnel "gue:6080:x"`,
		"-A -s rr":                              "1: it names no service",
		"--frobnicate":                          `1: unknown option "--frobnicate"`,
		"-A -q":                                 `1: unknown option "-q"`,
		"VIP=10.0.0.1":                          "1: ipvsadm neither takes nor prints such a line",
		"TCP  lvs.exam:http rr":                 `1: "lvs.exam:http" has the name of a host`,
		"TCP  10.0.0.1:80 rr\n-> 10.0.0.2:80 1": "2: it has no forwarding method and no weight",
		"TCP  10.0.0.1:80 rr\n->":               "2: it names no server",
		"-t 10.0.0.1:80":                        "1: it has no command",
	} {
		have := ParseTableFile(text)
		if lines := strings.Split(outline(have), "\n"); !strings.Contains(outline(have), want) {
			t.Errorf("%q: want %s, have %q", text, want, lines)
		}
	}
	have := ParseTableFile("-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r web1:80\n")
	if k := (ServiceKey{Protocol: TCP, Addr: netip.MustParseAddrPort("10.0.0.1:80")}); len(have.Problems) != 1 || have.Problems[0].Service != k || have.Lines[k] != 1 {
		t.Errorf("have %+v", have)
	}
}

func FuzzParseTableFile(f *testing.F) {
	seed(f, "ipvsadm-S", "ipvsadm-thresholds", "ipvsadm-daemon")
	f.Add("ipvsadm --tcp-service=1.1.1.1:www -Ap\n-at 1.1.1.1:80 -r[::1]:1 -w=1\nFWM 1 IPv6 rr (a) mask 1\n-> 1.1.1.1:1 Route gue:1 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		file := ParseTableFile(text)
		for k := range file.Servers {
			if _, ok := file.Services[k.Service]; !ok {
				t.Fatalf("%v has no service", k)
			}
		}
	})
}

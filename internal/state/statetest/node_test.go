package statetest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state/statetest"
)

// line makes a command of a line as a person types it.
func line(text string) shell.Command {
	if value, key, ok := strings.Cut(text, " > "); ok {
		return shell.Command{Args: []string{"printf", `%s\n`, value}, To: key}
	}
	words := strings.Fields(text)
	if strings.HasPrefix(text, "lvsctl_") {
		return shell.Call(shell.Function(words[0]), words[1:]...)
	}
	return shell.Cmd(words...)
}

// prepared is a node with a LAN, a virtual service and an entry of most kinds.
func prepared(t *testing.T, commands ...string) *statetest.Node {
	t.Helper()
	n := statetest.New()
	n.AddLink("eth0", true)
	for _, c := range append([]string{
		"ip -4 addr add 10.1.0.5/24 dev eth0",
		"ip -4 route add default via 10.1.0.254 dev eth0",
		"modprobe ip_vs",
		"ipvsadm -A -t 10.0.0.1:80 -s sh -b sh-port -p 50",
		"ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.11:80 -m -w 5 -x 10 -y 5",
		"ipvsadm --start-daemon master --mcast-interface eth0 --syncid 1",
	}, commands...) {
		if err := n.Exec(line(c)); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestRefusals has commands that the kernel or a tool refuses. The model must refuse them
// too, and be unchanged.
func TestRefusals(t *testing.T) {
	for _, c := range []string{
		"ifconfig eth0 up",
		"ip addr flush dev eth0",
		"ip -4 addr flush dev eth0",
		"ip -4 addr add 10.1.0.5/24 dev eth0",
		"ip -4 addr add 10.1.0.6/24 dev eth7",
		"ip -4 addr add 10.1.0.6/24 dev eth0 label vip",
		"ip -4 addr add 10.1.0.6/24 dev eth0 label eth0:averylonglabel",
		"ip -4 addr add fd00::1/64 dev eth0",
		"ip -4 addr del 10.1.0.5/32 dev eth0",
		"ip -6 addr add ::1/64 dev lo",
		"ip link set dev eth7 up",
		"ip link set dev eth0 sideways",
		"ip -4 route add default via 10.1.0.254 dev eth0",
		"ip -4 route add 10.9.0.0/16 via 10.2.0.1 dev eth0",
		"ip -4 route add 10.9.0.1/16 via 10.1.0.1 dev eth0",
		"ip -4 route add 10.9.0.0/16 via 10.1.0.1 dev eth7",
		"ip -4 route del 10.9.0.0/16",
		"ip -4 route del default via 10.1.0.1 dev eth0",
		"ip -4 route add 10.9.0.0/16 via 10.1.0.1 dev eth0 metric",
		"ip -4 route add 10.9.0.0/16 via 10.1.0.1 dev eth0 weight 5",
		"1 > /proc/sys/net/ipv4/conf/eth7/forwarding",
		"1 > /etc/passwd",
		"modprobe ip_vs_nowhere",
		"ipvsadm -C",
		"ipvsadm -A -t 10.0.0.1:80 -s rr",
		"ipvsadm -A -t 10.0.0.2:80 -s nowhere",
		"ipvsadm -A -t 10.0.0.2:80 -s rr -b sh-port",
		"ipvsadm -A -t 10.0.0.2:0 -s rr",
		"ipvsadm -A -t 10.0.0.2:80 -s rr -o",
		"ipvsadm -A -t 10.0.0.2:80 -s rr -p 9 -M 24",
		"ipvsadm -A -t [fd00::1]:80 -s rr -p 9 -M 129",
		"ipvsadm -A -M 64 -t [fd00::1]:80 -s rr -p 9",
		"ipvsadm -A -6 -f 5 -s rr",
		"ipvsadm -A -f 0 -s rr",
		"ipvsadm -E -t 10.0.0.2:80 -s rr",
		"ipvsadm -D -t 10.0.0.2:80",
		"ipvsadm -a -t 10.0.0.2:80 -r 10.1.0.11:80 -g -w 1",
		"ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.11:80 -g -w 1",
		"ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.12:80 -g -w 65536",
		"ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.12:80 -g -w -1",
		"ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.12:80 -g -x 5 -y 6",
		"ipvsadm -a -t 10.0.0.1:80 -r [fd00::2]:80 -g",
		"ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.12:80 -g --tun-type gue --tun-port 6080",
		"ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.12:80 -i --tun-type gue",
		"ipvsadm -e -t 10.0.0.1:80 -r 10.1.0.12:80 -g",
		"ipvsadm -d -t 10.0.0.1:80 -r 10.1.0.12:80",
		"ipvsadm -a -t 10.0.0.1:80",
		"ipvsadm --start-daemon master --mcast-interface eth0 --syncid 1",
		"ipvsadm --start-daemon backup --mcast-interface eth7 --syncid 1",
		"ipvsadm --stop-daemon backup",
		"iptables -w -t nat -D POSTROUTING -j MASQUERADE",
		"iptables -t nat -A POSTROUTING -j MASQUERADE",
		"lvsctl_install apk ipvsadm",
		"lvsctl_drain 10.1.0.12:80 5 active -t 10.0.0.1:80",
	} {
		t.Run(c, func(t *testing.T) {
			n := prepared(t)
			before := n.Dump()
			if err := n.Exec(line(c)); err == nil {
				t.Error("no error")
			}
			if d := cmp.Diff(before, n.Dump()); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestSideEffects has commands with side effects in the kernel. The model must have the
// same.
func TestSideEffects(t *testing.T) {
	for _, c := range []struct {
		name    string
		version int
		do      []string
		want    []string // the lines of the dump that change
	}{
		{"an edit without weight, method and thresholds", 31, []string{"ipvsadm -e -t 10.0.0.1:80 -r 10.1.0.11:80"}, []string{
			"- server -t 10.0.0.1:80 {Addr:10.1.0.11:80 Forward:-m Weight:5 Upper:10 Lower:5 Tunnel:}",
			"+ server -t 10.0.0.1:80 {Addr:10.1.0.11:80 Forward:-g Weight:1 Upper:0 Lower:0 Tunnel:}",
		}},
		{"an edit of a service without anything", 31, []string{"ipvsadm -E -t 10.0.0.1:80"}, []string{
			"- service -t 10.0.0.1:80 {Scheduler:sh Flags:[sh-port] Timeout:50 Mask: Engine: OnePacket:false Servers:[]}",
			"+ service -t 10.0.0.1:80 {Scheduler:wlc Flags:[] Timeout:0 Mask: Engine: OnePacket:false Servers:[]}",
		}},
		{"another port with direct routing", 31, []string{"ipvsadm -a -t 10.0.0.1:80 -r 10.1.0.12:8080 -g"}, []string{
			"+ server -t 10.0.0.1:80 {Addr:10.1.0.12:80 Forward:-g Weight:1 Upper:0 Lower:0 Tunnel:}",
		}},
		{"a service goes with its servers", 31, []string{"ipvsadm -D -t 10.0.0.1:80"}, []string{
			"- server -t 10.0.0.1:80 {Addr:10.1.0.11:80 Forward:-m Weight:5 Upper:10 Lower:5 Tunnel:}",
			"- service -t 10.0.0.1:80 {Scheduler:sh Flags:[sh-port] Timeout:50 Mask: Engine: OnePacket:false Servers:[]}",
		}},
		{"forwarding", 31, []string{"1 > /proc/sys/net/ipv4/ip_forward"}, []string{
			"- sysctl net/ipv4/conf/all/accept_redirects = 1", "- sysctl net/ipv4/conf/all/forwarding = 0",
			"- sysctl net/ipv4/conf/default/forwarding = 0", "- sysctl net/ipv4/conf/eth0/forwarding = 0",
			"- sysctl net/ipv4/conf/lo/forwarding = 0", "- sysctl net/ipv4/ip_forward = 0",
			"+ sysctl net/ipv4/conf/all/accept_redirects = 0", "+ sysctl net/ipv4/conf/all/forwarding = 1",
			"+ sysctl net/ipv4/conf/default/forwarding = 1", "+ sysctl net/ipv4/conf/eth0/forwarding = 1",
			"+ sysctl net/ipv4/conf/lo/forwarding = 1", "+ sysctl net/ipv4/ip_forward = 1",
		}},
		{"forwarding that is off already", 31, []string{"1 > /proc/sys/net/ipv4/conf/eth0/forwarding", "0 > /proc/sys/net/ipv4/ip_forward"}, []string{
			"- sysctl net/ipv4/conf/eth0/forwarding = 0", "+ sysctl net/ipv4/conf/eth0/forwarding = 1",
		}},
		{"a default, on a device with an address", 31, []string{"2 > /proc/sys/net/ipv4/conf/default/rp_filter"}, []string{
			"- sysctl net/ipv4/conf/default/rp_filter = 0", "+ sysctl net/ipv4/conf/default/rp_filter = 2",
		}},
		{"the first address of a subnet", 31, []string{"ip -4 addr add 10.1.0.6/24 dev eth0", "ip -4 addr del 10.1.0.5/24 dev eth0"}, []string{
			"- address 10.1.0.5/24 dev eth0 label eth0",
		}},
		{"the source of a route", 31, []string{
			"ip -4 addr add 10.8.0.1/32 dev eth0", "ip -4 route add 10.9.0.0/16 via 10.1.0.1 dev eth0 src 10.8.0.1", "ip -4 addr del 10.8.0.1/32 dev eth0",
		}, nil},
		{"a device that goes down", 31, []string{"ip link set dev eth0 down"}, []string{
			"- link eth0 up=true", "- route {Dst:0.0.0.0/0 Metric:0 Type: Via:10.1.0.254 Dev:eth0 Rest: Table:}", "+ link eth0 up=false",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := prepared(t)
			n.IPVSADM = c.version
			before := n.Dump()
			for _, command := range c.do {
				if err := n.Exec(line(command)); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(c.want, changed(before, n.Dump())); d != "" {
				t.Error(d)
			}
		})
	}
}

// changed returns the lines that only one of two dumps has.
func changed(before, after []string) []string {
	count := map[string]int{}
	for _, l := range after {
		count[l]++
	}
	var list []string
	for _, l := range before {
		if count[l]--; count[l] < 0 {
			list = append(list, "- "+l)
		}
	}
	for _, l := range after {
		if count[l] > 0 {
			list = append(list, "+ "+l)
		}
	}
	return list
}

func TestTable(t *testing.T) {
	n := prepared(t,
		"ipvsadm -A -u 10.0.0.1:53 -s rr -p 9 --pe sip -o",
		"ipvsadm -a -u 10.0.0.1:53 -r 10.1.0.11:53 -i -w 2",
		"ipvsadm -A -f 3000000000 -6 -s rr")
	for version, want := range map[int]string{
		26: "-A -f -1294967296 -6 -s rr\n" +
			"-A -t 10.0.0.1:80 -s sh -p 50 -b sh-port\n-a -t 10.0.0.1:80 -r 10.1.0.11:80 -m -w 5\n" +
			"-A -u 10.0.0.1:53 -s rr -p 9 pe sip ops\n-a -u 10.0.0.1:53 -r 10.1.0.11:53 -i -w 2\n",
		31: "-A -f -1294967296 -6 -s rr\n" +
			"-A -t 10.0.0.1:80 -s sh -p 50 -b sh-port\n-a -t 10.0.0.1:80 -r 10.1.0.11:80 -m -w 5\n" +
			"-A -u 10.0.0.1:53 -s rr -p 9 --pe sip -o\n-a -u 10.0.0.1:53 -r 10.1.0.11:53 -i -w 2 --tun-type ipip\n",
		32: "-A -f 3000000000 -6 -s rr\n" +
			"-A -t 10.0.0.1:80 -s sh -p 50 -b sh-port\n-a -t 10.0.0.1:80 -r 10.1.0.11:80 -m -w 5\n" +
			"-A -u 10.0.0.1:53 -s rr -p 9 --pe sip -o\n-a -u 10.0.0.1:53 -r 10.1.0.11:53 -i -w 2 --tun-type ipip\n",
	} {
		n.IPVSADM = version
		if d := cmp.Diff(want, n.Table()); d != "" {
			t.Errorf("ipvsadm 1.%d: %s", version, d)
		}
	}
}

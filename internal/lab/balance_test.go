package lab

import (
	"strings"
	"testing"
)

// quietARP sets the ARP parameters that a real server needs before it gets a VIP.
const quietARP = "for i in all lo; do echo 1 > /proc/sys/net/ipv4/conf/$i/arp_ignore; echo 2 > /proc/sys/net/ipv4/conf/$i/arp_announce; done\n"

// balanced requests a URL four times from the client. Each real server must answer
// twice and see the address from.
func balanced(t *testing.T, l *Lab, url, from string) {
	t.Helper()
	have := on(t, l, "client", "for i in 1 2 3 4; do curl -sS --max-time 20 -D /tmp/head "+url+"; grep -i ^x-client: /tmp/head | tr -d '\\r'; done")
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
	// The kernel itself loads the scheduler's module.
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

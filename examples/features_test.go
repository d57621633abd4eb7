package examples_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// request is four requests to one URL, and how often each real server must answer.
type request struct {
	// to is a URL, or "udp ADDRESS PORT".
	to      string
	answers map[string]int
	// from is the address that the real servers must see; "" if it does not matter.
	from string
}

// feature is what to expect of a topology below testdata.
type feature struct {
	name     string
	hosts    []string // the director first
	client   string
	requests []request
	// more checks what else it shows, while it is applied.
	more func(*cluster)
	// spoil is a script that changes the director by hand. found are the lines of the
	// plan that repairs it, with single blanks.
	spoil string
	found []string
	// foreign are changes of spoil that are not the topology's, and stay to the end.
	foreign []string
	// added is how many things an import of it would add: hosts files that say the same in
	// another order, or less.
	added int
}

var features = []feature{
	{
		name: "everything", added: 3,
		hosts: []string{"lvs", "router", "web-1", "web-2", "app-1", "app-2", "far"}, client: "client",
		requests: []request{
			{to: "udp 10.1.0.100 53", answers: map[string]int{"web-1": 2, "web-2": 2}},
			{to: "http://10.1.0.102/", answers: map[string]int{"web-1": 2, "web-2": 2}},
			{to: "http://10.1.0.102:443/", answers: map[string]int{"web-1": 2, "web-2": 2}},
			{to: "http://10.1.0.102:8010/", answers: map[string]int{"web-1": 2, "web-2": 2}},
			{to: "udp 10.1.0.102 53", answers: map[string]int{"web-1": 2, "web-2": 2}},
			{to: "http://10.1.0.103/", answers: map[string]int{"app-1": 2, "app-2": 2}, from: "10.2.0.2"},
			{to: "udp 10.1.0.103 53", answers: map[string]int{"app-1": 2, "app-2": 2}},
			{to: "http://10.1.0.104:81/", answers: map[string]int{"app-1": 2, "app-2": 2}, from: "10.2.0.2"},
			{to: "http://10.1.0.105/", answers: map[string]int{"web-1": 1, "app-1": 1, "far": 1, "lvs": 1}},
			{to: "http://10.1.0.106/", answers: map[string]int{"web-1": 4}, from: "10.9.0.9"},
			{to: "http://10.1.0.107/", answers: map[string]int{"far": 4}, from: "10.9.0.9"},
		},
		more: func(c *cluster) {
			c.oneServer("http://10.1.0.101/", "http://10.1.0.101:443/")
			c.calls("10.1.0.108")
			c.announces("10.1.0.107", 1400)
			c.holds("app-1", "ping -c 1 -W 2 lvs", "(10.2.0.2)")
			c.holds("lvs", "ipvsadm -L --timeout; ipvsadm -L --daemon", "1200 60 ", "master sync daemon (mcast=eth0, syncid=7", "backup sync daemon (mcast=eth0, syncid=7")
			c.holds("lvs", "ipvsadm -S -n", "-A --sctp-service 10.1.0.100:90 -s rr\n", "-A -t 10.1.0.101:0 -s rr -p 60 -M 255.255.255.0\n", "-A -f 12 -s wlc\n")
		},
		spoil: `iptables -t mangle -D PREROUTING 1
iptables -t nat -A POSTROUTING -m ipvs --vproto 6 --vaddr 10.1.0.103 --vport 80 --vmethod MASQ -m comment --comment lvsctl:everything:full:masquerade -j MASQUERADE
iptables -t nat -A POSTROUTING -m comment --comment lvsctl:other:full:masquerade -j RETURN
iptables -t nat -A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE
sed -i s/web-2/web-9/ /etc/hosts
ipvsadm --set 300 0 99
ipvsadm --stop-daemon backup
ipvsadm -A -t 10.1.0.2:99 -s rr`,
		found: []string{
			"+ rule ip mangle PREROUTING lvsctl:everything:full-marked:tcp -d 10.1.0.104 -p tcp -m multiport --dports 80,81 -j MARK --set-xmark 0xd/0xffffffff (drift)",
			"- rule ip nat POSTROUTING lvsctl:everything:full:masquerade (copy 1) -m ipvs --vproto 6 --vaddr 10.1.0.103 --vport 80 --vmethod MASQ -j MASQUERADE (drift)",
			"~ file /etc/hosts 8 lines, changed (drift)",
			"~ timeout tcp 300s -> 1200s (drift)",
			"+ sync backup dev eth0 id 7 (drift)",
			"- service tcp 10.1.0.2:99 rr",
		},
		foreign: []string{
			"-A POSTROUTING -m comment --comment \"lvsctl:other:full:masquerade\" -j RETURN\n",
			"-A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE\n",
			"-A -t 10.1.0.2:99 -s rr\n",
			"TCP  10.1.0.2:99 rr\n",
		},
	},
	{
		name: "ipv6", added: 1,
		hosts: []string{"lvs", "gate", "router", "web-1", "web-2", "app-1", "far", "inner-1", "inner-2"}, client: "client",
		requests: []request{
			{to: "http://[fd00:1::100]/", answers: map[string]int{"web-1": 2, "web-2": 2}, from: "fd00:9::9"},
			{to: "http://[fd00:1::101]/", answers: map[string]int{"web-1": 2, "far": 2}, from: "fd00:9::9"},
			{to: "http://[fd00:1::102]/", answers: map[string]int{"app-1": 2, "app-2": 2}, from: "fd00:2::2"},
			{to: "http://[fd00:1::104]/", answers: map[string]int{"inner-1": 2, "inner-2": 2}, from: "fd00:9::9"},
		},
		more: func(c *cluster) {
			c.oneServer("http://[fd00:1::103]/", "http://[fd00:1::103]:8004/")
			c.announces("fd00:1::101", 1400)
			// The VIP, which is the newest IPv6 address, is not the source of the director's
			// own traffic.
			c.holds("lvs", "ip -6 route get fd00:9::9", "src fd00:1::2 ")
		},
		spoil: `ip6tables -t nat -D POSTROUTING 1
ip -6 addr del fd00:1::100/128 dev eth0
echo 0 > /proc/sys/net/ipv6/conf/all/forwarding`,
		found: []string{
			"+ rule ip6 nat POSTROUTING lvsctl:ipv6:full:masquerade -m ipvs --vproto 6 --vaddr fd00:1::102 --vport 80 --vmethod MASQ -j MASQUERADE (drift)",
			"+ address fd00:1::100/128 dev eth0 (drift)",
			"~ sysctl net.ipv6.conf.all.forwarding 0 -> 1 (drift)",
		},
	},
	{
		name:  "tunnels",
		hosts: []string{"lvs", "router", "near", "far"}, client: "client",
		requests: []request{
			{to: "http://10.1.0.100/", answers: map[string]int{"near": 2, "far": 2}, from: "10.9.0.9"},
			{to: "http://10.1.0.101/", answers: map[string]int{"near": 2, "far": 2}, from: "10.9.0.9"},
			{to: "http://10.1.0.102/", answers: map[string]int{"near": 2, "far": 2}, from: "10.9.0.9"},
			{to: "http://10.1.0.103/", answers: map[string]int{"near": 2, "far": 2}, from: "10.9.0.9"},
			{to: "http://[fd00:1::100]/", answers: map[string]int{"near": 2, "far": 2}, from: "fd00:9::9"},
			{to: "http://[fd00:1::101]/", answers: map[string]int{"near": 2, "far": 2}, from: "fd00:9::9"},
		},
		more: func(c *cluster) {
			c.announces("10.1.0.102", 1420)
			c.holds("lvs", "ipvsadm -S -n",
				"-a -t 10.1.0.100:80 -r 10.1.0.11:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum\n",
				"-a -t 10.1.0.101:80 -r 10.1.0.11:80 -i -w 1 --tun-type gre --tun-nocsum\n",
				"-a -t 10.1.0.102:80 -r 10.1.0.11:80 -i -w 1 --tun-type ipip\n",
				"-a -t 10.1.0.102:80 -r 10.3.0.11:80 -i -w 1 --tun-type gue --tun-port 6081 --tun-csum\n",
				"-a -t 10.1.0.103:80 -r 10.3.0.11:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum\n")
			// What the node's boot runs opens the ports too, and leaves open ones alone. found
			// has nothing of this node.
			c.holds("far", "ip fou del port 6080; sh /etc/lvsctl/tunnels.sh && sh /etc/lvsctl/tunnels.sh && ip fou show", "port 6080 gue\n", "port 6081 gue\n", "port 6080 gue -6\n")
			c.sh("near", "ip fou del port 6080; ip link set gre0 down; ip -6 fou del port 6080; ip fou add port 6080 ipproto 4")
		},
		spoil: `ipvsadm -e -t 10.1.0.100:80 -r 10.1.0.11:80 -i -w 1
ipvsadm -e -t 10.1.0.101:80 -r 10.3.0.11:80 -i -w 1 --tun-type gue --tun-port 6080
ipvsadm -e -t 10.1.0.103:80 -r 10.3.0.11:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum`,
		found: []string{
			"~ fou port 6080 ipproto 4 -> gue (drift)",
			"+ fou port 6080 IPv6 gue (drift)",
			"~ link gre0 down -> up (drift)",
			"~ server tcp 10.1.0.100:80 -> 10.1.0.11:80 tun weight 1 -> tun weight 1 --tun-type gue --tun-port 6080 --tun-nocsum (drift)",
			"~ server tcp 10.1.0.101:80 -> 10.3.0.11:80 tun weight 1 --tun-type gue --tun-port 6080 --tun-nocsum -> tun weight 1 --tun-type gre --tun-nocsum (drift)",
			"~ server tcp 10.1.0.103:80 -> 10.3.0.11:80 tun weight 1 --tun-type gue --tun-port 6080 --tun-csum -> tun weight 1 --tun-type gue --tun-port 6080 --tun-remcsum (drift)",
		},
	},
	pairs,
}

func TestFeatures(t *testing.T) {
	var topologies []string
	for _, f := range features {
		topologies = append(topologies, "testdata/"+f.name)
	}
	clusters := startAll(t, append(topologies, "testdata/schedulers", faultyTopology(t)), besideOthers)
	// As in TestExamples, the plans that must load nothing are made first.
	before := make([]map[string]string, len(features))
	for n, f := range features {
		t.Run(f.name+" planned", func(t *testing.T) { before[n] = f.planned(clusters[n].in(t)) })
	}
	for n, f := range features {
		t.Run(f.name, func(t *testing.T) { f.test(clusters[n].in(t), before[n]) })
	}
	t.Run("schedulers", func(t *testing.T) { everyScheduler(clusters[len(features)].in(t)) })
	t.Run("a faulty director", func(t *testing.T) { faultyDirector(clusters[len(features)+1].in(t)) })
}

// unread prints the modules that a plan must not load. Reading a node's rules by the wrong
// tool would.
const unread = `grep -E '^(ip_vs|ip_tables|ip6_tables|nf_tables|nfnetlink|ipip|ip6_tunnel|ip_gre|ip6_gre|fou) ' /proc/modules || :`

// planned makes the first plan and checks that it has changed nothing on the nodes. It
// returns their snapshots.
func (f feature) planned(c *cluster) map[string]string {
	director := f.hosts[0]
	c.sh(director, `printf '192.0.2.1 last' >> /etc/hosts; chmod 640 /etc/hosts`)
	before := c.each(f.hosts, shot)
	c.plan(2)
	if have := c.sh(director, unread); have != "" {
		c.Errorf("planning loaded modules:\n%s", have)
	}
	if diff := cmp.Diff(before, c.each(f.hosts, shot)); diff != "" {
		c.Fatalf("planning changed a node (-before +after):\n%s", diff)
	}
	return before
}

// test applies the topology, repairs what is changed by hand, and destroys it.
func (f feature) test(c *cluster, before map[string]string) {
	director := f.hosts[0]
	c.apply(0)
	c.plan(0)
	f.answered(c)
	c.imported(f.added, f.hosts...)
	f.more(c)

	c.sh(director, f.spoil)
	c.finds(f.found)
	c.apply(0)
	c.plan(0)
	f.answered(c)

	c.destroy(0)
	after := c.each(f.hosts, shot)
	// The foreign entries are there: those that were never touched, and those that
	// exclusive had removed.
	for _, foreign := range f.foreign {
		if !strings.Contains(after[director], foreign) {
			c.Errorf("destroy does not give back, or leave alone, %s", foreign)
		}
		after[director] = strings.Replace(after[director], foreign, "", 1)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		c.Errorf("destroy does not give back the state before (-before +after):\n%s", diff)
	}
}

// shot is snapshot, and what else these topologies set. It leaves out what stays after a
// destroy: what came with a module, and a table without rules. It also leaves out the
// timeout of UDP, which is changed by hand and not the topology's.
const shot = `ip -o addr show | sed 's/valid_lft.*//; s/ tentative//'
ip route show
ip -6 route show
cd /proc/sys/net
grep '' ipv4/ip_forward ipv6/conf/all/forwarding ipv4/conf/*/* | grep -v -e /tunl0/ -e /ip6tnl0/ -e /gre0/ -e /ip6gre0/ -e /gretap0/ -e /erspan0/ -e /mc_forwarding
[ ! -e ipv4/vs ] || grep -v -e '^0$' ipv4/vs/conntrack
[ ! -e /sys/module/fou ] || ip fou show
[ ! -e /proc/net/ip_vs ] || { ipvsadm -S -n; ipvsadm -L -n --thresholds | tail -n +4; ipvsadm -L --daemon; }
[ ! -e /proc/net/ip_vs ] || ipvsadm -L --timeout | grep -v ' 900 120 '
for t in ip ip6; do
  [ ! -e /proc/net/${t}_tables_names ] || ${t}tables-legacy-save | grep ^-A
  [ ! -e /sys/module/nf_tables ] || ${t}tables-nft-save | grep ^-A
done
find /etc /var/lib/lvsctl -type f 2>/dev/null | sort | xargs md5sum
ls -l /etc/hosts | cut -d ' ' -f 1
:`

// answered makes all requests by one command, and compares who answered.
func (f feature) answered(c *cluster) {
	c.Helper()
	var script strings.Builder
	script.WriteString("get() { " + closing + ` -gi "$1" "$1" "$1" "$1" | sed -n 's/\r$//; s/^X-Client: /from /p; /^HTTP\|^from\|: \|^$/!p'; }
datagram() { timeout 5 bash -c 'for i in 1 2 3 4; do exec 3<>/dev/udp/'"$1/$2"'; echo >&3; head -n 1 <&3; done'; }
`)
	for _, r := range f.requests {
		if words := strings.Fields(r.to); words[0] == "udp" {
			fmt.Fprintf(&script, "datagram %s %s 2>&1; echo end\n", words[1], words[2])
		} else {
			fmt.Fprintf(&script, "get '%s' 2>&1; echo end\n", r.to)
		}
	}
	answers := strings.Split(c.sh(f.client, script.String()), "end\n")
	for i, r := range f.requests {
		have := map[string]int{}
		for line := range strings.Lines(answers[i]) {
			line = strings.TrimSpace(line)
			if from, ok := strings.CutPrefix(line, "from "); !ok {
				have[line]++
			} else if r.from != "" && from != r.from {
				c.Errorf("%s: a real server sees %s instead of %s", r.to, from, r.from)
			}
		}
		if diff := cmp.Diff(r.answers, have); diff != "" {
			c.Errorf("answers of %s (-want +have):\n%s", r.to, diff)
		}
	}
}

// oneServer checks that one real server answers all requests of a client, on every port.
func (c *cluster) oneServer(urls ...string) {
	c.Helper()
	have := map[string]int{}
	for _, u := range urls {
		for who, n := range c.ask("client", u, 3) {
			have[who] += n
		}
	}
	if len(have) != 1 {
		c.Errorf("%v are not answered by one server: %v", urls, have)
	}
}

// calls checks that each SIP call stays with one server, and that both servers get calls.
func (c *cluster) calls(vip string) {
	c.Helper()
	have := map[string]bool{}
	for call := range 4 {
		out := c.sh("client", fmt.Sprintf(`printf 'OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c\r\nCall-ID: call-%d@c\r\nCSeq: 1 OPTIONS\r\n\r\n' >/tmp/sip
for i in 1 2 3; do timeout 5 bash -c 'exec 3<>/dev/udp/%s/5060; dd bs=2000 if=/tmp/sip status=none >&3; head -n 1 <&3'; done`, call, vip))
		who := strings.Fields(out)
		if len(who) != 3 || len(slices.Compact(slices.Clone(who))) != 1 {
			c.Errorf("call %d is answered by %v", call, who)
			continue
		}
		have[who[0]] = true
	}
	if len(have) != 2 {
		c.Errorf("all calls go to one server: %v", have)
	}
}

// announces checks that a real server's SYN-ACK announces a smaller MSS. The kernel's value
// does not include the twelve bytes of the timestamps.
func (c *cluster) announces(vip string, mss int) {
	c.Helper()
	have := c.sh("client", fmt.Sprintf("bash -c 'exec 3<>/dev/tcp/%s/80; ss -tin dst [%[1]s]'", vip))
	if want := fmt.Sprintf("mss:%d ", mss-12); !strings.Contains(have, want) {
		c.Errorf("a connection to %s has no %s:\n%s", vip, want, have)
	}
}

// holds checks that a script prints texts.
func (c *cluster) holds(host, script string, texts ...string) {
	c.Helper()
	have := c.sh(host, script)
	for _, text := range texts {
		if !strings.Contains(have, text) {
			c.Errorf("%s: %s does not print %q:\n%s", host, script, text, have)
		}
	}
}

// finds checks that a plan has exactly these lines of changes.
func (c *cluster) finds(want []string) {
	c.Helper()
	var have []string
	for line := range strings.Lines(c.plan(2)) {
		if words := strings.Fields(line); len(words) > 0 && strings.Contains("+-~", words[0]) {
			have = append(have, strings.Join(words, " "))
		}
	}
	slices.Sort(have)
	want = slices.Clone(want)
	slices.Sort(want)
	if diff := cmp.Diff(want, have); diff != "" {
		c.Errorf("the plan's changes (-want +have):\n%s", diff)
	}
}

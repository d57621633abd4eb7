package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// others is a script for what the director has from others: legacy iptables with rules, a
// parameter that overrides one of the topology's, and several programs that manage the
// IPVS table.
const others = `set -e
cd /usr/sbin
for t in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do ln -sf xtables-legacy-multi $t; done
iptables -t nat -A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE
iptables -A FORWARD -d 203.0.113.0/24 -m comment --comment lvsctl:other:s:x -j DROP
ip6tables -t nat -A POSTROUTING -s 2001:db8::/32 -j MASQUERADE
echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter
modprobe ip_vs
ipvsadm -A -t 10.1.0.2:25 -s nq
mkdir -p /etc/keepalived /run/docker/netns
echo 'virtual_server 10.1.0.2 25 { }' >/etc/keepalived/keepalived.conf
ip link add kube-ipvs0 type dummy
touch /run/docker/netns/ingress_sbox
`

// pretend is a shell function that runs a process under a name. The process only waits.
const pretend = `pretend() { cp /usr/bin/bash /tmp/$1; setsid /tmp/$1 -c "sleep 3600; :" </dev/null >/dev/null 2>&1 & }
`

// TestSurroundings applies on nodes that others use too. A plan names what matters of that,
// and it stays as it was before, during and after an apply.
func TestSurroundings(t *testing.T) {
	c := start(t, "testdata/surroundings", besideOthers)
	hosts := []string{"lvs", "web-1", "web-2", "app"}
	c.sh("lvs", others+pretend+"pretend keepalived; pretend seesaw_engine")
	c.sh("web-1", pretend+"pretend kube-router; echo 2 >/proc/sys/net/ipv4/conf/all/arp_ignore")
	guest := c.guest("web-1", "client")
	before := c.each(hosts, shot)

	plan := c.plan(2)
	for _, want := range []string{
		"docker swarm manages virtual services on this node too",
		"keepalived manages virtual services on this node too",
		"kube-proxy manages virtual services on this node too",
		"seesaw_engine manages virtual services on this node too; it may change or remove what is planned here, and nothing of its own is touched",
		"left alone on lvs: tcp 10.1.0.2:25 (0 servers), not in this topology",
		"net.ipv4.conf.all.rp_filter = 0 has no effect: net.ipv4.conf.eth0.rp_filter is 1, and the greater one counts; set net.ipv4.conf.eth0.rp_filter too",
	} {
		if !strings.Contains(plan, want) {
			c.Errorf("the plan does not say %q:\n%s", want, plan)
		}
	}
	for _, not := range []string{"kube-router", "router advertisement"} {
		if strings.Contains(plan, not) {
			c.Errorf("the plan speaks of %s:\n%s", not, plan)
		}
	}
	if n := strings.Count(plan, "net.ipv4.conf.all.arp_ignore "); n != 1 {
		c.Errorf("all.arp_ignore is planned %d times, not on web-2 alone:\n%s", n, plan)
	}
	kernel := strings.TrimSpace(c.sh("lvs", "uname -r"))
	if plan, want := c.plan(1, "--var", "missing=true"), "its kernel "+kernel+" has no parameter net.ipv4.conf.all.arp_patience; remove it from the topology"; !strings.Contains(plan, want) {
		c.Errorf("the plan does not say %q:\n%s", want, plan)
	}
	if diff := cmp.Diff(before, c.each(hosts, shot)); diff != "" {
		c.Fatalf("planning changed a node (-before +after):\n%s", diff)
	}

	c.apply(0)
	c.plan(0)
	c.besides(guest)
	c.sh("lvs", "iptables -t nat -D POSTROUTING 2; iptables -t nat -S; ip6tables -t nat -F POSTROUTING; ip6tables -t nat -A POSTROUTING -s 2001:db8::/32 -j MASQUERADE")
	c.finds([]string{
		"+ rule ip nat POSTROUTING lvsctl:surroundings:full:masquerade -m ipvs --vproto 6 --vaddr 10.1.0.103 --vport 80 --vmethod MASQ -j MASQUERADE (drift)",
		"+ rule ip6 nat POSTROUTING lvsctl:surroundings:full6:masquerade -m ipvs --vproto 6 --vaddr fd00:1::103 --vport 80 --vmethod MASQ -j MASQUERADE (drift)",
	})
	c.apply(0)
	c.besides(guest)
	c.destroy(0)
	if diff := cmp.Diff(before, c.each(hosts, shot)); diff != "" {
		c.Errorf("destroy does not give back the state before (-before +after):\n%s", diff)
	}
	c.advertised(guest)
	c.heldByOthers()
}

// heldByOthers has other programs hold VIPs of the topology: a keepalived without virtual
// servers, whose configuration is nowhere usual, and one that is named in the environment.
func (c *cluster) heldByOthers() {
	c.Helper()
	c.sh("lvs", pretend+`cat >/root/vrrp.conf <<'E'
vrrp_instance x {
  interface eth0
  virtual_router_id 7
  priority 100
  virtual_ipaddress { 10.1.0.100 }
}
E
keepalived --vrrp --use-file=/root/vrrp.conf --pid=/run/vrrp-only.pid --vrrp_pid=/run/vrrp-only-child.pid
export address=10.1.0.103; pretend kube-vip`)
	plan := c.plan(2)
	for _, want := range []string{
		"keepalived (/root/vrrp.conf) names the VIP 10.1.0.100, and may add and remove it on its own; remove it there, or from the topology",
		"kube-vip names the VIP 10.1.0.103, and may add",
	} {
		if !strings.Contains(plan, want) {
			c.Errorf("the plan does not say %q:\n%s", want, plan)
		}
	}
	c.sh("lvs", "kill $(cat /run/vrrp-only.pid)")
}

// guest copies the program in testdata/guest to hosts and returns its path there.
func (c *cluster) guest(hosts ...string) string {
	c.Helper()
	program := filepath.Join(c.dir, "guest")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, "./testdata/guest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		c.Fatalf("cannot build testdata/guest: %v\n%s", err, out)
	}
	const there = "/root/guest"
	for _, h := range hosts {
		file, err := os.Open(program)
		if err != nil {
			c.Fatal(err)
		}
		ssh := exec.Command("ssh", "-F", c.file("ssh_config"), h, "--", "cat >"+there+" && chmod 755 "+there)
		ssh.Stdin = file
		out, err := ssh.CombinedOutput()
		_ = file.Close()
		if err != nil {
			c.Fatalf("%v\n%s", err, out)
		}
	}
	return there
}

// besides checks that the topology's services answer, and that everything of others works
// as before.
func (c *cluster) besides(guest string) {
	c.Helper()
	c.wantAnswers("client", "http://10.1.0.103/", map[string]int{"app": 2})
	c.wantAnswers("client", "http://[fd00:1::103]/", map[string]int{"app": 2})
	have := count(strings.Fields(c.sh("client", "for i in 1 2 3 4; do "+guest+" sctp 10.1.0.100 90; done 2>&1")))
	if diff := cmp.Diff(map[string]int{"web-1": 2, "web-2": 2}, have); diff != "" {
		c.Errorf("answers over SCTP (-want +have):\n%s", diff)
	}
	c.holds("lvs", "iptables-legacy-save; ip6tables-legacy-save",
		"-A POSTROUTING -s 192.0.2.0/24 -j MASQUERADE\n", "--comment \"lvsctl:other:s:x\" -j DROP\n", "-A POSTROUTING -s 2001:db8::/32 -j MASQUERADE\n",
		"-m comment --comment \"lvsctl:surroundings:full:masquerade\" -j MASQUERADE\n", "-m comment --comment \"lvsctl:surroundings:full6:masquerade\" -j MASQUERADE\n")
	c.holds("lvs", "ipvsadm -S -n; cat /etc/keepalived/keepalived.conf; cat /proc/[0-9]*/comm; ls /sys/class/net",
		"-A -t 10.1.0.2:25 -s nq\n", "virtual_server 10.1.0.2 25 { }\n", "keepalived\n", "seesaw_engine\n", "kube-ipvs0\n")
	if have := c.sh("lvs", "grep ^nf_tables /proc/modules || :"); have != "" {
		c.Errorf("lvsctl brought the other kind of iptables: %s", have)
	}
	c.holds("web-1", "cat /proc/sys/net/ipv4/conf/all/arp_ignore", "2\n")
}

// advertised checks that a plan warns of a default route that the kernel will drop, and that
// the kernel drops it. It also checks that keepalived is named only if it has virtual
// servers.
func (c *cluster) advertised(guest string) {
	c.Helper()
	c.sh("web-1", guest+" advertise eth0")
	const route = "ip -6 route show default proto ra"
	gateway := strings.Fields(c.sh("lvs", route))
	if len(gateway) < 3 {
		c.Fatalf("the router advertisement was not heard: %v", gateway)
	}
	c.sh("lvs", "echo 'vrrp_instance x { }' >/etc/keepalived/keepalived.conf")
	const tail = ", which came by router advertisement; to keep it, set net.ipv6.conf.eth0.accept_ra = 2 in this node's sysctl, or write its gateway"
	if plan, want := c.plan(2), "turning on net.ipv6.conf.all.forwarding makes the kernel drop the default route via "+gateway[2]+" dev eth0"+tail; !strings.Contains(plan, want) || strings.Contains(plan, "keepalived") {
		c.Errorf("the plan does not say %q, or speaks of keepalived:\n%s", want, plan)
	}
	c.apply(0)
	if have := c.sh("lvs", route); have != "" {
		c.Errorf("the kernel did not drop %s as the plan said", have)
	}
	c.destroy(0)
	c.sh("web-1", guest+" advertise eth0")
	if plan := c.plan(2, "--var", "keep=true"); strings.Contains(plan, "router advertisement") {
		c.Errorf("the plan warns of what will not happen:\n%s", plan)
	}
	c.apply(0, "--var", "keep=true")
	if have := c.sh("lvs", route); have == "" {
		c.Error("accept_ra = 2 does not keep the route")
	}
}

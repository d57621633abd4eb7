package examples_test

import (
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReboot applies a topology to whole Debians and reboots all of them. They must come up
// as they were, without lvsctl. Each of ifupdown, netplan, systemd-networkd and
// NetworkManager sets up the network of a director and of a real server, with services of
// DR, NAT, TUN and FULLNAT. The hosts of one set are not rebooted but lose their power, as
// soon as an apply has printed that it is complete, and again as soon as a destroy has. Of
// one set a director's power fails in the middle of a change, of the other a real server's.
// At the end everything is destroyed.
func TestReboot(t *testing.T) {
	for _, systems := range []map[string]string{
		{"lb-1": "ifupdown", "lb-2": "networkd", "rs-1": "netplan", "rs-2": "networkmanager"},
		{"lb-1": "networkmanager", "lb-2": "netplan", "rs-1": "ifupdown", "rs-2": "networkd"},
	} {
		t.Run(systems["lb-1"]+" and "+systems["lb-2"], func(t *testing.T) { testReboot(t, systems) })
	}
}

func testReboot(t *testing.T, systems map[string]string) {
	nodes := slices.Sorted(maps.Keys(systems))
	flag := "--systemd=ifupdown"
	for _, n := range nodes {
		flag += "," + n + "=" + systems[n]
	}
	c := start(t, "testdata/reboot", flag)
	// A service that is not the topology's is in the table and its file, and the real
	// servers have another default route.
	const foreign = "-A -t 10.250.0.1:80 -s wlc\n"
	c.sh("lb-1", "echo '"+strings.TrimSpace(foreign)+"' | tee -a /etc/ipvsadm.rules | ipvsadm -R")
	for _, n := range []string{"rs-1", "rs-2"} {
		c.sh(n, oldGateway[systems[n]])
	}
	before := c.essences(nodes, etc)
	sudden := systems["rs-2"] == "networkd"
	var how []string
	if sudden {
		how = []string{"--power-cut"}
		c.each(nodes, lazyDisk)
	}
	c.apply(0, patient)
	c.wantMasters()
	if !sudden {
		c.plan(0)
		c.wantEveryAnswer()
	}
	live, boots := c.each(nodes, essence+etc), c.each(nodes, bootID)

	c.reboot(how, nodes...)
	for n, boot := range c.each(nodes, bootID) {
		if boot == boots[n] {
			t.Errorf("%s has not booted", n)
		}
	}
	c.wantMasters()
	c.plan(0)
	c.wantEveryAnswer()
	if have := c.sh("lb-1", "ipvsadm -S -n"); !strings.Contains(have, foreign) {
		t.Errorf("the foreign service is gone:\n%s", have)
	}
	for n, have := range c.each(nodes, essence+etc) {
		if diff := cmp.Diff(live[n], have); diff != "" {
			t.Errorf("%s (%s) before its reboot and after (-before +after):\n%s", n, systems[n], diff)
		}
	}

	for vip, n := range masters {
		// The network is set up anew: the VIP stays, or is back before anybody misses it.
		c.sh(n, setsUp[systems[n]])
		c.await(n, vip+" is there again", "ip -o addr show to "+vip+" | grep -q eth1", 10)
	}
	c.wantEveryAnswer()

	if sudden {
		c.cutDirectorsPower("lb-2")
		c.each(nodes, lazyDisk)
	} else {
		c.cutPower("rs-2")
	}
	c.destroy(0)
	if sudden {
		c.reboot(how, "rs-1")
	}
	for n, have := range c.essences(nodes, etc) {
		if diff := cmp.Diff(before[n], have); diff != "" {
			t.Errorf("%s (%s) after destroy (-want +have):\n%s", n, systems[n], diff)
		}
	}
}

// essence prints what must be the same after a reboot. It leaves out what set an address or
// a route, which depends on the network system.
const essence = `ip -o -4 addr show | awk '{ print $2, $4 }' | sort
ip -4 route show | sed 's/ proto [a-z]*//; s/ onlink//; s/ *$//' | sort
for d in all default lo eth0 eth1 ens4 tunl0; do
  for k in arp_announce arp_ignore forwarding rp_filter send_redirects; do
    grep -s -H '' "/proc/sys/net/ipv4/conf/$d/$k"
  done
done
[ ! -e /proc/net/ip_vs ] || { ipvsadm -S -n; ipvsadm -L -n --thresholds | awk '$1 == "->" && $2 ~ /[0-9]/ { print $2, $3, $4 }'; }
grep -s -H '' /proc/sys/net/ipv4/vs/conntrack /proc/sys/net/ipv4/vs/conn_reuse_mode
iptables-save -t nat | grep lvsctl || :
`

const bootID = "cat /proc/sys/kernel/random/boot_id"

// etc prints the files on a host's disk that lvsctl may write.
const etc = `find /etc /var/lib/lvsctl -type f ! -name machine-id ! -name 'resolv.conf*' 2>/dev/null | sort | xargs md5sum
ls -l /etc/rc3.d /etc/systemd/system/multi-user.target.wants | grep -v ^total
`

// automaticMetric is one that NetworkManager gives a route. It is another one each time that
// a device is set up.
var automaticMetric = regexp.MustCompile(` metric 10\d\b`)

// essences returns the output of essence and of another script on some hosts.
func (c *cluster) essences(hosts []string, more string) map[string]string {
	c.Helper()
	texts := c.each(hosts, essence+more)
	for h, text := range texts {
		var lines []string
		for line := range strings.Lines(text) {
			line = automaticMetric.ReplaceAllString(line, "")
			// A module that was loaded stays, with its device and parameters.
			if more == "" || !strings.Contains(line, "conf/tunl0/") && !strings.Contains(line, "/ipv4/vs/") {
				lines = append(lines, line)
			}
		}
		texts[h] = strings.Join(lines, "")
	}
	return texts
}

// patient is a rollback timeout for emulated machines that are slow.
const patient = "--rollback-timeout=5m"

// oldGateway gives a host a default route, live and in its own configuration.
var oldGateway = map[string]string{
	"ifupdown":       `sed -i '/address 10.1.0/a\    gateway 10.1.0.250' /etc/network/interfaces; ip route add default via 10.1.0.250 dev eth0 onlink`,
	"netplan":        `echo 'network: {version: 2, ethernets: {eth0: {routes: [{to: default, via: 10.1.0.250}]}}}' >/etc/netplan/60-old.yaml; chmod 600 /etc/netplan/60-old.yaml; ip route add default via 10.1.0.250 dev eth0 proto static`,
	"networkd":       `printf '\n[Route]\nGateway=10.1.0.250\n' >>/etc/systemd/network/20-eth0.network; ip route add default via 10.1.0.250 dev eth0 proto static`,
	"networkmanager": `sed -i '/^address1=/a gateway=10.1.0.250' /etc/NetworkManager/system-connections/eth0.nmconnection; ip route add default via 10.1.0.250 dev eth0 proto static metric 100`,
}

// cutPower lets a real server's power fail as soon as it has a new VIP, before the change
// is confirmed.
func (c *cluster) cutPower(node string) {
	c.Helper()
	const vip = "10.1.0.104"
	c.sh(node, "nohup sh -c 'until ip addr show dev lo | grep -q "+vip+"; do sleep 0.05; done; echo b >/proc/sysrq-trigger' >/dev/null 2>&1 &")
	c.hangUp(node)
	out := c.apply(4, patient, "--timeout=45s", "--var", "more=true")
	if !strings.Contains(lastLine(out), node+" (rolled back)") {
		c.Errorf("the apply's last line after a power cut: %s", lastLine(out))
	}
	c.lvsctl(0, "lab", "status", c.topology)
	if have := c.sh(node, "ip addr show; grep -r -l "+vip+" /etc || :"); strings.Contains(have, vip) || strings.Contains(have, "/etc/") {
		c.Errorf("%s has still something of the VIP that was never confirmed:\n%s", node, have)
	}
	c.apply(0, patient, "--var", "more=true")
	c.plan(0, "--var", "more=true")
	c.wantAnswers("client", "http://"+vip+"/", map[string]int{"rs-1": 1, "rs-2": 1})
}

// cutDirectorsPower lets a director's power fail as soon as its keepalived has loaded
// another password, before the change is confirmed. It boots with the old one, to which the
// other director is put back: with different ones both would be masters.
func (c *cluster) cutDirectorsPower(node string) {
	c.Helper()
	c.sh(node, `cat >/root/cut <<'E'
loaded() { for f in /proc/$(cat /run/keepalived.pid)/fd/*; do case $(readlink $f) in *consolidated*) grep -q second $f && return ;; esac; done; return 1; }
until loaded; do sleep 0.2; done
echo b >/proc/sysrq-trigger
E
nohup sh /root/cut >/dev/null 2>&1 &`)
	c.hangUp(node)
	if out := c.apply(4, patient, "--timeout=45s", "--var", "pass=second"); !strings.Contains(lastLine(out), node+" (rolled back)") {
		c.Errorf("the apply's last line after a director's power cut: %s", lastLine(out))
	}
	c.lvsctl(0, "lab", "status", c.topology)
	c.wantMasters()
	for d, have := range c.each([]string{"lb-1", "lb-2"}, "grep -c 'auth_pass first' /etc/keepalived/keepalived.conf; ip -o addr show to 10.9.0.101; ip -o addr show to 10.9.0.102") {
		if !strings.HasPrefix(have, "2\n") || strings.Count(have, " eth1 ") != 1 {
			c.Errorf("%s after a director's power cut:\n%s", d, have)
		}
	}
	c.plan(0)
	c.wantEveryAnswer()
}

// setsUp sets eth1 up anew, as somebody does who has edited something else.
var setsUp = map[string]string{
	"ifupdown":       "true", // it would take the host's own address down as well
	"netplan":        "netplan apply",
	"networkd":       "networkctl reload; networkctl reconfigure eth1",
	"networkmanager": "nmcli connection reload; nmcli connection up eth1",
}

// masters are the directors that prefer a VIP of keepalived's.
var masters = map[string]string{"10.9.0.101": "lb-1", "10.9.0.102": "lb-2"}

// wantMasters waits until each director has the VIP that it prefers.
func (c *cluster) wantMasters() {
	c.Helper()
	for vip, n := range masters {
		c.await(n, "it has "+vip, "ip -o addr show to "+vip+" | grep -q eth1", 120)
	}
}

func (c *cluster) wantEveryAnswer() {
	c.Helper()
	for _, vip := range []string{"10.1.0.101", "10.1.0.102", "10.1.0.103", "10.9.0.100", "10.9.0.101", "10.9.0.102"} {
		c.wantAnswers("client", "http://"+vip+"/", map[string]int{"rs-1": 2, "rs-2": 2})
	}
}

// lazyDisk has a host write nothing to its disk by itself: what nobody has synced is
// lost with its power.
const lazyDisk = `sync
mount -o remount,commit=900 /
echo 90000 >/proc/sys/vm/dirty_expire_centisecs
echo 0 >/proc/sys/vm/dirty_writeback_centisecs`

// reboot reboots hosts, or cuts their power, and waits until they have booted.
func (c *cluster) reboot(how []string, hosts ...string) {
	c.Helper()
	for _, h := range hosts {
		c.hangUp(h)
	}
	c.lvsctl(0, slices.Concat([]string{"lab", "reboot"}, how, []string{c.topology}, hosts)...)
}

// hangUp ends the connection that shell keeps.
func (c *cluster) hangUp(host string) {
	_ = exec.Command("ssh", "-F", c.file("ssh_config"), "-O", "exit", "-o", "ControlPath="+filepath.Join(c.links, "%n"), host).Run()
}

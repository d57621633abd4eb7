package shell

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/shell/shelltest"
)

// surroundings are the shells, and dash with toybox's tools: toybox's own shell is not
// finished.
func surroundings(t *testing.T) map[string][]string {
	t.Helper()
	all := shelltest.Each(t)
	if _, err := exec.LookPath("toybox"); err == nil {
		all["toybox"] = shelltest.Commands["dash"]
	} else if os.Getenv("CI") == "true" {
		t.Fatalf("%v; `make setup` installs it", err)
	}
	return all
}

// applets makes a folder of the commands that busybox or toybox is.
func applets(t *testing.T, box string) string {
	t.Helper()
	folder := t.TempDir()
	if box == "busybox" {
		if out, err := exec.Command(box, "--install", "-s", folder).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", box, err, out)
		}
		return folder
	}
	path, err := exec.LookPath(box)
	if err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command(path).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(list)) {
		if err := os.Symlink(path, filepath.Join(folder, name)); err != nil && name != "[" {
			t.Fatal(err)
		}
	}
	return folder
}

// host runs a script in a shell as on a host of its own: network, processes and
// /run are its, and /root is empty. busybox and toybox bring their own tools.
func host(t *testing.T, name, script string) (out string, status int) {
	t.Helper()
	path := "/usr/sbin:/usr/bin:/sbin:/bin"
	command := shelltest.Commands[name]
	switch name {
	case "busybox":
		path = applets(t, name) + ":" + path
	case "toybox":
		path = applets(t, name) + ":" + path
		command = shelltest.Commands["dash"]
	}
	const begin = "mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /root && mkdir /run/lvsctl && cd /root && exec "
	args := Cmd(append(slices.Clone(command), "-s")...).String()
	cmd := exec.Command("unshare", "-m", "-n", "-p", "-f", "--mount-proc", "/bin/sh", "-c", begin+args)
	cmd.Env = []string{"PATH=" + path, "LC_ALL=C"}
	cmd.Stdin = strings.NewReader(script)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return both.String(), cmd.ProcessState.ExitCode()
}

// needHosts leaves a test out, saying why, where there can be no hosts. In CI
// nothing is left out.
func needHosts(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("namespaces need root")
	}
	t.Skip("left out: namespaces need root")
}

const (
	// lan gives a host two gateways that do not answer.
	lan = `ip link set lo up; ip link add eth0 type veth peer name wall; ip link set wall up 2>/dev/null || ip link set veth0 up; ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up
ip route add default via 10.0.0.1
`
	// table is an ipvsadm as far as these functions use it: no module is needed.
	table = `mkdir bin; PATH=/root/bin:$PATH
cat >bin/ipvsadm <<'E'
#!/bin/sh
case "$*" in
"-L -n -t 10.0.0.100:80") printf 'Prot LocalAddress:Port\nTCP  10.0.0.100:80 rr\n  -> 10.0.0.11:80 Route 0 %s 1\n' "$(cat /root/open)"; echo 0 >/root/open ;;
-e*) [ ! -e /root/gone ] || { echo 'No such destination' >&2; exit 1; } ;;
esac
echo "$*" >>/root/log
E
chmod +x bin/ipvsadm
`
	// slow is a systemd that may take a minute, by a clock of its own.
	slow = `mkdir bin; PATH=/root/bin:$PATH; echo 100.00 1.00 >up; mount --bind up /proc/uptime
cat >bin/systemctl <<'E'
#!/bin/sh
if [ "$1" != soon ]; then read -r up rest </proc/uptime; echo $((${up%.*} + 60)).00 1.00 >/root/up; fi
if [ "$1" = late ] && [ -e /root/asked ]; then echo done "$@"; exit; fi
echo no "$@"; : >/root/asked; exit 4
E
chmod +x bin/systemctl
`
	// connections is an ipvsadm that lists some: what it prints is version 1.31's.
	connections = `mkdir bin; PATH=/root/bin:$PATH
cat >bin/ipvsadm <<'E'
#!/bin/sh
cat <<'T'
IPVS connection entries
pro expire state       source             virtual            destination
TCP 14:54  ESTABLISHED 198.51.100.7:4000  10.0.0.100:80      10.0.0.11:80
TCP 14:54  ESTABLISHED 198.51.100.7:4001  10.0.0.100:80      10.0.0.11:80
TCP 14:54  ESTABLISHED 198.51.100.9:4001  10.0.0.100:80      10.0.0.11:80
TCP 00:54  FIN_WAIT    198.51.100.9:4002  10.0.0.100:80      10.0.0.11:80
TCP 00:54  NONE        198.51.100.9:0     10.0.0.100:80      10.0.0.11:80
TCP 14:54  ESTABLISHED 198.51.100.9:4003  10.0.0.100:80      10.0.0.111:80
UDP 00:54  UDP         198.51.100.7:4000  10.0.0.100:53      10.0.0.12:53
UDP 00:54  NONE        198.51.100.7:0     10.0.0.100:53      10.0.0.12:53
TCP 14:54  ESTABLISHED [2001:db8::7]:4000 [fd00::100]:80     [fd00::11]:80
T
E
chmod +x bin/ipvsadm
`
	transaction = "lvsctl_report n\nlvsctl_transaction t 30\n"
	armed       = transaction + "mkdir /run/lvsctl/t /run/lvsctl/t/b; true >/run/lvsctl/t/armed\n"
	// managers are package managers that know a tool once they have lists, and say
	// what they did in their own ways.
	managers = `mkdir bin; PATH=/root/bin:$PATH
cat >bin/any <<'E'
#!/bin/sh
case " $* " in
*" update "*|*" refresh "*|*" expire-cache "*) echo new lists; : >/root/lists; exit ;;
*" install "*|*" add "*) ;;
*) exit 9 ;;
esac
[ -e /root/lists ] || { case $0 in *zypper) exit 104 ;; *apt-get) exit 100 ;; esac; exit 1; }
case " $* " in *" tool "*) echo installed tool; case $0 in *zypper) exit 103 ;; esac; exit 0 ;; esac
exit 1
E
chmod +x bin/any; for m in apt-get apk zypper dnf yum; do ln -s any bin/$m; done
`
	// conf gives a host a folder for keepalived and two files for it: text a and, with
	// another priority, b. Text o is somebody else's, and x is none.
	conf = lan + `mount -t tmpfs tmpfs /etc/keepalived; conf=/etc/keepalived/keepalived.conf
a='# Managed by lvsctl. Changes are overwritten.
vrrp_instance pair {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 100
  advert_int 1
  virtual_ipaddress {
    10.0.0.100/32 dev eth0
  }
}
'
lvsctl_text a "$a"; lvsctl_text b "$(echo "$a" | sed s/100$/90/)"; lvsctl_text o "global_defs {
}"; lvsctl_text x "$(echo "$a" | sed s/interface/interfaze/)"
`
	// paired has it run with text a until it holds its address.
	paired = conf + `lvsctl_keepalived $conf 0600 a || echo failed
held() { ip -o addr show to 10.0.0.100 | sed 's/^[0-9]*: \([a-z0-9]*\) .*/\1/'; }
i=0; until [ "$(held)" = eth0 ] || [ $((i += 1)) -gt 30 ]; do sleep 1; done
`
	lock = "lvsctl_report n; lvsctl_lock me; cat /run/lvsctl/holder; echo locked in; (lvsctl_lock you)"
)

// rolledBack runs a rollback program that undoes step 3, and not step 4.
func rolledBack() string {
	var s Script
	s.Line(Call(BeginRollback, "web"), ` "$@"`)
	for _, id := range []string{"4", "3"} {
		s.Line("if ", Call(Begun, id), "; then echo "+id+" >>/root/undone; fi")
	}
	s.Line(Call(EndRollback, "/root/r/web.json", "/root/r"))
	return "mkdir r /run/lvsctl/t /run/lvsctl/t/b; echo new >r/web.json; echo old >/run/lvsctl/t/record\n" +
		"true >/run/lvsctl/t/armed; true >/run/lvsctl/t/b/3\n" +
		"printf %s " + Quote(s.String()) + " >/run/lvsctl/t/rollback.sh\nSHELL /run/lvsctl/t/rollback.sh now\n"
}

// inUse is each function at work on a host: a script, and what it prints.
var inUse = map[Function]struct{ script, want string }{
	AddAddress: {lan + "for n in 1 2; do lvsctl_add_address fd00::1/128 eth0 2>/dev/null; echo $?; done; ip -6 addr show dev eth0 | grep -c -E 'fd00::1/128 scope global .*deprecated'", `^0\n[^0].*\n1\n$`},
	Announce:   {lan + "lvsctl_announce eth0 10.0.0.2; echo $?", `^0\n$`},
	Block:      {"echo x >f; lvsctl_block /root/f 0644 '# BEGIN lvsctl web' '# END lvsctl web' 'a\\n %s'; echo $?; cat f", `^0\nx\n# BEGIN lvsctl web\na\\n %s\n# END lvsctl web\n$`},
	Drain:      {table + "echo 2 >open; lvsctl_drain 10.0.0.11:80 9 active -t 10.0.0.100:80; echo $?", `^note: draining 10.0.0.11:80: 2 open connections, [89] s left\n0\n$`},
	DrainBegin: {"lvsctl_drain_begin; [ $(($(lvsctl_uptime) - lvsctl_draining_since)) -lt 5 ] && echo yes", `^yes\n$`},
	File:       {"lvsctl_file /root/new/f 0750 a 'b c'; ls -l new/f | cut -c1-10; cat new/f; lvsctl_file /root/new/f 0644; ls new", `^-rwxr-x---\na\nb c\n$`},
	Install: {managers + "for m in apt-get apk zypper dnf yum; do rm -f lists; lvsctl_install $m tool | grep -v '^installing'; done; lvsctl_install zypper nothing >/dev/null || echo failed; ls /run/lvsctl",
		`^(new lists\ninstalled tool\n){5}failed\n$`},
	Text: {`lvsctl_text ab "it's \$x
y"; lvsctl_print ab`, `^it's \$x\ny$`},
	KeepalivedConf: {conf + "lvsctl_print o >$conf; lvsctl_keepalived_conf $conf 0600 x; echo $?; lvsctl_keepalived_conf $conf 0600 a; echo $?; ls -l $conf | cut -c1-10; ls ${conf%/*}; lvsctl_keepalived_conf $conf 0644 o; cat $conf; ls ${conf%/*}; lvsctl_keepalived_conf $conf 0600 -; ls ${conf%/*}",
		`^keepalived refuses the file \(exit status [0-9]+\): .*interfaze.*\n1\n0\n-rw-------\nkeepalived.conf\nkeepalived.conf.before-lvsctl\nglobal_defs \{\n\}keepalived.conf\n$`},
	Settle: {paired + `mkdir /run/lvsctl/t; lvsctl_report n; lvsctl_transaction t 30
lends() { lvsctl_keepalived_conf $conf $1 $2 || echo failed; lvsctl_lent $conf && echo lent; }
shows() { grep -o -E 'priority [0-9]*|^global' $conf; ls -l $conf | cut -c1-10; ls ${conf%/*}; }
lends 0600 b; shows; umount $conf; shows
lends 0600 b; lvsctl_settle $conf; shows
lends 0600 a; lends 0600 x; shows; (lvsctl_folder=/run/lvsctl/t; lvsctl_keepalived_conf $conf 0600 b); lvsctl_lent $conf; shows
cp $conf $conf.before-lvsctl; lvsctl_print o >$conf; lends 0600 a; shows; lvsctl_settle $conf; shows; lends 0600 o; lvsctl_settle $conf; shows
lvsctl_keepalived_away leave; lends 0600 a; shows`,
		`^([^\n]*Starting[^\n]*\n)?` +
			`lent\npriority 90\n-rw-------\nkeepalived.conf\npriority 100\n-rw-------\nkeepalived.conf\n` +
			`lent\npriority 90\n-rw-------\nkeepalived.conf\n` +
			`lent\nkeepalived refuses [^\n]*\nfailed\npriority 90\n-rw-------\nkeepalived.conf\npriority 90\n-rw-------\nkeepalived.conf\n` +
			`lent\npriority 100\n-rw-------\nkeepalived.conf\nkeepalived.conf.before-lvsctl\npriority 100\n-rw-------\nkeepalived.conf\nkeepalived.conf.before-lvsctl\n` +
			`lent\nglobal\n-rw-------\nkeepalived.conf\npriority 100\n-rw-------\nkeepalived.conf\nkeepalived.conf.before-lvsctl\n$`},
	Keepalived: {paired + "p=$(lvsctl_first $(lvsctl_keepaliveds)); lvsctl_keepalived $conf 0600 b || echo failed; lvsctl_keepalived $conf 0600 x && echo good; [ $p = $(lvsctl_first $(lvsctl_keepaliveds)) ] && echo same; for d in /proc/$p/fd/*; do case $(readlink $d) in *consolidated*) grep priority $d ;; esac; done; held; ls ${conf%/*}",
		`(?s)refuses the file.*\nsame\n.*priority 90\neth0\nkeepalived.conf\n$`},
	KeepalivedAway: {paired + "lvsctl_keepalived_away keep + 10.0.0.100/24 eth0 eth0:7; lvsctl_keepaliveds; ip -o addr show to 10.0.0.100 | grep -c '/24 .*eth0:7'; held; lvsctl_keepalived $conf 0600 a +10.0.0.100 || echo failed; held; lvsctl_keepalived_away leave - 10.0.0.100/32 eth0 -; lvsctl_keepaliveds; held; ls /run/*.pid 2>/dev/null",
		`^([^\n]*Starting[^\n]*\n)*1\neth0\n([^\n]*Starting[^\n]*\n)*eth0\n$`},
	keepaliveds:    {paired + "lvsctl_keepaliveds | grep -c .; p=$(lvsctl_keepaliveds | { read -r p; echo $p; }); [ $p = $(cat /run/keepalived.pid) ] && echo parent; kill $p", `^([^\n]*Starting[^\n]*\n)?2\nparent\n$`},
	ReadKeepalived: {paired + "touch -d '2000-01-01 00:00' $conf; lvsctl_read_keepalived $conf; lvsctl_keepalived_away leave", `(?s)version Keepalived v[0-9.]+ .*\nos .*parent [0-9]+\nloaded\n .*\n vrrp_instance pair \{\n.*\nfile -rw------- +1 +0 +0 .*\n # Managed by lvsctl.*\nfresh\n$`},
	Together: {paired + "lvsctl_report n; lvsctl_together t; (sleep 1; lvsctl_order t go 1 2) & lvsctl_keepalived $conf 0600 b && echo done; lvsctl_together t; (lvsctl_order t go 0 9; sleep 2; ip addr add 10.0.0.77/32 dev eth0) & lvsctl_keepalived $conf 0600 a || echo failed; lvsctl_together t; lvsctl_order t stop; lvsctl_keepalived $conf 0600 b || echo failed; ls /run/lvsctl",
		`^([^\n]*Starting[^\n]*\n)?n ready\ndone\nn ready\nit became master.*\nfailed\nn ready\nanother director was not ready\nfailed\n$`},
	Order: {"lvsctl_order t go 1 2; cat /run/lvsctl/order.t; ls /run/lvsctl", `^go 1 2
order.t\n$`},
	Holds:              {lan + "ip addr add 10.0.0.9/32 dev lo; ip -6 addr add fd00::9/128 dev eth0; lvsctl_holds 10.0.0.2 10.0.0.9 10.0.0.3 fd00::9", `^10.0.0.2\nfd00::9\n$`},
	MuteICMP:           {"l=/proc/sys/net/ipv4/icmp_ratelimit; b=$(cat $l); lvsctl_mute_icmp $l grep -c '2147483' $l; [ \"$b\" = \"$(cat $l)\" ] && ls /run/lvsctl", `^1\n$`},
	PromoteSecondaries: {lan + "ip addr add 10.0.0.3/24 dev eth0; p=/proc/sys/net/ipv4/conf/eth0/promote_secondaries; echo 0 >$p; lvsctl_promote_secondaries $p ip addr del 10.0.0.2/24 dev eth0; cat $p; ip -o -4 addr show dev eth0; ls /run/lvsctl", `^0\n.*10\.0\.0\.3/24.*\n$`},
	RefreshRoute:       {lan + "lvsctl_refresh_route 10.0.0.9; lvsctl_refresh_routes; echo $?; ls /run/lvsctl", `^0\n$`},
	ReplyRoute:         {lan + "lvsctl_reply_route 10.0.0.100 10.0.0.254 eth0 9; ip rule show | grep -c 27491; ip route show table 861", `^1\ndefault via 10.0.0.254 dev eth0 *\n$`},
	ReplyRouteEnd:      {lan + "lvsctl_reply_route 10.0.0.100 10.0.0.254 eth0 9; lvsctl_reply_route_end 10.0.0.100; ip rule show | grep -c 27491; ip route show table 861; ls /run/lvsctl", `^0\n(.*does not exist.*\n.*\n)?$`},
	Systemctl:          {slow + "for w in soon late never; do rm -f asked; lvsctl_systemctl $w; echo $?; done | grep -v waiting", `^no soon\n4\nno late\ndone late\n0\n(no never\n){3}4\n$`},
	Yield: {lan + connections + `ip addr add 10.0.0.100/32 dev eth0
rules() { iptables -S INPUT | grep -c 'd 10.0.0.100/32.*SYN.*DROP'; }
lvsctl_under_way 10.0.0.12 10.0.0.10; lvsctl_under_way 10.0.0.12 fd00::100; lvsctl_under_way 10.0.0.100
become() { n=0; while [ "$(rules)" != "$1" ] && [ $n -lt 200 ]; do sleep 0.1 2>/dev/null || sleep 1; n=$((n + 1)); done; rules; }
lvsctl_yield 0 60 10.0.0.100; rules; ip addr del 10.0.0.100/32 dev eth0; become 0
ip addr add 10.0.0.100/32 dev eth0; lvsctl_yield 1.5 60 10.0.0.100; rules; become 1; ip addr del 10.0.0.100/32 dev eth0; become 0
ip addr add 10.0.0.100/32 dev eth0; lvsctl_yield 0 1 10.0.0.100; become 0
lvsctl_can_hold() { return 1; }; lvsctl_yield 1 30 10.0.0.100`, `^0\n1\n4\n1\n0\n0\n1\n0\n0\nnote: neither iptables nor nft is here to hold new connections, so requests that are under way may be cut short\n$`},
	MendServer:    {table + "lvsctl_mend_server -t v -r s; : >gone; lvsctl_mend_server -t v -r s; echo $?; cat log", `^0\n-e -t v -r s\n$`},
	RestoreServer: {table + "lvsctl_restore_server -t v -r s; : >gone; lvsctl_restore_server -t v -r s; echo $?; cat log", `^0\n-e -t v -r s\n-a -t v -r s\n$`},

	Arm:           {transaction + "(lvsctl_arm 'sleep 9' 'text'); ls /run/lvsctl/t; cat /run/lvsctl/t/record", `^n armed\narmed\nb\nbegun\ndeadline\npath\npid\nrecord\nrollback.sh\ntext\n$`},
	Begin:         {armed + "lvsctl_begin 3; ls /run/lvsctl/t/b; rm -r /run/lvsctl/t; lvsctl_begin 4 || echo failed", `(?s)^n begin 3\n3\n.*n failed 4 1\nfailed\n$`},
	Mark:          {armed + "lvsctl_mark 3; ls /run/lvsctl/t/b", `^3\n$`},
	PutOff:        {armed + "lvsctl_put_off; read -r d </run/lvsctl/t/deadline; read -r u _ </proc/uptime; echo $((d - ${u%%.*}))", `^(29|30)\n$`},
	Transaction:   {transaction + "echo $lvsctl_transaction $lvsctl_seconds", `^/run/lvsctl/t 30\n$`},
	Disarm:        {armed + "lvsctl_disarm; ls /run/lvsctl/t; lvsctl_disarm || echo failed", `^b\nconfirmed\nn stopped too late\nfailed\n$`},
	Clear:         {armed + "lvsctl_clear; ls /run/lvsctl", `^$`},
	Reopen:        {armed + "lvsctl_disarm; lvsctl_reopen; ls /run/lvsctl/t", `^armed\nb\n$`},
	Fire:          {armed + "printf '%s' 'echo back >${0%/*}/log; echo rolled back >${0%/*}/result' >/run/lvsctl/t/rollback.sh; lvsctl_fire; mv /run/lvsctl/t/armed /run/lvsctl/t/confirmed; lvsctl_fire; rm -r /run/lvsctl/t; lvsctl_fire; ls /run/lvsctl/t", `^rolled back\nback\nconfirmed\ngone\n$`},
	BeginRollback: {rolledBack() + "cat /run/lvsctl/t/result; [ -e /run/lvsctl/t/fired ] && echo fired", `^rolled back\nfired\n$`},
	EndRollback:   {rolledBack() + "cat /root/r/web.json; ls /root/r", `^old\nweb.json\n$`},
	Begun:         {rolledBack() + "cat /root/undone", `^3\n$`},
	Lock:          {lock, `^n locked\nme since 20.*Z\nlocked in\nn held me since .*Z\n$`},
	Report:        {"lvsctl_report n; echo $lvsctl_nonce", `^n\n$`},
	Say:           {"lvsctl_report n; lvsctl_say done 3", `^n done 3\n$`},
	StageRecord:   {"lvsctl_report n; lvsctl_stage_record /root/r /root/r/f text; cat r/f.new; lvsctl_stage_record /proc/none /proc/none/f text || echo failed", `(?s)^text\n.*n stopped cannot write the record\nfailed\n$`},
	PlaceRecord:   {"lvsctl_report n; echo x >f.new; lvsctl_place_record /root/f; cat f; lvsctl_place_record /root/f || echo failed", `(?s)^x\n.*n stopped cannot write the record\nfailed\n$`},
	WriteRecord:   {"lvsctl_report n; lvsctl_write_record /root/r /root/r/f text; ls -l r/f | cut -c1-10; cat r/f; ls r", `^-rw-------\ntext\nf\n$`},
	RemoveRecord:  {"lvsctl_write_record /root/r /root/r/f text; lvsctl_remove_record /root/r /root/r/f; ls", `^$`},
	Probe:         {lan + "lvsctl_report n; lvsctl_probe", `^n probes\n10.0.0.1 down\n$`},
	ProbeAgain:    {lan + "lvsctl_report n; echo '0 2147483647' >/proc/sys/net/ipv4/ping_group_range; lvsctl_probe_again 127.0.0.1 10.0.0.1", `^n probes\n10.0.0.1\n$`},

	IsUp:     {lan + "ip link add eth1 type dummy 2>/dev/null || ip link add eth1 type veth peer name eth2; for d in lo eth0 eth1 none; do lvsctl_is_up $d 2>/dev/null && echo $d; done", `^lo\neth0\n$`},
	StopSync: {table + "lvsctl_stop_sync; echo $?; cat log", `^0\n--stop-daemon master\n--stop-daemon backup\n$`},

	HasIP:       {"lvsctl_has_ip && echo yes", `^yes\n$`},
	Section:     {"f() { echo x; return 3; }; lvsctl_section n 'a b' f", `^n begin a b\nx\nn end a b 3\n$`},
	ReadBlocks:  {"mkdir etc; printf 'x\\n# BEGIN lvsctl web\\ny\\n# END lvsctl web\\n' >'etc/a b'; lvsctl_read_blocks '^# BEGIN lvsctl web$' '^# END lvsctl web$' '/root/etc/a*' /root/none", `^file /root/etc/a b\n# BEGIN lvsctl web\ny\n# END lvsctl web\n$`},
	ReadBoot:    {"printf 'a\\nb\\n' >'f 1'; lvsctl_read_boot '^a$' '^[0-9]+$' -- '/root/f*' | grep root", `^/root/f 1:1:a\n$`},
	ReadDaemons: {"lvsctl_read_daemons; echo $?", `^0\n$`},
	ReadFacts:   {"SSH_CONNECTION='a 1 b 2'; lvsctl_read_facts", `^kernel=[0-9].*\nroot=1\n(busybox=1\n)?ssh=a 1 b 2\n$`},
	ReadFiles:   {"mkdir etc; printf 'a\\nb' >etc/f; chmod 640 etc/f; lvsctl_read_files '/root/etc/*' /root/none", `^-rw-r-----.* 3 .*/root/etc/f\n a\n b\n$`},
	ReadFOUs: {`lvsctl_read_fous; echo none
mkdir bin; printf '#!/bin/sh\n[ "$*" = "fou show" ] && echo port 6080 gue\n' >bin/ip; chmod +x bin/ip; PATH=/root/bin:$PATH; ip() { bin/ip "$@"; }
lvsctl_read_modules() { echo fou; }; lvsctl_read_fous`, `^none\nport 6080 gue\n$`},
	ReadCan: {`mkdir bin; printf '#!/bin/sh\necho "Usage: ip fou add port PORT { ipproto PROTO | gue }" >&2; exit 255\n' >bin/ip; chmod +x bin/ip
printf 'x\0tun-type\0y' >bin/ipvsadm; chmod +x bin/ipvsadm; PATH=/root/bin:$PATH; ip() { bin/ip "$@"; }
lvsctl_has_module() { [ "$1" = ip_gre ]; }; lvsctl_read_can ip-fou ip_gre fou tun-type`, `^ip-fou\nip_gre\ntun-type\n$`},
	ReadModules: {"lvsctl_read_modules here /root none /root/none", `^here\n$`},
	ReadOthers:  {"mkdir r; echo a >r/web.json; printf 'b\\nc' >r/db.json; echo d >r/x.json; : >r/db.json.new; lvsctl_read_others /root/r /root/r/web.json; lvsctl_read_others none none/f; echo $?", `^record /root/r/db.json\n b\n c\n+record /root/r/x.json\n d\n\n0\n$`},
	ReadHolders: {`mount -t tmpfs tmpfs /etc/keepalived; mkdir bin; printf '#!/bin/sh\nsleep 60; :\n' >bin/failover; chmod +x bin/*
cp /usr/bin/sleep bin/keepalived; cp bin/keepalived bin/nginx
mkdir -p /etc/keepalived/conf.d; printf '# Managed by lvsctl\n10.0.0.7\n' >/etc/keepalived/keepalived.conf
printf 'a 10.0.0.3/24\n# BEGIN lvsctl web\n10.0.0.8\n# END lvsctl web\nb 2001:DB8:0::4 1:2\n' >/etc/keepalived/conf.d/a.conf; echo 'x 10.0.0.5' >f.conf
address=10.0.0.1 setsid bin/keepalived 60 & VIP=10.0.0.9 setsid bin/nginx 60 &
setsid bin/failover -a 10.0.0.2 --config=/root/f.conf &
n=0; while [ "$(cat /proc/[0-9]*/comm | grep -c -x -e keepalived -e nginx -e failover)" -lt 3 ] && [ "$n" -lt 500 ]; do n=$((n + 1)); done
lvsctl_read_holders | sort; lvsctl_read_holders >/dev/null; echo $?`,
		`^failover	10\.0\.0\.2\nfailover \(/root/f\.conf\)	10\.0\.0\.5\nkeepalived	10\.0\.0\.1\nkeepalived \(/etc/keepalived/conf\.d/a\.conf\)	10\.0\.0\.3\nkeepalived \(/etc/keepalived/conf\.d/a\.conf\)	2001:DB8:0::4\n0\n$`},
	ReadOwners:   {"lvsctl_read_owners; echo $?", `^0\n$`},
	ReadPackages: {"lvsctl_read_packages sh no-such-command", `^(manager .*\n)?sh\n$`},
	ReadIP: {"ip link set lo up; ip addr add 10.0.0.1/24 dev lo; ip route add 10.9.0.0/16 dev lo; ip() { case $* in *-batch*) [ -z \"$alone\" ] || return 1; echo once >>n ;; esac; command ip \"$@\"; }\n" +
		"all() { lvsctl_begin_ip; for p in links addresses4 addresses6 routes4 routes6 policies4 policies6; do echo $p; lvsctl_read_ip $p; done; }; alone=''; all >all; alone=1; all >each; wc -l <n; diff all each; cat all; ip rule add from 10.0.0.9 table 7; ip route add 10.9.0.0/16 dev lo table 7; all | tail -n +2; alone=''; all >each; sed -n '/^policies4$/,/^policies6$/p' each",
		`(?s)^ *2\nlinks\n1: lo: <.*\naddresses4\n1: lo +inet 127[^\n]*\n1: lo +inet 10[^\n]*\naddresses6\n1: lo +inet6 [^\n]*\nroutes4\n10\.9\.[^\n]*\nroutes6\n.*policies4\n0:[^\n]*\n32766:[^\n]*\n32767:[^\n]*\npolicies6\n0:[^\n]*\n32766:[^\n]*\n.*policies4\n.*from 10.0.0.9 lookup 7.*\ntables\n.*10.9.0.0/16 dev lo.*\npolicies6\n$`},
	ReadRecord:     {"lvsctl_read_record none; printf 'a\\nb' >f; lvsctl_read_record f; echo; : >e; lvsctl_read_record e", `^record\na\nb\nrecord\n$`},
	ReadRecorded:   {"printf '{\\n  \"sysctls\": \"net/ipv4/ip_forward none\",\\n' >f; lvsctl_read_recorded f", `^/proc/sys/net/ipv4/ip_forward:[01]\n$`},
	ReadRules:      {"lvsctl_read_rules 'lvsctl:web:'; echo $?", `(?s)0\n$`},
	ReadSchedulers: {"mkdir lib; mount --bind lib \"/lib/modules\" 2>/dev/null || { mkdir -p /lib/modules && mount --bind lib /lib/modules; }; mkdir \"lib/$(uname -r)\"; echo kernel/net/netfilter/ipvs/ip_vs_rr.ko.xz: >\"lib/$(uname -r)/modules.dep\"; lvsctl_read_schedulers rr none", `^rr\n$`},
	ReadSysctls:    {"lvsctl_read_sysctls /proc/sys/net/ipv4/icmp_ratelimit | grep -e icmp_ratelimit -e conf/lo/rp_filter -e ip_forward:", `(?s)ip_forward:.*icmp_ratelimit:.*conf/lo/rp_filter:`},
	ReadTable:      {"lvsctl_read_table; echo $?", `^0\n$`},
	ReadThresholds: {"lvsctl_read_thresholds; echo $?", `^0\n$`},
	ReadTimeouts:   {"lvsctl_read_timeouts; echo $?", `^0\n$`},
	ReadVRRP: {lan + `mkdir bin; PATH=/root/bin:$PATH; mount -t tmpfs tmpfs /sys; mkdir -p /sys/module/nf_tables
read_with() { printf 'table inet f {\n\tchain input {\n\t\ttype filter hook input priority filter; policy %s;\n\t\ttcp dport 22 accept\n%s\t}\n}\n' "$1" "$2" >rules; lvsctl_read_vrrp eth0; echo end; }
lvsctl_read_vrrp eth0; echo end
for d in eth0 eth1 eth2; do mkdir -p /sys/class/net/$d; done; echo 1 >/sys/class/net/eth0/carrier; echo 0 >/sys/class/net/eth1/carrier
lvsctl_read_vrrp eth0 +eth1 +eth2 eth3; rm -r /sys/class/net
printf '#!/bin/sh\ncat /root/rules\n' >bin/nft; chmod +x bin/nft
read_with drop ''; read_with accept ''
reject='		counter packets 1 bytes 2 reject
'
read_with accept "$reject"
read_with accept "		ip protocol vrrp accept
$reject"
printf '#!/bin/sh\ncase "$*" in --get-zone*) echo public ;; *list-all*) cat /root/zone ;; esac\n' >bin/firewall-cmd; chmod +x bin/firewall-cmd
echo 'target: default' >zone; lvsctl_read_vrrp eth0 eth1; echo end
echo 'protocols: vrrp' >zone; lvsctl_read_vrrp eth0; echo end`,
		`^end\ndown eth1\ndown eth2\nfirewall nftables\nend\nend\nfirewall nftables\nend\nend\nfirewall firewalld\nend\nend\n$`},
	ReadUnits: {"lvsctl_read_units no-such-service; echo $?", `^(init .*\n)?0\n$`},

	ReadClients: {connections + "lvsctl_has_table() { :; }; lvsctl_read_clients 10.0.0.11 fd00::11 10.0.0.12", `^ +2 TCP 10.0.0.100:80 10.0.0.11:80 198.51.100.7
 +1 TCP 10.0.0.100:80 10.0.0.11:80 198.51.100.9
 +1 TCP \[fd00::100\]:80 \[fd00::11\]:80 \[2001:db8::7\]
 +1 UDP 10.0.0.100:53 10.0.0.12:53 198.51.100.7
$`},
	ReadClock:       {"lvsctl_read_clock", `^[0-9]+\.[0-9]+\n$`},
	ReadCounters:    {"lvsctl_has_table() { :; }; " + table + "lvsctl_read_counters; cat log", `^-L -n --stats --exact\n$`},
	ReadListing:     {"lvsctl_has_table() { :; }; " + table + "lvsctl_read_listing; cat log; lvsctl_has_table() { return 1; }; lvsctl_read_listing; echo $?", `^-L -n\n0\n$`},
	ReadConnections: {"lvsctl_read_connections; echo $?", `^0\n$`},

	Frame:         {"(lvsctl_frame m 'lvsctl_body() { echo x; cat; exit 3; }'; echo not here) 2>&1; lvsctl_frame m 'lvsctl_body() { ' 2>/dev/null; echo not here", `^\nm\n\nm\nx\n\nm end\n\nm 3\n$`},
	FrameNext:     {"{ lvsctl_frame_next m 'lvsctl_body() { exit 3; }'; lvsctl_frame_next k 'lvsctl_body() { echo x; }'; } 2>&1", `^\nm\n\nm\n\nm end\n\nm 3\n\nk\n\nk\nx\n\nk end\n\nk 0\n$`},
	FrameHeld:     {"(lvsctl_frame_held m 'lvsctl_body() { lvsctl_kept=1; exec 9>f; return 3; }' 2>&1 </dev/null; echo not here); ls f", `^\nm\n\nm\n\nm end\n\nm 3\nf\n$`},
	Environment:   {"PATH=x:/opt/tools:/bin; lvsctl_environment; echo $PATH $LC_ALL; umask", `^/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/opt/tools C\n0?022\n$`},
	keepAway:      {armed + "lvsctl_process $$ >/run/lvsctl/t/changer; lvsctl_put_off; lvsctl_keep_away; sleep 3; cd /run/lvsctl/t; read -r d <deadline; read -r u _ </proc/uptime; [ $((d - ${u%%.*})) -ge 28 ] && echo kept; rm changer; sleep 2; kill -0 $lvsctl_keeper 2>/dev/null || echo ended", `^kept\nended\n$`},
	SyncUnits:     {"lvsctl_sync_units; echo $?", `^0\n$`},
	syncFiles:     {": >f; lvsctl_sync f /root; lvsctl_sync_above /root && echo done; lvsctl_sync /none || echo failed", `(?s)^done\n.*failed\n$`},
	giveBack:      {"l=/proc/sys/net/ipv4/icmp_ratelimit; cat $l; lvsctl_borrow $l 5000; lvsctl_borrow $l 6000; cat $l; lvsctl_give_back; cat $l; ls /run/lvsctl; printf '/proc/none\\n1\\n' >/run/lvsctl/borrowed.x; lvsctl_give_back; ls /run/lvsctl", `^1000\n6000\n1000\n$`},
	findRelease:   {"lvsctl_find_release; [ \"$lvsctl_release\" = \"$(uname -r)\" ] && echo same", `^same\n$`},
	findRun:       {"lvsctl_find_run; echo $lvsctl_run", `^/run/lvsctl\n$`},
	grepSysctls:   {"lvsctl_grep_sysctls /proc/sys/net/ipv4/ip_forward /none", `^/proc/sys/net/ipv4/ip_forward:[01]\n$`},
	refreshRoutes: {lan + "ip neigh add 10.0.0.9 dev eth0 nud failed 2>/dev/null || :; lvsctl_refresh_routes; echo $?", `^0\n$`},
	runs:          {"sleep 9 & p=$(lvsctl_process $!); lvsctl_runs $p && echo runs; lvsctl_runs ${p}1 || echo other; lvsctl_runs 1 || lvsctl_runs .1 || lvsctl_runs '' || echo no; kill $!; wait $! 2>/dev/null; lvsctl_runs $p || echo gone", `^runs\nother\nno\ngone\n$`},
}

// TestEveryFunction runs every function in every shell.
func TestEveryFunction(t *testing.T) {
	needHosts(t)
	for f := range functions {
		if _, ok := inUse[f]; !ok {
			t.Errorf("%s is run by no test", f)
		}
	}
	for name, args := range surroundings(t) {
		for f, c := range inUse {
			t.Run(name+"/"+string(f), func(t *testing.T) {
				t.Parallel()
				needs := []Function{f, runs, Report}
				if strings.Contains(c.script, string(Keepalived)) {
					needs = append(needs, Keepalived)
				}
				script := Definitions(needs...) + strings.Replace(c.script, "SHELL", Cmd(args...).String(), 1) + "\n"
				out, _ := host(t, name, script)
				if !regexp.MustCompile(c.want).MatchString(out) {
					t.Errorf("want %s\nhave %s", c.want, out)
				}
			})
		}
	}
}

// TestLockByName has many processes take a lock at once, each of which dies with it:
// never do two hold it, and it is never lost.
func TestLockByName(t *testing.T) {
	needHosts(t)
	const race = `cat >locker <<'E'
BODY
lvsctl_lock_by_name /run/lvsctl/process || exit 0
mkdir /root/inside || echo "two hold it"
echo once >>/root/held
rmdir /root/inside
E
i=0
while [ "$i" -lt 12 ]; do
  for k in 1 2 3 4 5 6; do SHELL locker & done
  wait
  i=$((i + 1))
done
[ "$(grep -c once held)" -ge 12 ] || echo "it was lost"
ls /run/lvsctl
`
	for name, args := range surroundings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, _ := host(t, name, strings.NewReplacer("BODY", Definitions(Lock), "SHELL", Cmd(args...).String()).Replace(race))
			if out != "process\n" {
				t.Error(out)
			}
		})
	}
}

// TestOnDisk pulls the plug just when a function has returned: what it did is on the
// disk. A copy of the image that a loop device writes to has what was written by then.
// XFS forgets what ext4 does not, and the other way round.
func TestOnDisk(t *testing.T) {
	needHosts(t)
	const cut = `truncate -s 64M img; MAKE; mkdir m after; mount -o loop img m
cd /root/m; echo old >f; mkdir r; echo old >r/web.json; printf 'old\\n' >gone; sync; lvsctl_report n
DO
cp /root/img /root/copy; mount -o loopOTHER /root/copy /root/after; cd /root/after
CHECK
`
	// From xfsprogs 5.19 on, so small a file system is for tests alone.
	systems := map[string]*strings.Replacer{
		"ext4": strings.NewReplacer("MAKE", "/sbin/mke2fs -q -t ext4 img", "OTHER", ""),
		"xfs":  strings.NewReplacer("MAKE", "/sbin/mkfs.xfs -q --unsupported img >/dev/null 2>&1 || /sbin/mkfs.xfs -q img", "OTHER", ",nouuid"),
	}
	for name := range shelltest.Each(t) {
		for what, c := range map[string]struct{ do, check, want string }{
			"file":          {"lvsctl_file /root/m/new/deep/f 0600 a b", "ls -l new/deep/f | cut -c1-10; cat new/deep/f", "-rw-------\na\nb\n"},
			"file again":    {"lvsctl_file /root/m/f 0640 new", "cat f", "new\n"},
			"no file":       {"lvsctl_file /root/m/gone 0644", "ls gone 2>/dev/null || echo gone", "gone\n"},
			"block":         {"lvsctl_block /root/m/f 0644 '# BEGIN lvsctl web' '# END lvsctl web' x", "cat f", "old\n# BEGIN lvsctl web\nx\n# END lvsctl web\n"},
			"record":        {"lvsctl_write_record /root/m/s /root/m/s/web.json new", "cat s/web.json", "new\n"},
			"record again":  {"lvsctl_write_record /root/m/r /root/m/r/web.json new", "cat r/web.json", "new\n"},
			"no record":     {"lvsctl_remove_record /root/m/r /root/m/r/web.json", "ls r 2>/dev/null || echo gone", "gone\n"},
			"staged record": {"lvsctl_stage_record /root/m/r /root/m/r/web.json new; lvsctl_place_record /root/m/r/web.json", "cat r/web.json; ls r", "new\nweb.json\n"},
		} {
			for system, on := range systems {
				if system == "xfs" && !strings.Contains(what, "again") && what != "no file" {
					continue
				}
				t.Run(name+"/"+system+"/"+what, func(t *testing.T) {
					t.Parallel()
					script := Definitions(File, Block, WriteRecord, Report) + strings.NewReplacer("DO", c.do, "CHECK", c.check).Replace(on.Replace(cut))
					if out, _ := host(t, name, script); out != c.want {
						t.Errorf("want %q, have %q", c.want, out)
					}
				})
			}
		}
	}
}

// TestKillsNobodyElse has the number of the process that changed things be somebody
// else's by the time of the rollback.
func TestKillsNobodyElse(t *testing.T) {
	needHosts(t)
	const check = "kill -0 $! 2>/dev/null && lvsctl_started $! && echo lives || echo dead\n"
	for name, args := range surroundings(t) {
		for changer, want := range map[string]string{"$!.1": "lives\n", "$!": "lives\n", "$(lvsctl_process $!)": "dead\n"} {
			t.Run(name+"/"+changer, func(t *testing.T) {
				t.Parallel()
				setup := "sleep 60 & echo " + changer + " >/run/lvsctl/t/changer\nSHELL"
				script := strings.Replace(rolledBack(), "SHELL", setup, 1) + check
				out, _ := host(t, name, Definitions(runs)+strings.Replace(script, "SHELL", Cmd(args...).String(), 1))
				if !strings.HasSuffix(out, want) {
					t.Errorf("want %q, have %q", want, out)
				}
			})
		}
	}
}

// TestRollbackFindsTools arms where a tool is in a folder of the login's, as on NixOS. The
// rollback, which may be begun with no environment at all, finds it too.
func TestRollbackFindsTools(t *testing.T) {
	needHosts(t)
	var rollback Script
	rollback.Line(Call(BeginRollback, "web"), ` "$@"`)
	rollback.Line("lvsctl-odd")
	rollback.Line(Call(EndRollback, "/root/r/web.json", "/root/r"))
	const arm = `mkdir r odd; printf '#!/bin/sh\necho put back\n' >odd/lvsctl-odd; chmod +x odd/lvsctl-odd
PATH=$PATH:/root/odd; lvsctl_environment; (lvsctl_arm ROLLBACK old)
env -i SHELL /run/lvsctl/t/rollback.sh now
`
	for name, args := range surroundings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := Definitions(Arm, Environment, Report) + transaction + strings.NewReplacer("ROLLBACK", Quote(rollback.String()), "SHELL", Cmd(args...).String()).Replace(arm)
			if out, _ := host(t, name, script); out != "n armed\nput back\n" {
				t.Errorf("have %q", out)
			}
		})
	}
}

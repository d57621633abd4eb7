package persist

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// roots are the files of nodes that Section reads. Programs are in bin.
var roots = map[string]struct {
	files  string
	want   Boot
	choose netsystem.Name
}{
	"el6": {`
-- etc/redhat-release --
CentOS release 6.10 (Final)
-- etc/sysconfig/network-scripts/ifup-aliases --
-- etc/rc.d/rc3.d/S10network --
-- etc/sysconfig/network-scripts/ifcfg-eth0 --
# Created by cloud-init on instance boot automatically, do not edit.
DEVICE="eth0"
BOOTPROTO=none
IPADDR=10.1.0.2
NETMASK=255.255.255.0
ONBOOT="yes"
-- etc/sysconfig/network-scripts/ifcfg-lo --
DEVICE=lo
IPADDR=127.0.0.1
NETMASK=255.0.0.0
-- etc/sysconfig/network-scripts/ifcfg-lo:7 --
DEVICE=lo:7
IPADDR=10.9.9.9
-- etc/sysconfig/network-scripts/route-eth0 --
ADDRESS0=10.60.0.0
NETMASK0=255.255.0.0
-- etc/init.d/ipvsadm --
IPVSADM_DATA=/etc/sysconfig/ipvsadm
-- etc/sysconfig/ipvsadm-config --
# IPVS_SAVE_ON_STOP="no"
IPVS_SAVE_ON_RESTART="yes"
-- etc/sysconfig/ipvsadm --
# by hand
-A -t 10.1.0.101:80 -s rr
# BEGIN lvsctl web (there was no newline before this)
-A -t 10.1.0.100:80 -s rr
# END lvsctl web
-a -t 10.1.0.101:80 -r 10.1.0.9:80 -g
-- etc/rc.d/rc.local --
#!/bin/sh
touch /var/lock/subsys/local
-- etc/sysctl.conf --
# net.ipv4.ip_forward = 1
net.ipv4.ip_forward = 0
kernel.sysrq = 0
-- sys/class/net/eth0/ifindex --
2
`, Boot{
		RedHat: 6, NetworkScripts: true,
		Devices: map[string]Device{"eth0": {}}, Aliases: map[string]bool{"lo:7": true},
		Ifcfg: map[string]Ifcfg{
			"lo":   {Path: scriptsDir + "ifcfg-lo", OnBoot: true, First: netip.MustParsePrefix("127.0.0.1/8")},
			"eth0": {Path: scriptsDir + "ifcfg-eth0", OnBoot: true, First: netip.MustParsePrefix("10.1.0.2/24")},
		},
		Indexed: map[string]bool{scriptsDir + "route-eth0": true},
		Sets: []FileAddress{
			{Path: scriptsDir + "ifcfg-eth0", Dev: "eth0", Prefix: netip.MustParsePrefix("10.1.0.2/24")},
			{Path: scriptsDir + "ifcfg-lo", Dev: "lo", Prefix: netip.MustParsePrefix("127.0.0.1/8")},
			{Path: scriptsDir + "ifcfg-lo:7", Dev: "lo", Prefix: netip.MustParsePrefix("10.9.9.9/32"), NoLength: true},
		},
		FileRoutes: []FileRoute{{scriptsDir + "route-eth0", state.NewRouteKey(netip.MustParsePrefix("10.60.0.0/16"), 0), state.Route{Dev: "eth0"}}},
		Table:      TableRedHat, Saves: true, RCLocal: rcLocalRedHat,
		Restored:    []string{"-A -t 10.1.0.101:80 -s rr", "-a -t 10.1.0.101:80 -r 10.1.0.9:80 -g"},
		Assignments: []Assignment{{sysctlConf, 2, "net/ipv4/ip_forward", "0"}},
		Written:     map[string]string{scriptsDir + "ifcfg-eth0": "# Created by cloud-init on instance boot automatically, do not edit."},
	}, netsystem.NetworkScripts},
	"el9 whose scripts are off": {`
-- etc/redhat-release --
Rocky Linux release 9.3 (Blue Onyx)
-- etc/sysconfig/network-scripts/ifup-aliases --
-- run/systemd/system/x --
-- etc/systemd/system/dbus-org.freedesktop.nm-dispatcher.service --
-- bin/systemctl --
[ "$*" = "is-active --quiet NetworkManager" ]
-- bin/NetworkManager --
echo 1.44.0-3.el9
-- run/NetworkManager/devices/2 --
[device]
managed=true
-- run/NetworkManager/devices/1 --
[device]
managed=false
-- etc/NetworkManager/system-connections/lo.nmconnection --
[connection]
type=loopback
-- usr/lib/systemd/system/ipvsadm.service --
ExecStart=/bin/bash -c "exec /sbin/ipvsadm-restore < /etc/sysconfig/ipvsadm"
-- sys/class/net/eth0/ifindex --
2
-- sys/class/net/lo/ifindex --
1
-- etc/sysctl.d/zz-late.conf --
-net/ipv4/conf/eth0.100/rp_filter=1
- net.ipv4.conf.eth0/100.arp_ignore	=  2
`, Boot{
		RedHat: 9, NetworkManager: "1.44.0-3.el9",
		Devices: map[string]Device{"eth0": {NetworkManager: true}, "lo": {}},

		Loopback: []string{profilesDir + "lo.nmconnection"}, Table: TableRedHat,
		Assignments: []Assignment{
			{"/etc/sysctl.d/zz-late.conf", 1, "net/ipv4/conf/eth0.100/rp_filter", "1"},
			{"/etc/sysctl.d/zz-late.conf", 2, "net/ipv4/conf/eth0.100/arp_ignore", "2"},
		},
	}, netsystem.NetworkManager},
	"debian": {`
-- run/systemd/system/x --
-- bin/systemctl --
exit 3
-- etc/network/interfaces --
source /etc/network/interfaces.d/*
auto lo
iface lo inet loopback
-- etc/network/interfaces.d/lvs --
  iface lo:0 inet static
-- etc/init.d/ipvsadm --
. /etc/default/ipvsadm
-- etc/default/ipvsadm --
AUTO="false"
# BEGIN lvsctl other
AUTO="true"
# END lvsctl other
-- etc/ipvsadm.rules --
# This file is managed by Puppet. DO NOT EDIT.
-A -t 10.1.0.101:80 -s rr
-- etc/hosts --
127.0.0.1 localhost
  # Ansible managed
-- etc/rc.local --
exit 0
-- sys/class/net/eth0/ifindex --
2
`, Boot{
		Ifupdown: true, Devices: map[string]Device{"eth0": {}},
		Table:    TableDebian,
		Restored: []string{"-A -t 10.1.0.101:80 -s rr"}, RCLocal: rcLocal, RCExit: true,
		Written: map[string]string{debianRules: "# This file is managed by Puppet. DO NOT EDIT.", "/etc/hosts": "# Ansible managed"},
	}, netsystem.Ifupdown},
	"ubuntu": {`
-- run/systemd/system/x --
-- bin/systemctl --
[ "$3" = systemd-networkd ]
-- bin/netplan --
-- etc/netplan/00-installer.yaml --
network: {}
-- run/systemd/netif/links/2 --
ADMIN_STATE=configured
NETWORK_FILE=/run/systemd/network/10-netplan-uplink.network
-- run/systemd/network/10-netplan-uplink.network --
[Match]
Name=bond0

[Network]
Address=10.1.0.2/24

[Route]
Destination=10.60.0.0/16
Gateway=10.1.0.254
-- etc/systemd/network/10-netplan-uplink.network.d/lvsctl.conf --
# BEGIN lvsctl web (there was no file before this)
[Address]
Address=10.1.0.100/32
# END lvsctl web
-- etc/systemd/network/20-other.network --
[Network]
Address=10.9.0.2/24
-- sys/class/net/bond0/ifindex --
2
-- sys/class/net/bond0/uevent --
DEVTYPE=bond
INTERFACE=bond0
`, Boot{
		Netplan: true, Networkd: true, Devices: map[string]Device{"bond0": {Network: netplanUnit + "uplink.network", Class: "bond"}},
		Sets: []FileAddress{{Path: netplanUnit + "uplink.network", Dev: "bond0", Prefix: netip.MustParsePrefix("10.1.0.2/24")}},
		FileRoutes: []FileRoute{{
			netplanUnit + "uplink.network:7", state.NewRouteKey(netip.MustParsePrefix("10.60.0.0/16"), 0),
			state.Route{Via: netip.MustParseAddr("10.1.0.254"), Dev: "bond0"},
		}},
	}, netsystem.Netplan},
	"alpine": {`
-- run/openrc/softlevel --
default
-- etc/network/interfaces --
auto eth0
iface eth0 inet dhcp
-- etc/init.d/modules --
  for f in /etc/modules /etc/modules-load.d/*.conf; do
-- etc/init.d/sysctl --
-- etc/init.d/ipvsadm --
  ipvsadm-restore </var/lib/ipvsadm/rules-save
-- etc/runlevels/boot/networking --
-- bin/ipvsadm-restore --
-- var/lib/ipvsadm/rules-save --
-A -t 10.1.0.101:80 -s rr
-- sys/class/net/eth0/ifindex --
2
`, Boot{
		Ifupdown: true, Devices: map[string]Device{"eth0": {}},
		Table: TableOpenRC, OpenRC: OpenRC{Modules: true, Sysctl: true}, Restored: []string{"-A -t 10.1.0.101:80 -s rr"},
	}, netsystem.Ifupdown},
	"alpine whose ifup is off, and old, without bash": {`
-- run/openrc/softlevel --
default
-- etc/network/interfaces --
iface eth0 inet dhcp
-- etc/init.d/modules --
  cat /etc/modules
-- bin/ipvsadm-restore --
#!/none/bash -e
-- sys/class/net/eth0/ifindex --
2
`, Boot{
		Devices: map[string]Device{"eth0": {}}, OpenRC: OpenRC{Modules: true, EtcModules: true, NoNetworking: true, NoRestore: true},
	}, ""},
	"nothing": {"", Boot{}, ""},
}

var absolute = regexp.MustCompile(`(^|[ "<'])(/(?:etc|sys|run|var|usr|lib)/)`)

// TestSection runs the script in each shell that nodes have, with a folder in place of /.
// It may use no tool but sed and grep and few processes, print no error, and write nothing.
func TestSection(t *testing.T) {
	read := Section()
	script := shell.Definitions(read.Calls) + read.String()
	for sh, args := range map[string][]string{"dash": nil, "bash": {"--posix"}, "busybox": {"sh"}} {
		for name, c := range roots {
			t.Run(sh+"/"+name, func(t *testing.T) {
				need(t, sh, "grep", "sed")
				root, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
				for _, f := range txtar.Parse([]byte(c.files)).Files {
					mode := os.FileMode(0o644)
					text := string(f.Data)
					if strings.HasPrefix(f.Name, "bin/") || strings.HasSuffix(f.Name, "rc.local") {
						mode = 0o755
						if !strings.HasPrefix(text, "#!") {
							text = "#!/bin/sh\n" + text
						}
					}
					write(t, filepath.Join(root, f.Name), text, mode)
				}
				for _, tool := range []string{"grep", "sed"} {
					path, err := exec.LookPath(tool)
					check(t, err)
					write(t, filepath.Join(root, "bin", tool), "#!/bin/sh\necho "+tool+" >>"+log+"\nexec "+path+" \"$@\"\n", 0o755)
				}
				before := tree(t, root)
				path, err := exec.LookPath(sh)
				check(t, err)
				cmd := exec.Command(path, append(args, "-c", "set -u\n"+absolute.ReplaceAllString(script, "${1}"+root+"${2}"))...)
				cmd.Env = []string{"PATH=" + root + "/bin"}
				var complaints strings.Builder
				cmd.Stderr = &complaints
				out, err := cmd.Output()
				if err != nil || complaints.Len() > 0 {
					t.Errorf("%v: %s", err, complaints.String())
				}
				have := Parse(strings.ReplaceAll(string(out), root, ""))
				if d := cmp.Diff(c.want, have, same); d != "" {
					t.Error(d)
				}
				if choice := Choose(have, []string{"eth0", "bond0"}); choice != c.choose {
					t.Errorf("chooses %q, not %q", choice, c.choose)
				}
				if d := cmp.Diff(before, tree(t, root)); d != "" {
					t.Errorf("the script changed files: %s", d)
				}
				if sh == "busybox" {
					return // busybox has its tools built in
				}
				runs, err := os.ReadFile(log)
				check(t, err)
				if n := strings.Count(string(runs), "\n"); n > 6 {
					t.Errorf("%d processes: %s", n, runs)
				}
			})
		}
	}
}

// tree lists the files below a folder with their modification times.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	check(t, filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			all[path] = info.Mode().String() + " " + info.ModTime().String()
		}
		return err
	}))
	return all
}

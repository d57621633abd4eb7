package persist

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsctl/lvsctl/internal/netsystem"
)

func TestChoose(t *testing.T) {
	nm := func(devices ...string) map[string]Device {
		all := map[string]Device{}
		for _, d := range devices {
			all[d] = Device{NetworkManager: true}
		}
		return all
	}
	by := func(file string) map[string]Device { return map[string]Device{"eth0": {Network: file}} }
	for _, c := range []struct {
		name string
		boot Boot
		want netsystem.Name
	}{
		{"Debian, NetworkManager for wlan0 and ifupdown for eth0", Boot{Ifupdown: true, NetworkManager: "1.42.4", Devices: nm("wlan0")}, netsystem.Ifupdown},
		{"Debian, NetworkManager for eth0, and interfaces has lo", Boot{Ifupdown: true, NetworkManager: "1.42.4", Devices: nm("eth0")}, netsystem.NetworkManager},
		{"Debian, networkd", Boot{Networkd: true, Ifupdown: true, Devices: by("/etc/systemd/network/eth0.network")}, netsystem.Networkd},
		{"Ubuntu server", Boot{Netplan: true, Networkd: true, Devices: by(netplanUnit + "eth0.network")}, netsystem.Netplan},
		{"Ubuntu server whose eth0 is networkd's own", Boot{Netplan: true, Networkd: true, Devices: by("/etc/systemd/network/eth0.network")}, netsystem.Networkd},
		{"Ubuntu desktop", Boot{Netplan: true, NetworkManager: "1.46.0", Devices: nm("eth0")}, netsystem.NetworkManager},
		{"EL6", Boot{RedHat: 6, NetworkScripts: true}, netsystem.NetworkScripts},
		{"EL7", Boot{RedHat: 7, NetworkScripts: true, NetworkManager: "1.18.8", Devices: nm("eth0")}, netsystem.NetworkScripts},
		{"EL7 whose network service is off", Boot{RedHat: 7, NetworkManager: "1.18.8", Devices: nm("eth0")}, netsystem.NetworkManager},
		{"EL8 with network-scripts", Boot{RedHat: 8, NetworkScripts: true, NetworkManager: "1.40.16", Devices: nm("eth0")}, netsystem.NetworkScripts},
		{"EL8", Boot{RedHat: 8, NetworkManager: "1.40.16", Devices: nm("eth0")}, netsystem.NetworkManager},
		{"EL9 with network-scripts", Boot{RedHat: 9, NetworkScripts: true, NetworkManager: "1.44.0", Devices: nm("eth0")}, netsystem.NetworkManager},
		{"EL9 with network-scripts alone", Boot{RedHat: 9, NetworkScripts: true}, netsystem.NetworkScripts},
		{"EL9", Boot{RedHat: 9, NetworkManager: "1.44.0", Devices: nm("eth0")}, netsystem.NetworkManager},
		{"Alpine", Boot{Ifupdown: true}, netsystem.Ifupdown},
		{"a container", Boot{Devices: by("")}, ""},
	} {
		if have := Choose(c.boot, []string{"eth0"}); have != c.want {
			t.Errorf("%s: %q, not %q", c.name, have, c.want)
		}
	}
}

// same are options of cmp: an empty map equals nil, and addresses are compared by value.
var same = cmp.Options{cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{}), cmpopts.EquateEmpty()}

func TestParse(t *testing.T) {
	eth0 := "/sys/class/net/eth0/ifindex:1:2\n"
	for text, want := range map[string]Boot{
		"":                                     {},
		"what is this\n":                       {},
		"redhat CentOS release 6.10 (Final)\n": {RedHat: 6},
		"redhat CentOS Linux release 7.9.2009 (Core)\n":          {RedHat: 7},
		"redhat Red Hat Enterprise Linux release 8.10 (Ootpa)\n": {RedHat: 8},
		"redhat AlmaLinux release 10.0 (Purple Lion)\n":          {RedHat: 10},
		"redhat Fedora release 40 (Forty)\n":                     {},
		"redhat CentOS Stream release nine\n":                    {},
		"scripts\n":                                              {NetworkScripts: true},
		"nm 1.42.4\n":                                            {NetworkManager: "1.42.4"},
		"nm \n":                                                  {NetworkManager: "0"},
		"networkd\nnetplan\n":                                    {Networkd: true, Netplan: true},
		eth0 + "/run/systemd/netif/links/2:4:NETWORK_FILE=/a.network\n":                   {Devices: map[string]Device{"eth0": {Network: "/a.network"}}},
		eth0 + "/run/systemd/netif/links/9:4:NETWORK_FILE=/a.network\n":                   {Devices: map[string]Device{"eth0": {}}},
		eth0 + "/run/NetworkManager/devices/2:2:managed=true\n":                           {Devices: map[string]Device{"eth0": {NetworkManager: true}}},
		eth0 + "/sys/class/net/eth0/uevent:1:DEVTYPE=vlan\n":                              {Devices: map[string]Device{"eth0": {Class: "vlan"}}},
		"/etc/network/interfaces:1:iface \n":                                              {},
		"/etc/network/interfaces:1:iface eth0 inet dhcp\n":                                {Ifupdown: true},
		"/etc/network/interfaces.d/a:1::2:\tiface lo:3 inet static\n":                     {Ifupdown: true},
		"/etc/sysctl.conf:x:net.ipv4.ip_forward=1\n/etc/passwd:1:net.ipv4.ip_forward=1\n": {},
		"/etc/rc.d/rc.local:9:exit\n":                                                     {},
		"alias lo:0\n":                                                                    {Aliases: map[string]bool{"lo:0": true}},
		"/etc/NetworkManager/system-connections/a b:3:type=loopback\n/etc/NetworkManager/system-connections/a b:9:type=loopback\n": {Loopback: []string{"/etc/NetworkManager/system-connections/a b"}},
		"" + scriptsDir + "route-eth0:1:ADDRESS0=1\n":                                                                                        {Indexed: map[string]bool{scriptsDir + "route-eth0": true}, UnreadRoutes: []string{scriptsDir + "route-eth0"}},
		"service redhat\n/etc/sysconfig/ipvsadm-config:7:IPVS_SAVE_ON_STOP=yes\n":                                                            {Table: TableRedHat, Saves: true},
		"service redhat\n/etc/sysconfig/ipvsadm-config:7:IPVS_SAVE_ON_STOP=yes # no\n/etc/sysconfig/ipvsadm-config:8:IPVS_SAVE_ON_STOP=no\n": {Table: TableRedHat},
		"service redhat\n/etc/sysconfig/ipvsadm-config:7:export A=1 IPVS_SAVE_ON_RESTART='yes'\t# x\n":                                       {Table: TableRedHat, Saves: true},
		"/etc/default/ipvsadm:2:AUTO=\"true\"\n":                                                                                             {Auto: true},
		"/etc/default/ipvsadm:2:  export AUTO='true'\t# at boot\n":                                                                           {Auto: true},
		"/etc/default/ipvsadm:2:DAEMON=none; AUTO=\"true\"\n":                                                                                {Auto: true},
		"/etc/default/ipvsadm:2:AUTO=\"true\"\n/etc/default/ipvsadm:3:AUTO=false\n":                                                          {},
		"/etc/default/ipvsadm:2:# BEGIN lvsctl web\n/etc/default/ipvsadm:3:AUTO=true\n/etc/default/ipvsadm:4:# END lvsctl web\n":             {},
		"nodispatcher\n":                   {NoDispatcher: true},
		"rule -A -t 10.1.0.100:80 -s rr\n": {Restored: []string{"-A -t 10.1.0.100:80 -s rr"}},
		"rclocal /etc/rc.local\n/etc/rc.local:9:exit 0\n/etc/rc.d/rc.local:2:exit\n": {RCLocal: "/etc/rc.local", RCExit: true},
		"/etc/sysctl.conf:3:net.ipv4.ip_forward\n":                                   {},
		"/etc/sysctl.conf:3: - net.ipv4.conf.a/b.x =  1\t 2 \n":                      {Assignments: []Assignment{{"/etc/sysctl.conf", 3, "net/ipv4/conf/a.b/x", "1 2"}}},
		"/etc/sysctl.conf:3:net/ipv4/conf/a.b/x=1\n":                                 {Assignments: []Assignment{{"/etc/sysctl.conf", 3, "net/ipv4/conf/a.b/x", "1"}}},
	} {
		if d := cmp.Diff(want, Parse(text), same); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

func TestSince(t *testing.T) {
	for version, want := range map[string]bool{"": false, "0": false, "1": false, "1.41.90": false, "1.42": true, "1.42.2-1.el9": true, "1.100": true, "2.0": true, "x": false} {
		if have := (Boot{NetworkManager: version}).since(1, 42); have != want {
			t.Errorf("%q: %t", version, have)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("/sys/class/net/eth0/ifindex:1:2\n/run/systemd/netif/links/2:1:NETWORK_FILE=/a\n" + scriptsDir + "ifcfg-eth0:1:IPADDR=10.1.0.2\n" + scriptsDir + "ifcfg-eth0:2:NETMASK=1.2.3.4")
	f.Add("/etc/sysctl.conf:3:net.ipv4.ip_forward=1\nrule -A -f -6\n/etc/default/ipvsadm:1:AUTO=\nredhat a release .")
	f.Fuzz(func(t *testing.T, text string) {
		a := Parse(text)
		if d := cmp.Diff(a, Parse(text), same); d != "" {
			t.Fatal(d)
		}
		Choose(a, []string{"eth0"})
		a.foreignServices()
		a.since(1, 42)
	})
}

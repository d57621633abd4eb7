package plan_test

import (
	"net/netip"

	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/persist"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/state/statetest"
)

// drawBoot draws a node's init and network system, with the files that such a system has.
func drawBoot(t *rapid.T, n *statetest.Node) persist.Boot {
	b := persist.Boot{Devices: map[string]persist.Device{}}
	if chance(t, 70, "systemd") {
		n.Init = state.InitSystemd
		n.Units["ipvsadm"] = true
	}
	switch pick[netsystem.Name](t, "network system", "", netsystem.NetworkScripts, netsystem.NetworkManager, netsystem.Ifupdown, netsystem.Netplan, netsystem.Networkd) {
	case netsystem.NetworkScripts:
		b.NetworkScripts, b.RedHat = true, pick(t, "release", 6, 7, 8)
		n.Files["/etc/sysconfig/network"] = "NETWORKING=yes\n"
		n.Files["/etc/sysconfig/network-scripts/ifcfg-eth0"] = "DEVICE=eth0\nGATEWAY=10.1.0.254"
		if chance(t, 70, "static") {
			path := "/etc/sysconfig/network-scripts/ifcfg-eth0"
			b.Ifcfg = map[string]persist.Ifcfg{"eth0": {Path: path, OnBoot: true, First: netip.MustParsePrefix("10.1.0.2/24")}}
		}
		b.Aliases = map[string]bool{"lo:0": chance(t, 50, "alias")}
	case netsystem.NetworkManager:
		b.NetworkManager = pick(t, "NetworkManager", "1.30.0", "1.42.4", "1.52.0")
		b.Devices["eth0"] = persist.Device{NetworkManager: true}
	case netsystem.Ifupdown:
		b.Ifupdown = true
		n.Files["/etc/network/interfaces"] = "auto lo\niface lo inet loopback\n"
	case netsystem.Netplan:
		b.Netplan, b.Networkd = true, true
		b.Devices["eth0"] = persist.Device{Network: "/run/systemd/network/10-netplan-eth0.network"}
	case netsystem.Networkd:
		b.Networkd = true
		b.Devices["eth0"] = persist.Device{Network: "/etc/systemd/network/eth0.network"}
	}
	if b.Table = pick(t, "table", "", persist.TableRedHat, persist.TableDebian); b.Table == persist.TableDebian {
		n.Files["/etc/default/ipvsadm"] = "AUTO=\"false\"\n"
	}
	if chance(t, 50, "rules file") {
		n.Files["/etc/ipvsadm.rules"] = "-A -t 10.250.0.1:80 -s rr\n"
		n.Files["/etc/sysconfig/ipvsadm"] = "-A -t 10.250.0.1:80 -s rr\n"
	}
	if chance(t, 50, "rc.local") {
		b.RCLocal = "/etc/rc.local"
		n.Files["/etc/rc.local"] = "#!/bin/sh\nexit 0\n"
	}
	return b
}

package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/state"
)

// What a person is told of a director's keepalived: what a change of its file endangers,
// and what on the node works against it.

// keepalivedRisk says what a change of keepalived's endangers.
func (in *Input) keepalivedRisk(c state.Change) Risk {
	var list []string
	switch {
	case c.Kind == state.KindConf && c.Op == state.Edit && in.Keepalived != nil:
		if in.Live.Facts.Keepalived.Foreign {
			return in.foreignConf()
		}
	case c.Kind == state.KindKeepalived && c.Op == state.Edit:
		for _, e := range in.pair.effects {
			list = append(list, e.What)
		}
	}
	return Risk(strings.Join(list, "; "))
}

// foreignConf says what ends when a file that somebody else wrote is replaced: instances
// and services that the topology does not have. It is "" for the sample that a package
// brings.
func (in *Input) foreignConf() Risk {
	k := in.Live.Facts.Keepalived
	conf := in.Live.State.Confs[keepalived.File]
	if isSample(in.Live.State.Texts[conf.Hash].Text, k.File) {
		return ""
	}
	type service struct {
		addr netip.AddrPort
		mark uint32
	}
	routerIDs, services := map[int]bool{}, map[service]bool{}
	for _, i := range in.Keepalived.Instances {
		routerIDs[i.RouterID] = true
	}
	for _, s := range in.Keepalived.Services {
		services[service{s.Addr, s.Mark}] = true
	}
	var lost []string
	for _, i := range k.File.Instances {
		if !routerIDs[i.RouterID] {
			lost = append(lost, "vrrp_instance "+i.Name)
		}
	}
	for _, s := range k.File.Services {
		if !services[service{s.Addr, s.Mark}] {
			lost = append(lost, "virtual_server "+s.Name())
		}
	}
	text := "somebody else wrote this file; it is kept beside as " + keepalived.File + ".before-lvsctl, and comes back with a destroy"
	if k.Includes {
		lost = append(lost, "the files that it includes")
	}
	if len(lost) > 0 {
		text += "; what ends with it: " + strings.Join(lost, ", ")
	}
	return Risk(text)
}

// keepalivedWarnings are what a person should know of a director's keepalived.
func (in *Input) keepalivedWarnings() []string {
	if in.Keepalived == nil {
		return nil
	}
	var list []string
	runs := in.runsKeepalived()
	_, ours := in.Live.Record.Set.Keepalived[state.KeepalivedName]
	if !runs && ours {
		stale := ""
		for k := range in.Want.Governed.Addresses {
			if in.pair.answers[k.Prefix.Addr()] {
				stale += fmt.Sprintf("; it left %s behind, which another director may hold too", k.Prefix.Addr())
			}
		}
		list = append(list, "keepalived does not run any more"+stale)
	}
	return append(list, in.vrrpWarnings()...)
}

// allowVRRP is how each firewall lets VRRP in.
var allowVRRP = map[string]string{
	"firewalld": "firewall-cmd --permanent --add-rich-rule='rule protocol value=\"vrrp\" accept' && firewall-cmd --reload",
	"nftables":  "nft insert rule FAMILY TABLE CHAIN ip protocol vrrp accept",
	"iptables":  "iptables -I INPUT -p vrrp -j ACCEPT",
}

// vrrpWarnings name what on the node works against keepalived.
func (in *Input) vrrpWarnings() []string {
	facts := &in.Live.Facts.Keepalived
	var list []string
	if facts.Firewall != "" {
		list = append(list, fmt.Sprintf("its firewall (%s) seems to let no VRRP in, and a director that hears no other becomes master too; allow IP protocol 112: %s", facts.Firewall, allowVRRP[facts.Firewall]))
	}
	if facts.SELinux {
		list = append(list, "SELinux lets keepalived connect only to the ports of its policy, so that checks of other ports fail and take the servers out; allow them: setsebool -P keepalived_connect_any on")
	}
	v := in.pair.version
	if !v.Known() || !v.Before(keepalived.Version{2, 0, 0}) {
		return list
	}
	list = append(list, fmt.Sprintf("keepalived %s does not notice when something deletes an address of its own from the device: nobody would serve", v))
	for dev := range slices.Values(floatingDevices(in)) {
		if in.Live.Facts.Boot.Devices[dev].NetworkManager {
			list = append(list, fmt.Sprintf("NetworkManager deletes them from %s when it sets the device up anew (nmcli connection up)", dev))
		}
	}
	return list
}

// vrrpNotes say what else sets up the devices of the addresses that keepalived moves.
func (in *Input) vrrpNotes() []string {
	if in.Keepalived == nil || in.pair.version.Before(keepalived.Version{2, 0, 0}) {
		return nil
	}
	var list []string
	for _, dev := range floatingDevices(in) {
		if in.Live.Facts.Boot.Devices[dev].NetworkManager {
			list = append(list, fmt.Sprintf("when NetworkManager sets %s up anew (nmcli connection up), its VIPs are gone until keepalived sets them again, less than a second later", dev))
		}
	}
	return list
}

// down are the servers that keepalived took out.
func down(in *Input) []string {
	var list []string
	for k := range in.Want.Servers {
		if in.Live.State.Down(k) {
			list = append(list, k.String())
		}
	}
	slices.Sort(list)
	return list
}

// sampleMail is in the file that Red Hat's package brings. People keep it when they write
// their own, so that the addresses have to be the sample's too.
const sampleMail = "acassen@firewall.loc"

var sampleAddresses = map[netip.Addr]bool{
	netip.MustParseAddr("192.168.200.16"): true, netip.MustParseAddr("192.168.200.17"): true, netip.MustParseAddr("192.168.200.18"): true,
	netip.MustParseAddr("192.168.200.100"): true, netip.MustParseAddr("10.10.10.2"): true, netip.MustParseAddr("10.10.10.3"): true,
}

// isSample reports whether a file is the packaged sample, which is nobody's.
func isSample(text string, c keepalived.Config) bool {
	if !strings.Contains(text, sampleMail) {
		return false
	}
	for _, i := range c.Instances {
		if slices.ContainsFunc(i.Addresses(), func(a keepalived.Address) bool { return !sampleAddresses[a.Prefix.Addr()] }) {
			return false
		}
	}
	return !slices.ContainsFunc(c.Services, func(s keepalived.Service) bool { return !sampleAddresses[s.Addr.Addr()] })
}

package persist

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lvsctl/lvsctl/internal/golden"
	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// known are network systems, with the output of Section and of the unit section on a node
// that has them.
var known = map[string]struct {
	init, manager string
	boot          Boot
}{
	"el6": {state.InitRedHat, "yum", Boot{
		RedHat: 6, NetworkScripts: true, Ifcfg: plainIfcfg, Table: TableRedHat, RCLocal: rcLocalRedHat,
	}},
	"el7": {state.InitSystemd, "yum", Boot{
		RedHat: 7, NetworkScripts: true, NetworkManager: "1.18.8", Ifcfg: plainIfcfg, Table: TableRedHat, RCLocal: rcLocalRedHat,
		Devices: map[string]Device{"eth0": {NetworkManager: true}, "eth1": {NetworkManager: true}},
	}},
	"el8-scripts": {state.InitSystemd, "dnf", Boot{
		RedHat: 8, NetworkScripts: true, Ifcfg: plainIfcfg, Table: TableRedHat,
		Indexed: map[string]bool{scriptsDir + "route-eth0": true},
	}},
	"networkmanager-1.30": {state.InitSystemd, "dnf", Boot{
		RedHat: 8, NetworkManager: "1.30.0", Table: TableRedHat,
		Devices: map[string]Device{"eth0": {NetworkManager: true}},
	}},
	"networkmanager-1.42": {state.InitSystemd, "dnf", Boot{
		RedHat: 9, NetworkManager: "1.42.2-1.el9", Table: TableRedHat,
		Devices:  map[string]Device{"eth0": {NetworkManager: true}},
		Loopback: []string{"/run/NetworkManager/system-connections/lo.nmconnection"},
	}},
	"ifupdown": {state.InitSystemd, "apt-get", Boot{
		Ifupdown: true, Table: TableDebian, Restored: []string{"-A -t 10.1.0.101:80 -s rr"},
	}},
	"ifupdown-sysv": {state.InitDebian, "apt-get", Boot{
		Ifupdown: true, Table: TableDebian, Auto: true, RCLocal: rcLocal, RCExit: true,
		Aliases: map[string]bool{"lo:0": true},
	}},
	"netplan": {state.InitSystemd, "apt-get", Boot{
		Netplan: true, Networkd: true, Table: TableDebian,
		Devices: map[string]Device{
			"eth0": {Network: netplanUnit + "uplink.network"}, "eth1": {Network: netplanUnit + "eth1.network", Class: "bond"},
		},
	}},
	"networkd": {state.InitSystemd, "apt-get", Boot{
		Networkd: true, Table: TableDebian,
		Devices: map[string]Device{"eth0": {Network: "/etc/systemd/network/20-wired.network"}},
	}},
	"openrc": {state.InitOpenRC, "apk", Boot{
		Ifupdown: true, Table: TableOpenRC, OpenRC: OpenRC{Modules: true, Sysctl: true},
	}},
	"openrc-bare": {state.InitOpenRC, "apk", Boot{
		OpenRC: OpenRC{Modules: true, Sysctl: true, EtcModules: true, NoNetworking: true, NoRestore: true},
	}},
	"systemd":       {state.InitSystemd, "", Boot{}},
	"rclocal":       {"", "", Boot{RCLocal: rcLocal}},
	"nothing-known": {"", "", Boot{}},
}

var plainIfcfg = map[string]Ifcfg{
	"lo":   {Path: scriptsDir + "ifcfg-lo", OnBoot: true, First: netip.MustParsePrefix("127.0.0.1/8")},
	"eth0": {Path: scriptsDir + "ifcfg-eth0", OnBoot: true, First: netip.MustParsePrefix("10.1.0.11/24")},
	"eth1": {Path: scriptsDir + "ifcfg-eth1", OnBoot: true, First: netip.MustParsePrefix("192.0.2.2/24")},
}

// wanted is a case: what the topology web wants of a node, and what was there before.
type wanted struct {
	want, before *state.State
	floating     []string
}

func goldens() map[string]wanted {
	vip, vip2, vip6 := "10.1.0.100/32", "10.1.0.101/32", "2001:db8::100/128"
	tcp := service("tcp", "10.1.0.100:80")
	director := made(
		module("ip_vs"), sysctl("net/ipv4/ip_forward", "1"), address(vip, "eth0"), address(vip2, "eth0"), address(vip6, "eth0"),
		func(s *state.State) {
			s.Timeouts = map[string]int{state.TimeoutTCP: 600, state.TimeoutUDP: 30}
			s.Daemons[state.DaemonMaster] = state.Daemon{Interface: "eth0", ID: 7}
			s.Services[tcp] = state.Service{Scheduler: "wlc", Timeout: 300, Mask: 24}
			s.Services[service("tcp", "10.1.0.101:80")] = state.Service{Scheduler: "sh", Flags: "sh-fallback,sh-port"}
			s.Services[service("udp", "[2001:db8::100]:53")] = state.Service{Scheduler: "rr", OnePacket: true}
			s.Services[state.ServiceKey{Protocol: state.FWMark, Mark: 4000000000, V6: true}] = state.Service{Scheduler: "rr"}
		},
		server(tcp, "10.1.0.11:80", state.Server{Forward: state.Direct, Weight: 3, Upper: 100, Lower: 50}),
		server(tcp, "10.1.0.12:80", state.Server{Forward: state.Tunnel, Weight: 1}),
	)
	full := made(module("ip_vs"), sysctl("net/ipv4/ip_forward", "1"), sysctl("net/ipv4/vs/conntrack", "1"),
		func(s *state.State) {
			k := state.RuleKey{Table: "nat", Chain: "POSTROUTING", Comment: state.RuleComment("web", "a", "snat")}
			s.Rules[k] = state.NewRule(k, []string{"-d", "10.1.0.11/32", "-m", "ipvs", "--vaddr", "192.0.2.2/32"}, []string{"-j", "SNAT", "--to-source", "10.1.0.2"})
			s.Services[service("tcp", "192.0.2.2:80")] = state.Service{Scheduler: "rr"}
		},
		server(service("tcp", "192.0.2.2:80"), "10.1.0.11:8080", state.Server{Forward: state.Masq, Weight: 1}))
	quiet := []func(*state.State){sysctl("net/ipv4/conf/all/arp_ignore", "1"), sysctl("net/ipv4/conf/all/arp_announce", "2")}
	return map[string]wanted{
		"director":         {want: director},
		"director-fullnat": {want: full},
		"dr":               {want: made(append(quiet, address(vip, "lo"), address(vip6, "lo"))...)},
		"nat":              {want: made(route("0.0.0.0/0", 0, "10.1.0.1", "eth0"))},
		"on-link": {want: made(func(s *state.State) {
			for _, dst := range []string{"0.0.0.0/0", "10.62.0.0/16"} {
				s.Routes[state.NewRouteKey(netip.MustParsePrefix(dst), 0)] = state.ByGateway(netip.MustParseAddr("198.51.100.1"), "eth0", true)
			}
		})},
		"nat-rule": {want: made(ruled("10.1.0.11", "10.1.0.1", "eth0"))},
		"nat-replaced": {
			want:   made(route("0.0.0.0/0", 0, "10.1.0.1", "eth0"), route("::/0", 0, "2001:db8::1", "eth0")),
			before: made(route("0.0.0.0/0", 0, "10.1.0.254", "eth0"), route("::/0", 0, "2001:db8::fe", "eth0")),
		},
		"pair":      {want: made(module("ip_vs")), floating: []string{"eth0", "eth1"}},
		"pair-more": {want: full, floating: []string{"eth1"}},
		"tun-gue": {want: made(append(quiet, module("ipip"), module("fou"),
			func(s *state.State) {
				s.Links["tunl0"] = state.Link{Up: true}
				s.FOUs[state.FOUKey{Port: 6080}], s.FOUs[state.FOUKey{Port: 6081, V6: true}] = state.FOU{Holds: state.GUE}, state.FOU{Holds: state.GUE}
			}, address(vip, "tunl0"))...)},
		"tun-gre": {want: made(append(quiet, module("ip_gre"), sysctl("net/ipv4/conf/gre0/rp_filter", "2"),
			func(s *state.State) { s.Links["gre0"] = state.Link{Up: true} }, address(vip, "gre0"))...)},
		"tun": {want: made(append(quiet, module("ipip"), sysctl("net/ipv4/conf/tunl0/rp_filter", "0"),
			func(s *state.State) { s.Links["tunl0"] = state.Link{Up: true} },
			address(vip, "tunl0"), address(vip2, "lo"),
			route("10.60.0.0/16", 0, "10.1.0.254", "eth0"), route("10.61.0.0/16", 5, "", "eth0"))...)},
	}
}

// report lists the sentences of an Output, and the services at boot.
func report(out Output) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(out.Units)) {
		fmt.Fprintf(&b, "service %s\n", name)
	}
	for _, l := range []struct {
		word string
		list []string
	}{{"note", out.Notes}, {"warning", out.Warnings}, {"problem", out.Problems}} {
		for _, text := range l.list {
			fmt.Fprintf(&b, "%s: %s\n", l.word, text)
		}
	}
	return b.String()
}

// archive returns all files of an Output. The name of a file contains its mode if that is
// not 0644.
func archive(name string, out Output) []txtar.File {
	texts := map[string]string{}
	for k, b := range out.Blocks {
		texts[k.Path] = b.Text
	}
	for path, f := range out.Files {
		if f.Mode != "0644" {
			path += " " + f.Mode
		}
		texts[path] = f.Text
	}
	var files []txtar.File
	for _, path := range slices.Sorted(maps.Keys(texts)) {
		if !strings.HasSuffix(path, ".save") { // the same everywhere; saved_test.go runs it
			files = append(files, txtar.File{Name: name + path, Data: []byte(texts[path])})
		}
	}
	if r := report(out); r != "" {
		files = append(files, txtar.File{Name: name + " says", Data: []byte(r)})
	}
	return files
}

// filesOf returns the files of a case on a known system.
func filesOf(system string, g wanted) Output {
	k := known[system]
	live := state.New()
	live.Init, live.Manager = k.init, k.manager
	if g.before == nil {
		g.before = state.New()
	}
	return Files(Input{
		Topology: "web", System: netsystem.Auto, Want: g.want, Before: g.before, Live: live, Boot: k.boot, Devices: []string{"eth0"}, Keepalived: len(g.floating) > 0, Floating: g.floating,
	})
}

// TestGolden compares the files of each system with testdata. The head of each file there
// tells where its lines come from.
func TestGolden(t *testing.T) {
	for _, system := range slices.Sorted(maps.Keys(known)) {
		t.Run(system, func(t *testing.T) {
			path := filepath.Join("testdata", system+".txtar")
			have := &txtar.Archive{}
			if text, err := os.ReadFile(path); err == nil {
				have.Comment = txtar.Parse(text).Comment
			}
			cases := goldens()
			for _, name := range slices.Sorted(maps.Keys(cases)) {
				out := filesOf(system, cases[name])
				have.Files = append(have.Files, archive(name, out)...)
				again := filesOf(system, goldens()[name])
				if d := cmp.Diff(out, again); d != "" {
					t.Errorf("the same input has two outputs: %s", d)
				}
			}
			if len(bytes.TrimSpace(have.Comment)) == 0 {
				t.Error("the head does not say where the lines come from")
			}
			golden.Check(t, path, string(txtar.Format(have)))
		})
	}
}

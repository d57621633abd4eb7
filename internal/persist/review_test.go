package persist

import (
	"fmt"
	"maps"
	"net/netip"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// filed returns the files of a node whose services are started by init.
func filed(topology string, system netsystem.Name, init string, b Boot, want *state.State) Output {
	live := state.New()
	live.Init = init
	return Files(Input{Topology: topology, System: system, Want: want, Before: state.New(), Live: live, Boot: b, Devices: []string{"eth0"}})
}

// said joins all sentences of an Output.
func said(out Output) string {
	return report(Output{Notes: out.Notes, Warnings: out.Warnings, Problems: out.Problems})
}

func TestSaid(t *testing.T) {
	forward, table := made(sysctl("net/ipv4/ip_forward", "1")), made(func(s *state.State) {
		s.Services[service("tcp", "10.1.0.100:80")] = state.Service{Scheduler: "rr"}
	})
	rule := made(func(s *state.State) {
		k := state.RuleKey{Table: "nat", Chain: "POSTROUTING", Comment: state.RuleComment("web", "a", "snat")}
		s.Rules[k] = state.NewRule(k, nil, []string{"-j", "MASQUERADE"})
	})
	sets := func(file, value string) Boot {
		return Boot{Assignments: []Assignment{{file, 3, "net/ipv4/ip_forward", value}}}
	}
	for _, c := range []struct {
		name   string
		system netsystem.Name
		init   string
		boot   Boot
		wanted *state.State
		want   string // part of the sentences; "" if there must be none
	}{
		{"a system that is not there", netsystem.Netplan, state.InitSystemd, Boot{Ifupdown: true}, forward,
			"problem: persist = \"netplan\", but no netplan is there that comes up at boot; write persist = \"auto\", or what it has\n"},
		{"a line read before", netsystem.Auto, state.InitSystemd, sets("/etc/sysctl.conf", "0"), forward,
			"note: /etc/sysctl.conf:3 sets net.ipv4.ip_forward = 0; at boot /etc/sysctl.d/zz-lvsctl.conf is read after it and wins\n"},
		{"a line read after", netsystem.Auto, state.InitSystemd, sets("/etc/sysctl.d/zzz.conf", "0"), forward,
			"warning: /etc/sysctl.d/zzz.conf:3 sets net.ipv4.ip_forward = 0, which is read after /etc/sysctl.d/zz-lvsctl.conf and wins at boot; remove that line\n"},
		{"a line that Debian without systemd reads after", netsystem.Auto, state.InitDebian, sets("/etc/sysctl.conf", "0"), forward,
			"warning: /etc/sysctl.conf:3 sets net.ipv4.ip_forward = 0, which is read after /etc/sysctl.d/zz-lvsctl.conf and wins at boot; remove that line\n"},
		{"the same file by its other name", netsystem.Auto, state.InitSystemd, sets("/etc/sysctl.d/99-sysctl.conf", "0"), forward, ""},
		{"a line that agrees", netsystem.Auto, state.InitSystemd, sets("/etc/sysctl.conf", "1"), forward, ""},
		{"another topology's or our own", netsystem.Auto, state.InitSystemd, sets(sysctlFile, "0"), forward, ""},
		{"rules that were not loaded", netsystem.Auto, state.InitSystemd, Boot{Ifupdown: true, Table: TableDebian, Restored: []string{"-A -t 10.1.0.9:80 -s rr"}}, table,
			"warning: /etc/ipvsadm.rules has other lines (1), which were not loaded at boot (AUTO=\"false\" in /etc/default/ipvsadm) and will be from now on; look through them\n"},
		{"rules that were loaded", netsystem.Auto, state.InitSystemd, Boot{Ifupdown: true, Table: TableDebian, Auto: true, Restored: []string{"-A -t 10.1.0.9:80 -s rr"}}, table, ""},
		{"rules of a service that was off", netsystem.Auto, state.InitOpenRC, Boot{Ifupdown: true, Table: TableOpenRC, Restored: []string{"-A -t 10.1.0.9:80 -s rr"}}, table,
			"warning: /var/lib/ipvsadm/rules-save has other lines (1), which were not loaded at boot (the service ipvsadm does not start at boot) and will be from now on; look through them\n"},
		{"a line that Alpine reads after", netsystem.Auto, state.InitOpenRC, sets("/etc/sysctl.conf", "0"), forward,
			"warning: /etc/sysctl.conf:3 sets net.ipv4.ip_forward = 0, which is read after /etc/sysctl.d/zz-lvsctl.conf and wins at boot; remove that line\n"},
		{"another that Alpine reads after", netsystem.Auto, state.InitOpenRC, sets("/run/sysctl.d/a.conf", "0"), forward,
			"warning: /run/sysctl.d/a.conf:3 sets net.ipv4.ip_forward = 0, which is read after /etc/sysctl.d/zz-lvsctl.conf and wins at boot; remove that line\n"},
		{"a service of OpenRC's that is off", netsystem.Auto, state.InitOpenRC, Boot{Ifupdown: true, OpenRC: OpenRC{Sysctl: true}}, forward,
			"note: OpenRC's service sysctl does not start at boot here and will from now on; it reads the files of others too\n"},
		{"a file that Puppet writes", netsystem.Auto, state.InitSystemd, Boot{Ifupdown: true, Table: TableDebian, Auto: true, Written: map[string]string{debianRules: "# Managed by Puppet", "/etc/hosts": "# Do not edit"}}, table,
			"warning: /etc/ipvsadm.rules says \"# Managed by Puppet\": whoever writes it may take lvsctl's lines away; let that program leave the file alone, or keep what stands between \"# BEGIN lvsctl web\" and \"# END lvsctl web\"\n"},
		{"EL6 that saves", netsystem.Auto, state.InitRedHat, Boot{NetworkScripts: true, Table: TableRedHat, Saves: true}, table,
			"warning: /etc/sysconfig/ipvsadm-config has the table saved over /etc/sysconfig/ipvsadm when its service stops, which forgets thresholds, timeouts and sync daemons; set IPVS_SAVE_ON_STOP and IPVS_SAVE_ON_RESTART to no there\n"},
		{"rc.local that exits", netsystem.Auto, state.InitRedHat, Boot{NetworkScripts: true, RCLocal: rcLocalRedHat, RCExit: true}, rule,
			"note: at boot /etc/rc.d/rc.local sets 1 netfilter rule: no network system holds that\nwarning: /etc/rc.d/rc.local ends by exit before it comes to lvsctl's line at its end; remove that exit\n"},
		{"no rc.local", netsystem.Auto, state.InitRedHat, Boot{NetworkScripts: true}, rule,
			"warning: nothing that lvsctl knows runs at its boot, so 1 netfilter rule will not come back; write persist = \"none\" if that is meant\n"},
	} {
		if d := cmp.Diff(c.want, said(filed("web", c.system, c.init, c.boot, c.wanted))); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

// TestNothing has topologies for which no file may be made.
func TestNothing(t *testing.T) {
	full := goldens()["director"].want
	boot := Boot{Ifupdown: true, Table: TableDebian}
	for system, want := range map[netsystem.Name]*state.State{netsystem.None: full, "": full, netsystem.Auto: state.New()} {
		out := filed("web", system, state.InitSystemd, boot, want)
		if n := len(out.Blocks) + len(out.Files) + len(out.Units); n > 0 || said(out) != "" {
			t.Errorf("persist = %q: %v", system, out)
		}
	}
}

// TestTwoTopologies has two topologies on a node. They share files only by blocks, and have
// no own file in common, whatever their names are. The patterns by which files are read
// match exactly their own. run-parts accepts the names.
func TestTwoTopologies(t *testing.T) {
	g := goldens()
	want := made()
	for _, name := range []string{"director", "director-fullnat", "tun", "nat-replaced"} {
		w := g[name].want
		maps.Copy(want.Addresses, w.Addresses)
		maps.Copy(want.Routes, w.Routes)
		maps.Copy(want.Links, w.Links)
		maps.Copy(want.Rules, w.Rules)
		maps.Copy(want.Services, w.Services)
	}
	for system, k := range known {
		owner := map[string]string{}
		for _, topology := range []string{"a.b", "a_b", "a-b", "a_-b", "a.-b", "a._b", "a_.b"} {
			out := filed(topology, netsystem.Auto, k.init, k.boot, want)
			for key := range out.Blocks {
				if key.Topology != topology || !matches(Shared(), key.Path) {
					t.Errorf("%s: nobody reads %v", system, key)
				}
			}
			for file := range out.Files {
				if other, taken := owner[file]; taken {
					t.Errorf("%s: %s is of %s and %s", system, file, other, topology)
				}
				owner[file] = topology
				if !slices.Contains(Own(topology), file) {
					t.Errorf("%s: nobody reads %s", system, file)
				}
				if strings.Contains(file, "/if-up.d/") && strings.Trim(path.Base(file), "abcdefghijklmnopqrstuvwxyz-_") != "" {
					t.Errorf("%s: run-parts passes %s over", system, file)
				}
			}
			for name := range out.Units {
				if !slices.Contains(Units(topology), name) {
					t.Errorf("%s: nobody reads %s", system, name)
				}
			}
		}
	}
}

// matches reports whether a pattern of the shell matches a path.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}

// TestLabels checks the labels of aliases: the kernel accepts them, an address keeps its
// number, and labels of other files are not used.
func TestLabels(t *testing.T) {
	long := "enp130s0f1np1" // 13 characters: :0 to :9 fit
	want := made()
	for i := range 12 {
		address(fmt.Sprintf("10.9.0.%d/32", i), long)(want)
	}
	boot := Boot{NetworkScripts: true, Aliases: map[string]bool{long + ":3": true}, Ifcfg: map[string]Ifcfg{long: {Path: scriptsDir + "ifcfg-" + long, OnBoot: true}}}
	labels := func(out Output) map[string]string {
		list := map[string]string{}
		for k, b := range out.Blocks {
			if !strings.HasPrefix(k.Path, scriptsDir) {
				continue
			}
			list[value(b.Text, "IPADDR")] = strings.TrimPrefix(k.Path, scriptsDir+"ifcfg-")
		}
		return list
	}
	out := filed("web", netsystem.Auto, state.InitSystemd, boot, want)
	if have := labels(out); len(have) != 9 || slices.Contains(slices.Collect(maps.Values(have)), long+":3") || have["10.9.0.8"] != long+":9" {
		t.Errorf("aliases: %v", have)
	}
	script := out.Files["/etc/lvsctl/web.sh"].Text
	for _, addr := range []string{"10.9.0.9/32", "10.9.0.10/32", "10.9.0.11/32"} {
		if !strings.Contains(script, "  ip -4 addr replace "+addr+" dev "+long+" || s=1\n") {
			t.Errorf("%s is nowhere: %s", addr, script)
		}
	}

	// One address is removed and another one added in front. The others keep their labels.
	delete(want.Addresses, state.AddressKey{Prefix: netip.MustParsePrefix("10.9.0.0/32"), Dev: long})
	address("10.8.0.1/32", long)(want)
	live := state.New()
	live.Init = state.InitSystemd
	maps.Copy(live.Blocks, out.Blocks)
	for _, label := range labels(out) {
		boot.Aliases[label] = true
	}
	again := labels(Files(Input{Topology: "web", System: netsystem.Auto, Want: want, Before: state.New(), Live: live, Boot: boot}))
	if name := long + ":8"; labels(out)["10.9.0.7"] != name || again["10.9.0.7"] != name {
		t.Errorf("10.9.0.7 is called %s, and then %s", labels(out)["10.9.0.7"], again["10.9.0.7"])
	}
}

// TestForeignServices has a wanted service that the file of the ipvsadm service adds
// outside of lvsctl's block too. lvsctl's lines delete it before they add it. The plan names
// a line that may add a service and does not say which.
func TestForeignServices(t *testing.T) {
	tcp, mark := service("tcp", "10.1.0.100:80"), state.ServiceKey{Protocol: state.FWMark, Mark: 4000000000}
	want := made(func(s *state.State) {
		s.Services[tcp], s.Services[mark] = state.Service{Scheduler: "rr"}, state.Service{Scheduler: "rr"}
		s.Services[service("udp", "[2001:db8::100]:53")] = state.Service{Scheduler: "rr"}
	})
	boot := Parse("service redhat\nservices http\t80/tcp  www # web\nrule ipvsadm --add-service --tcp-service=10.1.0.100:www\nrule -A -f 0xee6b2800 -s rr\n" +
		"rule -a -u [2001:db8::100]:53 -r rs:domain\nrule -A -t www:http -s rr\nrule -A -t 10.1.0.9:80 # old\n")
	out := filed("web", netsystem.Auto, state.InitSystemd, boot, want)
	have := out.Blocks[state.BlockKey{Path: redHatRules, Topology: "web"}].Text
	if d := cmp.Diff("-D -f 4000000000\n-A -f 4000000000 -s rr\n-D -t 10.1.0.100:80\n-A -t 10.1.0.100:80 -s rr\n-A -u [2001:db8::100]:53 -s rr\n", have); d != "" {
		t.Error(d)
	}
	warning := []string{`/etc/sysconfig/ipvsadm has the line "-A -t www:http -s rr": it names the host "www"; if it adds a service of this topology, that one wins at boot: write addresses and numbers, or remove the line`,
		`/etc/sysconfig/ipvsadm has the line "-A -t 10.1.0.9:80 # old", and ipvsadm -R ends at its word "#": what stands after it is not restored at boot; correct the line, or begin it with #`,
		"/etc/sysconfig/ipvsadm has other lines (5), which were not loaded at boot (the service ipvsadm does not start at boot) and will be from now on; look through them"}
	if d := cmp.Diff(warning, out.Warnings); d != "" {
		t.Error(d)
	}
}

// TestSharedFile has a file of networkd that configures several devices. The VIP is left to
// the boot script, because all of them would get it.
func TestSharedFile(t *testing.T) {
	for system, file := range map[netsystem.Name]string{netsystem.Networkd: "/etc/systemd/network/en.network", netsystem.Netplan: netplanUnit + "all.network"} {
		boot := Boot{Networkd: true, Netplan: true, Devices: map[string]Device{"eth0": {Network: file}, "eth1": {Network: file}}}
		out := filed("web", system, state.InitSystemd, boot, made(address("10.1.0.100/32", "eth0"), route("10.60.0.0/16", 0, "10.1.0.1", "eth0")))
		script := out.Files["/etc/lvsctl/web.sh"].Text
		if len(out.Blocks) > 0 || len(out.Files) != 2 || strings.Count(script, "replace") != 2 {
			t.Errorf("%s: %v", system, out)
		}
	}
}

// TestLoopbackProfile has an administrator's profile for lo. lo is left to the boot script,
// because only one profile can be up.
func TestLoopbackProfile(t *testing.T) {
	own := profilesDir + "lvsctl-web-lo.nmconnection"
	for _, c := range []struct {
		loopback []string
		want     bool
	}{
		{nil, true},
		{[]string{own, "/run/NetworkManager/system-connections/lo.nmconnection"}, true},
		{[]string{profilesDir + "lo.nmconnection"}, false},
		{[]string{profilesDir + "lvsctl-dns-lo.nmconnection"}, false},
	} {
		out := filed("web", netsystem.NetworkManager, state.InitSystemd, Boot{NetworkManager: "1.42.4", Loopback: c.loopback}, made(address("10.1.0.100/32", "lo")))
		_, profile := out.Files[own]
		_, script := out.Files["/etc/lvsctl/web.sh"]
		if profile != c.want || script == c.want {
			t.Errorf("%v: a profile: %t, in the boot script: %t", c.loopback, profile, script)
		}
	}
}

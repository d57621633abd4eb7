package main

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/adopt"
	"github.com/lvsctl/lvsctl/topology"
)

// refusedDraft is a cluster with things that no topology can say: a service on the DIP, a
// gateway out of reach, and a parameter that runs programs.
func refusedDraft() *adopt.Draft {
	lvs := adopt.Node("lvs", topology.Director)
	lvs.Interfaces = []topology.Interface{{Name: "eth0", Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.2/24")}}}
	lvs.DIP = netip.MustParseAddr("10.1.0.2")
	lvs.Gateway.V4 = netip.MustParseAddr("192.0.2.1")
	lvs.Sysctls = []topology.Sysctl{{Key: "kernel/core_pattern", Value: "core"}}
	web := adopt.Unseen(netip.MustParseAddr("10.1.0.11"), "eth0", 24)
	d := adopt.New()
	d.Topology.Nodes = []*topology.Node{lvs, web}
	service := func(name, vip string) {
		d.Topology.Services = append(d.Topology.Services, &topology.VirtualServer{
			Name: name, VIP: netip.MustParsePrefix(vip + "/32"), Port: 80, Protocol: topology.TCP, Mode: topology.DR, Scheduler: "rr",
			Directors: []*topology.Node{lvs}, RealServers: []topology.Server{{Node: web, Address: web.RIP, Port: 80, Weight: 1, Mode: topology.DR}},
		})
	}
	service("good", "10.1.0.100")
	service("on-the-dip", "10.1.0.2")
	return &d
}

// TestImportWithdraws takes from a topology what the language refuses, and says so.
func TestImportWithdraws(t *testing.T) {
	var out, said bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &said)
	a.colour, a.parallelism = "never", 1
	m := &importing{app: a}
	d := refusedDraft()
	written, err := m.describe(t.Context(), d)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if have := string(written.text); !strings.Contains(have, `virtual_server "good"`) || strings.Contains(have, `virtual_server "on-the-dip" {`) || strings.Contains(have, "gateway  ") || strings.Contains(have, "core_pattern\" =") {
		t.Errorf("written:\n%s", have)
	}
	lost := d.Lost()
	if len(lost) != 3 {
		t.Errorf("%d things are said to be lost, not 3: %v", len(lost), lost)
	}
	for i, want := range []string{"without its gateway", "kernel parameters", "on-the-dip is left out, and stays as it is on its directors: lvsctl refuses it. VIP is the DIP"} {
		found := false
		for _, r := range lost {
			found = found || strings.Contains(r.Text, want)
		}
		if !found {
			t.Errorf("%d: nothing says %q: %v", i, want, lost)
		}
	}
}

// TestDestination reads what people type for ssh(1).
func TestDestination(t *testing.T) {
	for text, want := range map[string]string{
		"a b": "", "": "", "ssh://": "", "ssh://root@h:99999": "", "root@": "", "x@-oProxyCommand=y": "",
		"web-1": "web-1", "root@web-1": "web-1 as root", "me@corp.example@10.0.0.1": "10.0.0.1 as me@corp.example",
		"ssh://admin@10.0.0.1:2222": "10.0.0.1 as admin at 2222", "ssh://[fd00::1]:22": "fd00::1 at 22", "fd00::1": "fd00::1", "local": "local",
	} {
		n, err := destination(text)
		if err != nil {
			if want != "" {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		have := n.host
		if n.ssh.User != "" {
			have += " as " + n.ssh.User
		}
		if n.ssh.Port != 0 {
			have += " at " + strconv.Itoa(n.ssh.Port)
		}
		if have != want {
			t.Errorf("%q is %q, not %q", text, have, want)
		}
	}
}

package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/topology"
)

const routedTopology = `
lvsctl { name = "routed" }
director "lb" {
  address = "lb.example.com"
  interface "ens33" { addresses = ["10.1.0.2/24", "fd00:1::2/64"] }
}
real_server "rs" {
  for_each = toset(["1", "2"])
  address  = each.key == "1" ? "local" : "web-${each.key}"
  interface "eth0" { addresses = ["10.1.0.1${each.key}/24", "fd00:1::1${each.key}/64"] }
}
router "gw" {
  interface "eth0" { addresses = ["10.1.0.1/24", "fd00:1::1/64"] }
  interface "eth1" { addresses = ["10.9.0.1/24", "fd00:9::1/64"] }
}
client "c" {
  interface "eth0" { addresses = ["10.9.0.9/24", "fd00:9::9/64"] }
  route {
    to  = "10.77.0.0/16"
    via = "10.9.0.1"
  }
}
client "own" {
  gateway = "10.9.0.8"
  interface "eth0" { address = "10.9.0.10/24" }
}
client "far" {
  interface "eth0" { address = "10.8.0.10/24" }
}
virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "dr"
  real_servers = ["rs"]
  director     = "lb"
}
virtual_server "dns" {
  vip          = "10.1.0.100"
  port         = 53
  protocol     = "udp"
  mode         = "dr"
  real_servers = ["rs-1"]
}
virtual_server "every" {
  vip          = "10.1.0.101"
  port         = 0
  mode         = "dr"
  real_servers = ["rs-2"]
  persistence { timeout = 300 }
}
`

const natTopology = `
lvsctl { name = "natted" }
director "lb" {
  dip = "10.2.0.2"
  interface "eth0" { address = "10.9.0.2/24" }
  interface "eth1" { address = "10.2.0.2/24" }
}
real_server "rs" {
  interface "eth0" { address = "10.2.0.11/24" }
}
client "c" {
  interface "eth0" { address = "10.9.0.9/24" }
}
virtual_server "web" {
  vip  = "10.9.0.100"
  port = 80
  mode = "nat"
  real_server "rs" { port = 8080 }
}
`

func readTopology(t *testing.T, text string) *topology.Topology {
	t.Helper()
	top, _, diags := topology.Load(t.Context(), folder(t, "lab", text), topology.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return top
}

func TestLabSpec(t *testing.T) {
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	nic := func(name string, addresses ...string) lab.Interface {
		i := lab.Interface{Name: name}
		for _, a := range addresses {
			i.Addresses = append(i.Addresses, prefix(a))
		}
		return i
	}
	for text, want := range map[string]lab.Spec{
		routedTopology: {Name: "routed", Hosts: []lab.Host{
			{Name: "c", Role: "client", Aliases: []string{"10.9.0.9"}, Interfaces: []lab.Interface{nic("eth0", "10.9.0.9/24", "fd00:9::9/64")},
				Gateway4: addr("10.9.0.1"), Gateway6: addr("fd00:9::1"), Routes: []lab.Route{{To: prefix("10.77.0.0/16"), Via: addr("10.9.0.1")}}},
			{Name: "far", Role: "client", Aliases: []string{"10.8.0.10"}, Interfaces: []lab.Interface{nic("eth0", "10.8.0.10/24")}},
			{Name: "gw", Role: "router", Aliases: []string{"10.1.0.1"}, Interfaces: []lab.Interface{nic("eth0", "10.1.0.1/24", "fd00:1::1/64"), nic("eth1", "10.9.0.1/24", "fd00:9::1/64")}},
			{Name: "lb", Role: "director", Aliases: []string{"lb.example.com"}, Interfaces: []lab.Interface{nic("ens33", "10.1.0.2/24", "fd00:1::2/64")}},
			{Name: "own", Role: "client", Aliases: []string{"10.9.0.10"}, Interfaces: []lab.Interface{nic("eth0", "10.9.0.10/24")}, Gateway4: addr("10.9.0.8")},
			{Name: "rs-1", Role: "real_server", Interfaces: []lab.Interface{nic("eth0", "10.1.0.11/24", "fd00:1::11/64")},
				Listeners: []lab.Listener{{Protocol: "udp", Port: 53}, {Protocol: "tcp", Port: 80}}},
			{Name: "rs-2", Role: "real_server", Aliases: []string{"web-2"}, Interfaces: []lab.Interface{nic("eth0", "10.1.0.12/24", "fd00:1::12/64")},
				Listeners: []lab.Listener{{Protocol: "tcp", Port: 80}, {Protocol: "tcp", Port: 443}}},
		}, Avoid: []netip.Prefix{prefix("10.77.0.0/16"), prefix("10.1.0.100/32"), prefix("10.1.0.101/32"), prefix("10.1.0.100/32")}},
		natTopology: {Name: "natted", Hosts: []lab.Host{
			{Name: "c", Role: "client", Aliases: []string{"10.9.0.9"}, Interfaces: []lab.Interface{nic("eth0", "10.9.0.9/24")}, Gateway4: addr("10.9.0.2")},
			{Name: "lb", Role: "director", Aliases: []string{"10.9.0.2"}, Interfaces: []lab.Interface{nic("eth0", "10.9.0.2/24"), nic("eth1", "10.2.0.2/24")}},
			{Name: "rs", Role: "real_server", Aliases: []string{"10.2.0.11"}, Interfaces: []lab.Interface{nic("eth0", "10.2.0.11/24")}, Listeners: []lab.Listener{{Protocol: "tcp", Port: 8080}}},
		}, Avoid: []netip.Prefix{prefix("10.9.0.100/32")}},
	} {
		top := readTopology(t, text)
		same := cmp.Options{cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
		if diff := cmp.Diff(want, labSpec(top), same); diff != "" {
			t.Errorf("%s (-want +have):\n%s", top.Name, diff)
		}
	}
}

func TestLabUses(t *testing.T) {
	have := labUses(readTopology(t, routedTopology), []string{"here"})
	want := []string{"lvsctl plan --lab here", "lvsctl apply --lab here", "lvsctl lab exec here c -- curl -s http://10.1.0.100/", "ssh -F .lvsctl/lab/routed/ssh_config lb"}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

func TestSplitExec(t *testing.T) {
	type result struct {
		path []string
		node string
		argv []string
	}
	for words, want := range map[string]result{
		"n":                 {nil, "n", nil},
		"n ls -l":           {nil, "n", []string{"ls", "-l"}},
		"n -- ls -l":        {nil, "n", []string{"ls", "-l"}},
		"p n -- ls -- x":    {[]string{"p"}, "n", []string{"ls", "--", "x"}},
		"n grep -e a -- x":  {nil, "n", []string{"grep", "-e", "a", "--", "x"}},
		"n -- sh -c x -- y": {nil, "n", []string{"sh", "-c", "x", "--", "y"}},
	} {
		path, node, argv := splitExec(strings.Fields(words))
		if strings.Join(path, " ") != strings.Join(want.path, " ") || node != want.node || strings.Join(argv, " ") != strings.Join(want.argv, " ") {
			t.Errorf("%s: want %v, have %v %s %v", words, want, path, node, argv)
		}
	}
}

func TestSplitReboot(t *testing.T) {
	t.Chdir(folder(t, "dr", smallTopology))
	for words, want := range map[string][2]string{"n": {"", "n"}, "n m": {"", "n m"}, ". n m": {".", "n m"}, ".": {"", "."}} {
		path, nodes := splitPath(strings.Fields(words))
		if have := [2]string{strings.Join(path, " "), strings.Join(nodes, " ")}; have != want {
			t.Errorf("%s: want %v, have %v", words, want, have)
		}
	}
}

// TestLabWithout runs the lab's commands where no lab is up.
func TestLabWithout(t *testing.T) {
	dir := folder(t, "dr", smallTopology)
	t.Chdir(t.TempDir())
	type result struct {
		code           int
		stdout, stderr string
	}
	check := func(want result, args ...string) {
		t.Helper()
		code, stdout, stderr := lvsctl(t, "", append([]string{"lab"}, args...)...)
		if have := (result{code, stdout, stderr}); have != want {
			t.Errorf("%s:\nwant %+v\nhave %+v", strings.Join(args, " "), want, have)
		}
	}
	none := result{1, "no lab is up here\n", ""}
	check(none, "status")
	check(none, "status", dir)
	check(result{0, "no lab is up here\n", ""}, "down")
	check(result{0, "lab dr is down\n", ""}, "down", dir)
	check(result{0, "no lab is up here\n", ""}, "down", "--all")
	check(result{1, "", "Error: no lab is up here\nBring it up with: lvsctl lab up\n"}, "exec", "rs-1", "--", "true")
	check(result{1, "", "Error: no lab is up here\nBring it up with: lvsctl lab up --systemd\n"}, "reboot", "rs-1")
	check(result{1, "", "Error: cannot make a host with network system \"wicked\"\nIt is one of ifupdown, netplan, networkd and networkmanager\n"}, "up", "--systemd=wicked", dir)
	check(result{1, "", "Error: cannot make host nobody with netplan: lab dr has no such host\n"}, "up", "--systemd=nobody=netplan", dir)
	check(result{1, "", "Error: cannot bring up two labs called dr\n"}, "up", dir, dir)
	check(result{1, "", "Error: --all takes no PATH\n"}, "down", "--all", dir)
	check(result{1, "", "Error: cannot use accelerator \"xen\": it is auto, kvm or tcg\n"}, "up", "--accel", "xen", dir)
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}

	// A lab whose machine has ended is only a folder, which down removes.
	for _, name := range []string{"a", "b"} {
		if err := os.MkdirAll(filepath.Join(".lvsctl/lab", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	check(result{1, "", "Error: there are several labs here: a, b\nSay which by its topology's PATH\n"}, "status")
	check(result{0, "lab a is down\nlab b is down\n", ""}, "down", "--all")
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

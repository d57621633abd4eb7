package topology

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/netsystem"
)

// lines describes a topology in short lines, for comparison.
func lines(t *Topology) []string {
	var all []string
	for _, v := range t.Services {
		for _, s := range v.RealServers {
			all = append(all, fmt.Sprintf("%s %s:%d %s %s w%d", v.Name, s.Address, s.Port, s.Mode, s.Node.Name, s.Weight))
		}
	}
	return all
}

func TestServers(t *testing.T) {
	tests := []struct {
		name, body string
		want       []string
	}{
		{"group", `real_servers = ["rs"]`, []string{"v 10.0.0.11:80 nat rs-a w1", "v 10.0.0.12:80 nat rs-b w1"}},
		{"map", `real_servers = { "rs-b" = 5, "rs-a" = 0 }`, []string{"v 10.0.0.11:80 nat rs-a w0", "v 10.0.0.12:80 nat rs-b w5"}},
		{"long form of a group", "real_server \"rs\" {\nweight = 3\nport = 8080\n}", []string{"v 10.0.0.11:8080 nat rs-a w3", "v 10.0.0.12:8080 nat rs-b w3"}},
		{"both forms", "real_servers = [\"rs-b\"]\nreal_server \"rs-a\" { weight = 2 }", []string{"v 10.0.0.11:80 nat rs-a w2", "v 10.0.0.12:80 nat rs-b w1"}},
		{"one server, two ports", "real_server \"rs-a\" { port = 81 }\nreal_server \"rs-a\" { port = 80 }", []string{"v 10.0.0.11:80 nat rs-a w1", "v 10.0.0.11:81 nat rs-a w1"}},
		{"the director itself", `real_servers = ["lb", "rs-a"]`, []string{"v 10.0.0.1:80 nat lb w1", "v 10.0.0.11:80 nat rs-a w1"}},
		{"a mode of its own", "real_servers = [\"rs-b\"]\nreal_server \"rs-a\" { mode = \"tun\" }", []string{"v 10.0.0.11:80 tun rs-a w1", "v 10.0.0.12:80 nat rs-b w1"}},
		{"all in maintenance", "real_servers = { \"m\" = 7 }\n}\nreal_server \"m\" {\nmaintenance = true\ninterface \"eth0\" { address = \"10.0.0.13/24\" }", []string{"v 10.0.0.13:80 nat m w0"}},
		{"a dynamic block", "dynamic \"real_server\" {\nfor_each = { rs-a = 4 }\nlabels = [real_server.key]\ncontent { weight = real_server.value }\n}", []string{"v 10.0.0.11:80 nat rs-a w4"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			have := lines(valid(t, in("TOP", svc("v", nat80+test.body)), Options{}))
			if d := cmp.Diff(test.want, have); d != "" {
				t.Errorf("servers (-want +have):\n%s", d)
			}
		})
	}
}

// TestServersOfTheOtherFamily has services whose family is not the RIP's. A server is
// reached at its address of the service's family, or by a tunnel at its RIP.
func TestServersOfTheOtherFamily(t *testing.T) {
	const top = `
real_server "both" {
  interface "eth0" { addresses = ["10.0.0.21/24", "2001:db8:1::21/64"] }
}
`
	six := "vip = \"2001:db8::100\"\nport = 80\ninterface = \"eth0\"\n"
	topo := valid(t, in("DIRECTOR", `interface "eth2" { address = "2001:db8:1::1/64" }`, "TOP",
		top+svc("nat6", six+"mode = \"nat\"\nreal_servers = [\"both\"]")+svc("tun6", "vip = \"2001:db8::101\"\nport = 80\nmode = \"tun\"\nreal_servers = [\"both\", \"rs-a\"]")), Options{})
	want := []string{
		"nat6 2001:db8:1::21:80 nat both w1",
		"tun6 10.0.0.11:80 tun rs-a w1",
		"tun6 2001:db8:1::21:80 tun both w1",
	}
	if d := cmp.Diff(want, lines(topo)); d != "" {
		t.Errorf("servers (-want +have):\n%s", d)
	}
}

func TestService(t *testing.T) {
	topo := valid(t, in("TOP", `
virtual_server "dns" {
  for_each  = toset(["1", "2"])
  vip       = "192.0.2.10${each.key}/24"
  port      = 53
  protocol  = "udp"
  mode      = "dr"
  scheduler = "sh"
  scheduler_flags = ["sh-port", "sh-fallback"]
  one_packet = true
  director  = "lb"
  drain     = "30s"
  persistence {
    timeout = "5m"
    netmask = "255.255.255.0"
    engine  = "sip"
  }
  real_server "rs-a" {
    upper_threshold = 100
    lower_threshold = 50
  }
}
`), Options{})
	lb, rs := topo.Node("lb"), topo.Node("rs-a")
	service := func(name, vip string) *VirtualServer {
		return &VirtualServer{
			Name: name, VIP: netip.MustParsePrefix(vip), Port: 53, Protocol: UDP, Mode: DR,
			Scheduler: "sh", SchedulerFlags: []string{"sh-fallback", "sh-port"}, OnePacket: true,
			Persistence: &Persistence{Timeout: 300, Netmask: 24, Engine: "sip"},
			Directors:   []*Node{lb}, Drain: 30 * time.Second,
			RealServers: []Server{{Node: rs, Address: netip.MustParseAddr("10.0.0.11"), Port: 53, Weight: 1, Upper: 100, Lower: 50, Mode: DR}},
		}
	}
	want := []*VirtualServer{service("dns-1", "192.0.2.101/24"), service("dns-2", "192.0.2.102/24")}
	if d := cmp.Diff(want, topo.Services, withoutPlaces...); d != "" {
		t.Errorf("services (-want +have):\n%s", d)
	}
}

func TestNode(t *testing.T) {
	topo := valid(t, in("TOP", `
ssh {
  user            = "admin"
  port            = 2222
  sudo            = true
  connect_timeout = "10s"
}
router "gw" {
  address = "gw.example"
  ssh {
    user = "root"
    sudo = false
  }
  interface "eth0" { addresses = ["10.0.0.254/24", "2001:db8:1::fe/64"] }
}
real_server "x" {
  interface "eth0" {
    addresses = ["10.0.0.31/24", "2001:db8:1::31/64"]
    rp_filter = 2
  }
  rip           = "10.0.0.31"
  vip_interface = "dummy0"
  way_back      = "rule"
  gateway       = "gw"
  ip_forward    = false
  hosts         = true
  persist       = "ifupdown"
  packages      = "require"
  sysctl        = { "net.ipv4.conf.eth0/100.rp_filter" = 2, "net/ipv4/conf/all/arp_ignore" = "1", "net.ipv4.tcp_rmem" = "4096  131072" }
  route {
    to  = "172.16.0.0/12"
    via = "gw"
  }
  route {
    to     = "198.51.100.7"
    dev    = "eth0"
    metric = 5
  }
}
`), Options{})
	no, two := false, 2
	want := &Node{
		Name: "x", Role: RealServer, Address: "10.0.0.31",
		SSH:        SSH{User: "admin", Port: 2222, Sudo: true, ConnectTimeout: 10 * time.Second},
		Interfaces: []Interface{{Name: "eth0", Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.31/24"), netip.MustParsePrefix("2001:db8:1::31/64")}, RPFilter: &two}},
		Gateway:    Gateways{V4: netip.MustParseAddr("10.0.0.254"), V6: netip.MustParseAddr("2001:db8:1::fe")},
		Routes: []Route{
			{To: netip.MustParsePrefix("172.16.0.0/12"), Via: netip.MustParseAddr("10.0.0.254")},
			{To: netip.MustParsePrefix("198.51.100.7/32"), Dev: "eth0", Metric: 5},
		},
		IPForward: &no,
		Sysctls: []Sysctl{
			{Key: "net/ipv4/conf/all/arp_ignore", Value: "1"},
			{Key: "net/ipv4/conf/eth0.100/rp_filter", Value: "2"},
			{Key: "net/ipv4/tcp_rmem", Value: "4096 131072"},
		},
		Hosts: true, Persist: netsystem.Ifupdown, Packages: PackagesRequire,
		RIP: netip.MustParseAddr("10.0.0.31"), VIPInterface: "dummy0", WayBack: WayBackRule,
	}
	if d := cmp.Diff(want, topo.Node("x"), withoutPlaces...); d != "" {
		t.Errorf("node (-want +have):\n%s", d)
	}
	if have, want := topo.Node("gw").SSH, (SSH{User: "root", Port: 2222, ConnectTimeout: 10 * time.Second}); have != want {
		t.Errorf("ssh of gw: want %+v, have %+v", want, have)
	}
}

// TestUnsupported checks that exactly the parts that no role acts on yet are listed.
func TestUnsupported(t *testing.T) {
	if have := valid(t, in("TOP", web), Options{}).Unsupported; len(have) != 0 {
		t.Errorf("have %v", have)
	}
	topo := valid(t, in("DIRECTOR", "timeouts { tcp = 900 }\nhosts = true\npersist = \"netplan\"",
		"TOP", `
virtual_server "full" {
  vip          = "192.0.2.100"
  port         = 80
  mode         = "fullnat"
  drain        = "1s"
  director     = "lb"
  real_servers = ["rs"]
}
virtual_server "mark" {
  vip          = "192.0.2.101"
  fwmark       = 7
  mode         = "tun"
  mss          = 1440
  sorry_server = "10.0.0.200"
  director     = "lb"
  real_servers = ["rs"]
  health_check {
    misc { command = "/usr/bin/check" }
  }
  mark { ports = [80, "8000-8010"] }
}
virtual_server "six" {
  vip          = "2001:db8::1"
  port         = 80
  mode         = "tun"
  director     = "lb2"
  real_server "rs" {}
}
director "lb2" {
  interface "eth0" { address = "2001:db8::2/64" }
}
real_server "x" {
  interface "eth0" { address = "2001:db8::3/64" }
}
vrrp_instance "pair" {
  directors         = ["lb"]
  interface         = "eth0"
  virtual_router_id = 51
}
`), Options{})
	var have []string
	for _, u := range topo.Unsupported {
		have = append(have, u.What)
	}
	want := []string{
		"a tunnel that carries one address family in the other of six",
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("unsupported (-want +have):\n%s", d)
	}
}

// TestOneMistakeOneDiagnostic has a mistake in a group, which all members share. It is
// reported once.
func TestOneMistakeOneDiagnostic(t *testing.T) {
	var keys []string
	for i := range 200 {
		keys = append(keys, fmt.Sprintf("%q", fmt.Sprintf("n%d", i)))
	}
	_, diags := loadText(t, "director \"lb\" {\n interface \"eth0\" { address = \"10.0.0.1/24\" }\n}\n"+
		"locals {\n hosts = ["+strings.Join(keys, ",")+"]\n}\n"+
		"real_server \"rs\" {\n for_each = { for i, h in local.hosts : h => i }\n interface \"eth0\" { address = \"10.1.0.${each.value + 1}/16\" }\n}\n"+
		svc("v", "vip = \"10.0.0.100\"\nport = 80\nmode = \"dr\"\nreal_servers = [\"rs\"]"), Options{})
	if len(diags) != 1 {
		t.Errorf("want 1 diagnostic, have %d:\n%s", len(diags), summaries(diags))
	}
}

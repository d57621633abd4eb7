package topology

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pair has two directors with a floating gateway. %INSTANCE and %TOP are placeholders
// for further text.
const pair = `
director "d1" {
  interface "eth0" { addresses = ["192.0.2.1/24", "2001:db8::1/64"] }
  interface "eth1" { address = "10.0.0.1/24" }
  dip = "10.0.0.1"
  %D1
}
director "d2" {
  interface "eth0" { addresses = ["192.0.2.2/24", "2001:db8::2/64"] }
  interface "eth1" { address = "10.0.0.2/24" }
  dip = "10.0.0.2"
}
real_server "rs" {
  for_each = { "1" = "10.0.0.11", "2" = "10.0.0.12" }
  interface "eth0" { address = "${each.value}/24" }
  %REAL
}
vrrp_instance "pair" {
  directors         = ["d1", "d2"]
  interface         = "eth0"
  virtual_router_id = 51
  %INSTANCE
}
%TOP
`

// inPair returns pair with texts in place of its placeholders.
func inPair(places ...string) string {
	src := pair
	for i := 0; i+1 < len(places); i += 2 {
		src = strings.Replace(src, "%"+places[i], places[i+1], 1)
	}
	return strings.NewReplacer("%D1", "", "%REAL", "", "%INSTANCE", "", "%TOP", "").Replace(src)
}

// balanced is a service of the pair's directors with body.
func balanced(body string) string {
	return svc("v", "directors = [\"d1\", \"d2\"]\nvip = \"192.0.2.100\"\n"+body)
}

const (
	inner = "addresses = [\"10.0.0.254/24\"]\n"
	dr80  = "port = 80\nmode = \"dr\"\nreal_servers = [\"rs\"]\n"
	udp53 = "port = 53\nprotocol = \"udp\"\nmode = \"dr\"\nreal_servers = [\"rs\"]\n"
	nat88 = "port = 80\nmode = \"nat\"\nreal_servers = [\"rs\"]\n"
	mark7 = "fwmark = 7\nmode = \"dr\"\nreal_servers = [\"rs\"]\n"
)

func TestPairRefusals(t *testing.T) {
	second := func(body string) string {
		return "vrrp_instance \"other\" {\ndirectors = [\"d2\", \"d1\"]\ninterface = \"eth0\"\n" + body + "}\n"
	}
	for name, c := range map[string]struct{ src, want string }{
		"udp without a word on health":  {inPair("TOP", balanced(udp53)), "Missing health check: There is no health check that fits a udp service"},
		"mark without a word on health": {inPair("TOP", balanced(mark7)), "Missing health check: There is no health check that fits a fwmark service"},
		"every port":                    {inPair("TOP", balanced("port = 0\npersistence {}\nmode = \"dr\"\nreal_servers = [\"rs\"]")), "Missing health check: There is no health check that fits a service of every port"},
		"only an interval":              {inPair("TOP", balanced(udp53+"health_check { interval = \"2s\" }")), "Missing health check"},
		"tcp check of udp":              {inPair("TOP", balanced(udp53+"health_check {\n tcp {}\n}")), "Health check that does not fit: A tcp check opens a TCP connection"},
		"http check of udp":             {inPair("TOP", balanced(udp53+"health_check {\n http {}\n}")), "Health check that does not fit"},
		"udp check of tcp":              {inPair("TOP", balanced(dr80+"health_check {\n udp {}\n}")), "Health check that does not fit"},
		"tcp check of a mark":           {inPair("TOP", balanced(mark7+"health_check {\n tcp {}\n}")), "Health check that does not fit: A tcp check needs a port"},
		"two checks":                    {inPair("TOP", balanced(dr80+"health_check {\n tcp {}\n none {}\n}")), "Several health checks: A service has one check, and this has tcp and none"},
		"a command of the shell":        {inPair("TOP", balanced(dr80+"health_check {\n misc { command = \"/bin/x $HOME\" }\n}")), "Command that is misread"},
		"a command without path":        {inPair("TOP", balanced(dr80+"health_check {\n misc { command = \"x\" }\n}")), "Not a command"},
		"a path with a variable":        {inPair("TOP", balanced(dr80+"health_check {\n http { path = \"/$x\" }\n}")), "Not a path"},

		"sorry is a server":       {inPair("TOP", balanced(dr80+"sorry_server = \"10.0.0.11\"")), "Sorry server is a real server"},
		"sorry with another port": {inPair("TOP", balanced(dr80+"sorry_server = \"127.0.0.1:8080\"")), "Port cannot differ"},
		"sorry on lo under nat":   {inPair("INSTANCE", inner, "TOP", balanced(nat88+"sorry_server = \"127.0.0.1\"")), "Sorry server on the loopback"},
		"sorry of another family": {inPair("TOP", balanced(dr80+"sorry_server = \"2001:db8::9\"")), "No address of this family"},
		"all weights 0":           {inPair("TOP", balanced("port = 80\nmode = \"dr\"\nreal_servers = { \"rs-1\" = 0, \"rs-2\" = 0 }")), "All weights are 0"},
		"a director serves":       {inPair("TOP", balanced("port = 80\nmode = \"dr\"\nreal_servers = [\"rs\", \"d1\"]")), "Director as its pair's real server"},

		"nat without an inner address": {inPair("TOP", balanced(nat88)), "No inner address: In mode \"nat\" rs-1 answers through the director"},
		"a gateway that stays":         {inPair("INSTANCE", inner, "REAL", "gateway = \"10.0.0.1\"", "TOP", balanced(nat88)), "Gateway that does not move: 10.0.0.1 is d1's own address"},
		"a gateway elsewhere":          {inPair("INSTANCE", inner, "REAL", "gateway = \"10.0.0.99\"", "TOP", balanced(nat88)), "Way back misses the director"},

		"password with a fraction":   {inPair("INSTANCE", "advert_int = \"500ms\"\nauth_pass = \"x\"", "TOP", balanced(dr80)), "Password in VRRP 3: advert_int with a fraction"},
		"password with IPv6":         {inPair("INSTANCE", "auth_pass = \"x\"\naddresses = [\"2001:db8::99/64\"]"), "Password in VRRP 3: All addresses"},
		"a millisecond":              {inPair("INSTANCE", "advert_int = \"1001ms\"", "TOP", balanced(dr80)), "Duration out of range"},
		"a long fraction":            {inPair("INSTANCE", "advert_int = \"50.5s\"", "TOP", balanced(dr80)), "Duration out of range"},
		"sync that is taken back":    {inPair("INSTANCE", "sync = true", "TOP", balanced(dr80)), "Sync with preempt"},
		"sync of a director":         {inPair("D1", "sync {\n role = \"master\"\n interface = \"eth1\"\n}", "TOP", balanced(dr80)), "Sync in two hands"},
		"router id twice":            {inPair("INSTANCE", inner, "TOP", balanced(dr80)+second("virtual_router_id = 51\naddresses = [\"10.0.0.253/24\"]\n")), "Router id twice"},
		"address without length":     {inPair("INSTANCE", "addresses = [\"10.0.0.254\"]"), "Not a usable address"},
		"address on no subnet":       {inPair("INSTANCE", "addresses = [\"10.9.0.254/24\"]"), "Address without a device: 10.9.0.254 is on no subnet of d1"},
		"address on no device":       {inPair("INSTANCE", "addresses = [\"10.9.0.254/24 dev eth9\"]"), "Unknown device"},
		"address of a node":          {inPair("INSTANCE", "addresses = [\"10.0.0.11/24\"]"), "Address of a node"},
		"address twice":              {inPair("INSTANCE", "addresses = [\"10.0.0.254/24\", \"10.0.0.254/32\"]"), "Address twice"},
		"address of two instances":   {inPair("INSTANCE", inner, "TOP", second("virtual_router_id = 52\n"+inner)), "Address in two hands"},
		"one VIP with other holders": {inPair("TOP", balanced(dr80)+svc("w", "director = \"d1\"\nvip = \"192.0.2.100\"\nport = 81\nmode = \"dr\"\nreal_servers = [\"rs\"]")), "VIP in two hands"},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := loadText(t, c.src, Options{})
			found := false
			for _, d := range diags {
				found = found || strings.HasPrefix(d.Summary+": "+d.Detail, c.want) && d.Subject != nil && d.Subject.Start.Line > 1
			}
			if !found || !diags.HasErrors() {
				t.Errorf("want %q, have\n%s", c.want, summaries(diags))
			}
		})
	}
}

// TestRouterIDOfAnotherLAN has the same router id on two LANs, which is no conflict.
func TestRouterIDOfAnotherLAN(t *testing.T) {
	src := inPair("INSTANCE", inner, "TOP", balanced(dr80)+`
director "far" {
  interface "eth0" { address = "198.51.100.1/24" }
}
vrrp_instance "far" {
  directors         = ["far"]
  interface         = "eth0"
  virtual_router_id = 51
  addresses         = ["198.51.100.9/24"]
}`)
	valid(t, src, Options{})
}

func TestPair(t *testing.T) {
	topo := valid(t, inPair("INSTANCE", "unicast = true\nsync = true\npreempt = false\naddresses = [\"10.0.0.254/24\", \"2001:db8::100/128 dev eth0\"]\n", "TOP",
		balanced(nat88+"sorry_server = \"10.0.0.200:8080\"")+
			svc("dns", "directors = [\"d1\", \"d2\"]\nvip = \"192.0.2.101\"\n"+udp53+"health_check {\n udp {}\n interval = \"2s\"\n}")+
			svc("none", "directors = [\"d1\", \"d2\"]\nvip = \"192.0.2.102\"\n"+mark7+"health_check {\n none {}\n}")), Options{})
	v := topo.VRRP[0]
	want := &VRRPInstance{
		Name: "pair", Directors: v.Directors, Interface: "eth0", RouterID: 51, AdvertInt: time.Second, Priorities: []int{100, 90},
		Unicast: true, Sync: true,
		Addresses: []FloatingAddress{{Prefix: netip.MustParsePrefix("10.0.0.254/24")}, {Prefix: netip.MustParsePrefix("2001:db8::100/128"), Dev: "eth0"}},
	}
	if d := cmp.Diff(want, v, withoutPlaces...); d != "" {
		t.Errorf("instance (-want +have):\n%s", d)
	}
	var kinds []string
	for _, s := range topo.Services {
		kinds = append(kinds, s.Name+" "+s.HealthCheck.Kind+" "+s.HealthCheck.Interval.String())
	}
	if d := cmp.Diff([]string{"dns udp 2s", "none none 5s", "v tcp 5s"}, kinds); d != "" {
		t.Errorf("checks (-want +have):\n%s", d)
	}
	d2 := topo.Node("d2")
	if dev := v.Addresses[0].Device(d2); dev != "eth1" {
		t.Errorf("10.0.0.254 goes to %q", dev)
	}
	if source, ok := v.Source(d2, false); !ok || source != netip.MustParseAddr("192.0.2.2") {
		t.Errorf("adverts come from %s", source)
	}
	if a, ok := v.Inner(netip.MustParseAddr("10.0.0.11")); !ok || a.Prefix.Addr() != netip.MustParseAddr("10.0.0.254") {
		t.Errorf("the gateway is %v", a)
	}
}

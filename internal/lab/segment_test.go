package lab

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func nic(name string, addresses ...string) Interface {
	return Interface{Name: name, Addresses: prefixes(addresses...)}
}

func TestSegments(t *testing.T) {
	for name, test := range map[string]struct {
		hosts []Host
		want  [][]int
	}{
		"one LAN": {[]Host{{Interfaces: []Interface{nic("a", "10.0.0.1/24")}}, {Interfaces: []Interface{nic("b", "10.0.0.2/24")}}}, [][]int{{0}, {0}}},
		"two LANs and a router": {[]Host{
			{Interfaces: []Interface{nic("a", "10.0.0.1/24")}},
			{Interfaces: []Interface{nic("a", "10.0.0.2/24"), nic("b", "10.1.0.2/24")}},
			{Interfaces: []Interface{nic("a", "10.1.0.3/24")}},
		}, [][]int{{0}, {0, 1}, {1}}},
		"a third one links two subnets": {[]Host{
			{Interfaces: []Interface{nic("a", "10.0.0.1/24")}},
			{Interfaces: []Interface{nic("a", "10.1.0.1/24")}},
			{Interfaces: []Interface{nic("a", "10.1.0.2/24", "10.0.0.2/24")}},
		}, [][]int{{0}, {0}, {0}}},
		"one length is not another": {[]Host{{Interfaces: []Interface{nic("a", "10.0.0.1/24")}}, {Interfaces: []Interface{nic("a", "10.0.0.2/16")}}}, [][]int{{0}, {1}}},
		"IPv6 with IPv4":            {[]Host{{Interfaces: []Interface{nic("a", "fd00::1/64", "10.0.0.1/24")}}, {Interfaces: []Interface{nic("a", "fd00::2/64")}}}, [][]int{{0}, {0}}},
		"no address, and lo":        {[]Host{{Interfaces: []Interface{nic("a"), nic("lo", "10.9.9.9/32"), nic("b")}}, {Interfaces: []Interface{nic("lo", "10.9.9.9/32")}}}, [][]int{{0, -1, 1}, {-1}}},
	} {
		have, _ := segments(test.hosts)
		if diff := cmp.Diff(test.want, have); diff != "" {
			t.Errorf("%s (-want +have):\n%s", name, diff)
		}
	}
}

func TestManagementNet(t *testing.T) {
	for name, test := range map[string]struct {
		spec Spec
		want string
	}{
		"free":         {Spec{Hosts: []Host{{Interfaces: []Interface{nic("a", "10.0.0.1/24")}}}}, "198.18.0.0/24"},
		"used":         {Spec{Hosts: []Host{{Interfaces: []Interface{nic("a", "198.18.0.77/25")}}}}, "198.18.1.0/24"},
		"avoided":      {Spec{Avoid: prefixes("198.18.0.0/16")}, "198.19.0.0/24"},
		"default":      {Spec{Avoid: prefixes("0.0.0.0/0", "::/0")}, "198.18.0.0/24"},
		"a single VIP": {Spec{Avoid: prefixes("198.18.0.9/32")}, "198.18.1.0/24"},
	} {
		have, err := managementNet(test.spec)
		if err != nil || have.String() != test.want {
			t.Errorf("%s: want %s, have %s, %v", name, test.want, have, err)
		}
	}
	if _, err := managementNet(Spec{Avoid: prefixes("198.18.0.0/15")}); err == nil {
		t.Error("found a network where all are taken")
	}
}

func TestDraw(t *testing.T) {
	s := Spec{Name: "x", Hosts: []Host{
		{Name: "lb", Interfaces: []Interface{nic("eth0.100", "10.0.0.1/24", "fd00::1/64"), nic("mgmt0", "10.1.0.1/31")}},
		{Name: "c", Interfaces: []Interface{nic("lo", "10.9.9.9/32"), nic("eth0", "10.0.0.2/24")},
			Gateway4: netip.MustParseAddr("10.0.0.1"), Gateway6: netip.MustParseAddr("fd00::1"),
			Routes: []Route{{To: netip.MustParsePrefix("10.5.0.9/16"), Via: netip.MustParseAddr("10.0.0.3")}, {To: netip.MustParsePrefix("10.6.0.0/16"), Dev: "eth0"}}},
	}}
	have := draw(s, netip.MustParsePrefix("198.18.0.0/24"))
	wiring := strings.TrimLeft(`
link set dev eth0 up
link add name mgmt0 up type bridge stp_state 0 forward_delay 0 mcast_snooping 0
link set dev eth0 master mgmt0
link add name lan0 up type bridge stp_state 0 forward_delay 0 mcast_snooping 0
link add name lan1 up type bridge stp_state 0 forward_delay 0 mcast_snooping 0
link add name h0n255 mtu 1500 master mgmt0 up type veth peer name mgmt1 address 02:00:00:00:ff:01 mtu 1500 netns @0@
link add name h0n0 mtu 1500 master lan0 up type veth peer name eth0.100 address 02:00:00:00:00:01 mtu 1500 netns @0@
link add name h0n1 mtu 1500 master lan1 up type veth peer name mgmt0 address 02:00:00:00:01:01 mtu 1500 netns @0@
link add name h1n255 mtu 1500 master mgmt0 up type veth peer name mgmt1 address 02:00:00:01:ff:01 mtu 1500 netns @1@
link add name h1n1 mtu 1500 master lan0 up type veth peer name eth0 address 02:00:00:01:01:01 mtu 1500 netns @1@
`, "\n")
	if diff := cmp.Diff(wiring, have.Wiring); diff != "" {
		t.Errorf("wiring (-want +have):\n%s", diff)
	}
	batches := []string{strings.TrimLeft(`
link set dev lo up
link set dev mgmt1 addrgenmode none up
address add 198.18.0.100/24 dev mgmt1
link set dev eth0.100 up
address add 10.0.0.1/24 broadcast + dev eth0.100
address add fd00::1/64 dev eth0.100 nodad
link set dev mgmt0 up
address add 10.1.0.1/31 dev mgmt0
`, "\n"), strings.TrimLeft(`
link set dev lo up
link set dev mgmt1 addrgenmode none up
address add 198.18.0.101/24 dev mgmt1
address add 10.9.9.9/32 dev lo
link set dev eth0 up
address add 10.0.0.2/24 broadcast + dev eth0
route add default via 10.0.0.1
route add default via fd00::1
route add 10.5.0.0/16 via 10.0.0.3
route add 10.6.0.0/16 dev eth0
`, "\n")}
	for i, want := range batches {
		if diff := cmp.Diff(want, have.Hosts[i].Batch); diff != "" {
			t.Errorf("%s (-want +have):\n%s", have.Hosts[i].Name, diff)
		}
	}
}

func TestSpecRefuses(t *testing.T) {
	many := make([]Host, MaxHosts+1)
	for name, test := range map[string]struct {
		spec Spec
		want string
	}{
		"no name":             {Spec{}, `cannot name a lab ""`},
		"a path for a name":   {Spec{Name: "../x"}, `cannot name a lab "../x"`},
		"no hosts":            {Spec{Name: "x"}, "it has no hosts"},
		"too many":            {Spec{Name: "x", Hosts: many}, "it has 101 hosts, and a lab holds at most 100"},
		"twice":               {Spec{Name: "x", Hosts: []Host{{Name: "a"}, {Name: "a"}}}, "cannot make two hosts called a"},
		"a bad host":          {Spec{Name: "x", Hosts: []Host{{Name: "a b"}}}, `cannot name a host "a b"`},
		"a long interface":    {Spec{Name: "x", Hosts: []Host{{Name: "a", Interfaces: []Interface{nic("abcdefghijklmnop")}}}}, `a: cannot name an interface "abcdefghijklmnop"`},
		"an interface a dot":  {Spec{Name: "x", Hosts: []Host{{Name: "a", Interfaces: []Interface{nic("..")}}}}, `a: cannot name an interface ".."`},
		"an interface twice":  {Spec{Name: "x", Hosts: []Host{{Name: "a", Interfaces: []Interface{nic("b"), nic("b")}}}}, "a: cannot make two interfaces called b"},
		"a word in interface": {Spec{Name: "x", Hosts: []Host{{Name: "a", Interfaces: []Interface{nic("b up")}}}}, `a: cannot name an interface "b up"`},
	} {
		if err := test.spec.check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: want %q, have %v", name, test.want, err)
		}
	}
	if err := lan().check(); err != nil {
		t.Error(err)
	}
}

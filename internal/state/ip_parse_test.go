package state

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func addressKey(prefix, dev string) AddressKey {
	return AddressKey{Prefix: netip.MustParsePrefix(prefix), Dev: dev}
}

func TestParseAddresses(t *testing.T) {
	for _, text := range []string{
		"1: lo inet",
		"1: lo    inet6",
		"1: lo    inet lo/8 scope host lo",
		"1: lo    inet 127.0.0.1/99 scope host lo",
		"1: lo    inet 127.0.0.1 peer here scope host lo",
		"1: lo    inet 127.0.0.1 peer 127.0.0.2 scope host lo",
		"1: lo    link 127.0.0.1/8 scope host lo",
		`Device "eth7" does not exist.`,
	} {
		if err := parseAddresses(text+"\n", New()); err == nil {
			t.Errorf("no error for %q", text)
		}
	}

	for _, c := range []struct {
		name, text string
		want       map[AddressKey]Address
	}{
		{"nothing", "\n", nil},
		{"iproute2 2.6.32", captured(t, "el6", "addr4"), map[AddressKey]Address{
			addressKey("127.0.0.1/8", "lo"):      {},
			addressKey("10.0.0.100/32", "lo"):    {Label: "lo:0"},
			addressKey("10.1.0.1/24", "eth0"):    {},
			addressKey("10.1.0.2/24", "eth0"):    {Label: "eth0:vip"},
			addressKey("10.0.0.101/32", "tunl0"): {},
		}},
		{"iproute2 6.1", captured(t, "debian12", "addr4"), captured4},
		{"busybox", captured(t, "busybox", "addr4"), captured4},
		{"iproute2 6.1, IPv6", captured(t, "debian12", "addr6"), captured6},
		{"busybox, IPv6", captured(t, "busybox", "addr6"), captured6},
		{
			"iproute2 6.6: where an address comes from",
			"1: lo    inet 127.0.0.1/8 scope host proto kernel_lo lo\\       valid_lft forever preferred_lft forever\n" +
				"2: eth0    inet 10.1.0.9/24 metric 100 brd 10.1.0.255 scope global dynamic noprefixroute eth0\\       valid_lft 86000sec preferred_lft 86000sec\n" +
				"1: lo    inet6 ::1/128 scope host noprefixroute proto kernel_lo \\       valid_lft forever preferred_lft forever\n",
			map[AddressKey]Address{addressKey("127.0.0.1/8", "lo"): {}, addressKey("10.1.0.9/24", "eth0"): {}, addressKey("::1/128", "lo"): {}},
		},
		{
			"a device that is called like an alias of another, and a VLAN",
			"4: eth0.100    inet 10.4.0.1/24 scope global eth0.100\n5: eth0.1    inet 10.5.0.1/24 scope global eth0.1:a\n6: scope    inet 10.6.0.1/32 scope global scope\n",
			map[AddressKey]Address{addressKey("10.4.0.1/24", "eth0.100"): {}, addressKey("10.5.0.1/24", "eth0.1"): {Label: "eth0.1:a"}, addressKey("10.6.0.1/32", "scope"): {}},
		},
		{
			"duplicate address detection",
			"2: eth0    inet6 fd00::1/128 scope global dadfailed tentative \\       valid_lft forever preferred_lft forever\n" +
				"2: eth0    inet6 fd00::2/128 scope global tentative \\       valid_lft forever preferred_lft forever\n",
			map[AddressKey]Address{addressKey("fd00::1/128", "eth0"): {Duplicate: true}, addressKey("fd00::2/128", "eth0"): {}},
		},
		{
			"without a prefix length",
			"2: ppp0    inet 10.7.0.1 scope global ppp0\n3: tun0    inet6 fd00::1 scope global\n",
			map[AddressKey]Address{addressKey("10.7.0.1/32", "ppp0"): {}, addressKey("fd00::1/128", "tun0"): {}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := New()
			if err := parseAddresses(c.text, have); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, have.Addresses, same); d != "" {
				t.Error(d)
			}
		})
	}
}

var (
	captured4 = map[AddressKey]Address{
		addressKey("127.0.0.1/8", "lo"):   {},
		addressKey("10.0.0.100/32", "lo"): {Label: "lo:0"},
		addressKey("10.0.0.104/32", "lo"): {Label: "lo:1"},
		addressKey("10.0.0.105/32", "lo"): {},
		addressKey("10.1.0.1/24", "eth9"): {},
		addressKey("10.2.0.1/32", "eth9"): {}, // it has a peer
		addressKey("10.3.0.1/24", "eth9"): {},
		addressKey("10.1.0.2/24", "eth9"): {Label: "eth9:vip"},
	}
	captured6 = map[AddressKey]Address{
		addressKey("2001:db8::100/128", "lo"):              {},
		addressKey("::1/128", "lo"):                        {},
		addressKey("2001:db8:1::1/64", "eth9"):             {},
		addressKey("fe80::d84d:d6ff:fe69:5a35/64", "eth8"): {},
		addressKey("fe80::88ee:27ff:fe46:c463/64", "eth9"): {},
	}
)

func TestParseLinks(t *testing.T) {
	for _, text := range []string{"2: eth0 mtu 1500", "2: eth0: UP mtu 1500", "2: eth0: <UP,LOWER_UP mtu 1500"} {
		if err := parseLinks(text+"\n", New()); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
	live := map[string]Link{"lo": {Up: true}, "eth8": {Up: true}, "eth9": {Up: true}, "eth9.100": {}, "peer100": {}, "dummy0": {}}
	for _, c := range []struct {
		name, text string
		want       map[string]Link
	}{
		{"nothing", "", nil},
		{"iproute2 2.6.32", captured(t, "el6", "link"), map[string]Link{"lo": {Up: true}, "eth0": {Up: true}, "tunl0": {}}},
		{"iproute2 6.1", captured(t, "debian12", "link"), live},
		{"busybox", captured(t, "busybox", "link"), live},
		{
			"peers in other namespaces, no carrier",
			"5: eth0@if6: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN\\    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0\n" +
				"6: tunl0@NONE: <NOARP,UP,LOWER_UP> mtu 1480 qdisc noqueue state UNKNOWN\\    link/ipip 0.0.0.0 brd 0.0.0.0\n" +
				"7: sit0: <NOARP,M-UP,LOWER_UP> mtu 1480\n",
			map[string]Link{"eth0": {Up: true}, "tunl0": {Up: true}, "sit0": {}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := New()
			if err := parseLinks(c.text, have); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, have.Links, same); d != "" {
				t.Error(d)
			}
			for dev := range c.want { // what is called dummy0 there has ARP
				if want := dev == "lo" || dev == "tunl0" || dev == "sit0"; have.Quiet(dev) != want {
					t.Errorf("%s is quiet: %t, want %t", dev, have.Quiet(dev), want)
				}
			}
		})
	}
}

func routeKey(dst string, metric uint32) RouteKey {
	return RouteKey{Dst: netip.MustParsePrefix(dst), Metric: metric}
}

func via(addr, dev, rest string) Route {
	return Route{Via: netip.MustParseAddr(addr), Dev: dev, Rest: rest}
}

func learnt(r Route) Route {
	r.Learnt = true
	return r
}

func TestParseRoutes(t *testing.T) {
	for _, text := range []string{
		"blackhole",
		"nowhere via 10.1.0.254 dev eth0",
		"10.1.0.0/99 dev eth0",
		"default via router dev eth0",
		"default via",
		"default via 10.1.0.254 dev eth0 metric high",
		"default via 10.1.0.254 dev eth0 metric 4294967296",
		"default via 10.1.0.254 dev eth0 metric",
		"default dev",
		`Error: argument "table" is wrong`,
	} {
		if err := parseRoutes4(text+"\n", New()); err == nil {
			t.Errorf("no error for %q", text)
		}
	}

	hops := "nexthop via 10.1.0.250 dev eth9 weight 1 nexthop via 10.1.0.251 dev eth9 weight 2"
	live4 := map[RouteKey]Route{
		routeKey("0.0.0.0/0", 0):             via("10.1.0.254", "eth9", ""),
		routeKey("0.0.0.0/0", 100):           via("10.1.0.253", "eth9", "proto dhcp src 10.1.0.1"),
		routeKey("10.1.0.0/24", 0):           {Dev: "eth9", Rest: "proto kernel scope link src 10.1.0.1"},
		routeKey("10.2.0.2/32", 0):           {Dev: "eth9", Rest: "proto kernel scope link src 10.2.0.1"},
		routeKey("10.3.0.0/24", 50):          {Dev: "eth9", Rest: "proto kernel scope link src 10.3.0.1"},
		routeKey("10.50.0.0/16", 0):          {Rest: hops},
		routeKey("10.60.0.0/16", 100):        via("10.99.0.1", "eth9", "proto static src 10.1.0.1 onlink"),
		routeKey("10.70.0.0/16", 0):          {Type: "blackhole"},
		routeKey("10.71.0.0/16", 4278198272): {Type: "unreachable"},
		routeKey("10.80.0.0/16", 0):          {Dev: "eth9", Rest: "via inet6 2001:db8:1::2"},
		routeKey("10.90.0.1/32", 0):          {Dev: "eth9", Rest: "scope link mtu 1400"},
	}
	for _, c := range []struct {
		name, text string
		parse      func(string, *State) error
		want       map[RouteKey]Route
	}{
		{"nothing", "", parseRoutes4, nil},
		{"iproute2 2.6.32: double blanks", captured(t, "el6", "route4"), parseRoutes4, map[RouteKey]Route{
			routeKey("10.0.0.101/32", 0):     {Dev: "tunl0", Rest: "scope link"},
			routeKey("10.1.0.0/24", 0):       {Dev: "eth0", Rest: "proto kernel scope link src 10.1.0.1"},
			routeKey("169.254.0.0/16", 1002): {Dev: "eth0", Rest: "scope link"},
			routeKey("0.0.0.0/0", 0):         via("10.1.0.254", "eth0", ""),
		}},
		{"iproute2 2.6.32, IPv6: errors and times", captured(t, "el6", "route6"), parseRoutes6, map[RouteKey]Route{
			routeKey("2001:db8:1::/64", 256): {Dev: "eth0", Rest: "proto kernel mtu 1500 advmss 1440 hoplimit 4294967295"},
			routeKey("fe80::/64", 256): {
				Dev: "lo", Type: "unreachable", Rest: "proto kernel mtu 16436 advmss 16376 hoplimit 4294967295",
				Behind: "dev eth0 proto kernel mtu 1500 advmss 1440 hoplimit 4294967295",
			},
			routeKey("::/0", 1024):       learnt(via("fe80::1", "eth0", "proto kernel mtu 1500 advmss 1440 hoplimit 64")),
			routeKey("::/0", 4294967295): {Dev: "lo", Type: "unreachable", Rest: "proto kernel hoplimit 255"},
		}},
		{"iproute2 6.1", captured(t, "debian12", "route4"), parseRoutes4, live4},
		{"iproute2 6.1, a link lost", captured(t, "debian12", "route4-linkdown"), parseRoutes4, live4},
		{"iproute2 6.1, IPv6", captured(t, "debian12", "route6"), parseRoutes6, map[RouteKey]Route{
			routeKey("2001:db8::100/128", 256): {Dev: "lo", Rest: "proto kernel pref medium"},
			routeKey("2001:db8:1::/64", 256):   {Dev: "eth9", Rest: "proto kernel pref medium"},
			routeKey("2001:db8:50::/48", 1024): {Rest: "pref medium nexthop via 2001:db8:1::a dev eth9 weight 1 nexthop via 2001:db8:1::b dev eth9 weight 1"},
			routeKey("2001:db8:60::/48", 2048): via("2001:db8:1::fd", "eth9", "pref medium"),
			routeKey("2001:db8:70::/48", 1024): {Dev: "lo", Type: "blackhole", Rest: "pref medium"},
			routeKey("fe80::/64", 256):         {Dev: "eth8", Rest: "proto kernel pref medium", Behind: "dev eth9 proto kernel pref medium"},
			routeKey("::/0", 1024):             learnt(via("2001:db8:1::fe", "eth9", "proto ra pref high")),
		}},
		{"busybox: neither protocols nor next hops, negative metrics", captured(t, "busybox", "route4"), parseRoutes4, map[RouteKey]Route{
			routeKey("0.0.0.0/0", 0):             via("10.1.0.254", "eth9", ""),
			routeKey("0.0.0.0/0", 100):           via("10.1.0.253", "eth9", "src 10.1.0.1"),
			routeKey("10.1.0.0/24", 0):           {Dev: "eth9", Rest: "scope link src 10.1.0.1"},
			routeKey("10.2.0.2/32", 0):           {Dev: "eth9", Rest: "scope link src 10.2.0.1"},
			routeKey("10.3.0.0/24", 50):          {Dev: "eth9", Rest: "scope link src 10.3.0.1"},
			routeKey("10.50.0.0/16", 0):          {},
			routeKey("10.60.0.0/16", 100):        via("10.99.0.1", "eth9", "src 10.1.0.1 onlink"),
			routeKey("10.70.0.0/16", 0):          {Type: "blackhole"},
			routeKey("10.71.0.0/16", 4278198272): {Type: "unreachable"},
			routeKey("10.80.0.0/16", 0):          {Dev: "eth9"},
			routeKey("10.90.0.1/32", 0):          {Dev: "eth9", Rest: "scope link"},
		}},
		{
			"flags of 5.x and later, states that pass",
			"unicast 10.9.0.0/16 via 10.1.0.1 dev eth0 proto bgp rt_trap rt_offload\n" +
				"10.10.0.0/16 nhid 7 proto zebra dead \\\tnexthop via 10.1.0.2 dev eth0 weight 1 dead linkdown\n" +
				"throw 10.11.0.0/16\nprohibit 10.12.0.0/16 metric 5\n",
			parseRoutes4,
			map[RouteKey]Route{
				routeKey("10.9.0.0/16", 0):  via("10.1.0.1", "eth0", "proto bgp"),
				routeKey("10.10.0.0/16", 0): {Rest: "nhid 7 proto zebra nexthop via 10.1.0.2 dev eth0 weight 1"},
				routeKey("10.11.0.0/16", 0): {Type: "throw"},
				routeKey("10.12.0.0/16", 5): {Type: "prohibit"},
			},
		},
		{
			"several of one destination: the first is taken, others have a type of service or a table",
			"default via 192.168.50.1 dev eth1 proto dhcp metric 100\ndefault via 10.0.0.1 dev eth0 proto dhcp metric 100\n" +
				"unreachable default metric 100\ndefault tos 0x10 via 10.0.0.9 dev eth0 metric 100\n" +
				"default via 10.0.0.8 dev eth0 table 100 metric 100\ndefault via 10.0.0.7 dev eth0 table main metric 7\n",
			parseRoutes4,
			map[RouteKey]Route{
				routeKey("0.0.0.0/0", 100): {
					Via: netip.MustParseAddr("192.168.50.1"), Dev: "eth1", Rest: "proto dhcp",
					Behind: "via 10.0.0.1 dev eth0 proto dhcp\nunreachable",
				},
				{Dst: netip.MustParsePrefix("0.0.0.0/0"), Metric: 100, TOS: "0x10"}:  via("10.0.0.9", "eth0", ""),
				{Dst: netip.MustParsePrefix("0.0.0.0/0"), Metric: 100, Table: "100"}: via("10.0.0.8", "eth0", ""),
				routeKey("0.0.0.0/0", 7): via("10.0.0.7", "eth0", ""),
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := New()
			if err := c.parse(c.text, have); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, have.Routes, same); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParsePolicies(t *testing.T) {
	for _, text := range []string{"from all lookup main\n", "x:\tfrom all lookup main\n", "7:\tfrom all\n", "7:\tfrom all fwmark 0x1\n"} {
		if err := parsePolicies4(text, New()); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
	have := New()
	const text = "0:\tfrom all lookup local \n" +
		"10:\tfrom 10.0.0.11 lookup 100 \n" +
		"10:\tnot from all fwmark 0xca6c lookup 51820 proto static\n" +
		"20:\tfrom all to 10.8.0.0/16 iif eth0 [detached] unreachable\n" +
		"30:\tfrom all lookup main suppress_prefixlength 0\n" +
		"40:\tfrom all table 7\n" +
		"1000:\tfrom all lookup [l3mdev-table]\n" +
		"32766:\tfrom all lookup main\n" +
		"tables\n" +
		"default via 10.0.0.1 dev eth0 table 100 proto static\n" +
		"default via 10.0.0.9 dev eth1\n" +
		"local 10.0.0.11 dev eth0 table local proto kernel scope host src 10.0.0.11\n" +
		"vrfs\n" +
		"4: blue: <NOARP,MASTER,UP,LOWER_UP> mtu 65575 qdisc noqueue state UP mode DEFAULT \\    link/ether 5e:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff promiscuity 0 \\    vrf table 10 addrgenmode eui64\n"
	if err := parsePolicies4(text, have); err != nil {
		t.Fatal(err)
	}
	want := map[PolicyKey]Policy{
		{Priority: 0}: {"lookup local"}, {Priority: 32766}: {"lookup main"}, {Priority: 40}: {"lookup 7"},
		{Priority: 10, Selector: "from 10.0.0.11"}:                     {"lookup 100"},
		{Priority: 10, Selector: "not from all fwmark 0xca6c"}:         {"lookup 51820"},
		{Priority: 20, Selector: "to 10.8.0.0/16 iif eth0 [detached]"}: {"unreachable"},
		{Priority: 30}:   {"lookup main suppress_prefixlength 0"},
		{Priority: 1000}: {"lookup [l3mdev-table]"},
	}
	if d := cmp.Diff(want, have.Policies, same); d != "" {
		t.Error(d)
	}
	routes := map[RouteKey]Route{{Dst: netip.MustParsePrefix("0.0.0.0/0"), Table: "100"}: via("10.0.0.1", "eth0", "proto static")}
	if d := cmp.Diff(routes, have.Routes, same); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"blue": "10"}, have.VRFs); d != "" {
		t.Error(d)
	}
}

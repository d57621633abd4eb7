package state

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	eth1Forwarding = "net/ipv4/conf/eth1/forwarding"
	arpIgnore      = "net/ipv4/conf/all/arp_ignore"
)

// stateOf makes a State from entries.
func stateOf(fill ...func(*State)) *State {
	s := New()
	for _, f := range fill {
		f(s)
	}
	return s
}

func sysctl(key, value string) func(*State) { return func(s *State) { s.Sysctls[key] = value } }

func up(dev string) func(*State) { return func(s *State) { s.Links[dev] = Link{Up: true} } }

func address(prefix, dev, label string) func(*State) {
	return func(s *State) { s.Addresses[addressKey(prefix, dev)] = Address{Label: label} }
}

func route(dst string, metric uint32, r Route) func(*State) {
	return func(s *State) { s.Routes[NewRouteKey(netip.MustParsePrefix(dst), metric)] = r }
}

func svc(key, scheduler string) func(*State) {
	return func(s *State) { s.Services[service(key)] = Service{Scheduler: scheduler} }
}

func srv(key string, weight int) func(*State) {
	return func(s *State) { s.Servers[server(key)] = Server{Forward: Direct, Weight: weight} }
}

func recordOf(set, before *State) Record {
	r := NewRecord("web")
	if set != nil {
		r.Set = set
	}
	if before != nil {
		r.Before = before
	}
	return r
}

// summary lists changes as OP KIND KEY: BEFORE -> AFTER.
func summary(changes []Change) []string {
	var list []string
	for _, c := range changes {
		list = append(list, strings.TrimSpace(string(c.Op)+" "+c.Ref.String()+": "+c.Before+" -> "+c.After))
	}
	return list
}

func TestSettle(t *testing.T) {
	nothing := New()
	noRecord := recordOf(nil, nil)
	gw := via("10.1.0.254", "eth0", "")
	for _, c := range []struct {
		name      string
		live      *State
		wanted    *State
		old       Record
		exclusive bool
		want      []string
	}{
		{name: "nothing", live: nothing, wanted: nothing, old: noRecord},
		{
			name:   "foreign entries are nobody's business",
			live:   stateOf(sysctl(arpIgnore, "8"), address("10.0.0.9/32", "lo", ""), route("0.0.0.0/0", 0, gw), svc("tcp 10.0.0.9:80", "rr"), srv("tcp 10.0.0.9:80 -> 10.0.0.8:80", 1)),
			wanted: nothing, old: noRecord,
		},

		// A live entry that does what the wanted one should is left alone.
		{name: "arp_ignore 2 serves for 1", live: stateOf(sysctl(arpIgnore, "2")), wanted: stateOf(sysctl(arpIgnore, "1")), old: noRecord},
		{
			name: "arp_ignore 1 does not serve for 2", live: stateOf(sysctl(arpIgnore, "1")), wanted: stateOf(sysctl(arpIgnore, "2")), old: noRecord,
			want: []string{"change sysctl net.ipv4.conf.all.arp_ignore: 1 -> 2"},
		},
		{
			name: "arp_ignore 8 does not serve for 1", live: stateOf(sysctl(arpIgnore, "8")), wanted: stateOf(sysctl(arpIgnore, "1")), old: noRecord,
			want: []string{"change sysctl net.ipv4.conf.all.arp_ignore: 8 -> 1"},
		},
		{name: "the kernel flips drop_entry", live: stateOf(sysctl("net/ipv4/vs/drop_entry", "2")), wanted: stateOf(sysctl("net/ipv4/vs/drop_entry", "1")), old: noRecord},
		{
			name: "drop_entry 0 is off", live: stateOf(sysctl("net/ipv4/vs/drop_entry", "0")), wanted: stateOf(sysctl("net/ipv4/vs/drop_entry", "2")), old: noRecord,
			want: []string{"change sysctl net.ipv4.vs.drop_entry: 0 -> 2"},
		},
		{
			name: "drop_entry 3 is always on", live: stateOf(sysctl("net/ipv4/vs/drop_entry", "3")), wanted: stateOf(sysctl("net/ipv4/vs/drop_entry", "1")), old: noRecord,
			want: []string{"change sysctl net.ipv4.vs.drop_entry: 3 -> 1"},
		},
		{name: "blanks and tabs are one", live: stateOf(sysctl("net/ipv4/vs/sync_threshold", "3\t50")), wanted: stateOf(sysctl("net/ipv4/vs/sync_threshold", "3 50")), old: noRecord},
		{name: "any label serves where none was asked for", live: stateOf(address("10.0.0.1/32", "lo", "lo:vip")), wanted: stateOf(address("10.0.0.1/32", "lo", "")), old: noRecord},
		{
			name: "another label does not", live: stateOf(address("10.0.0.1/32", "lo", "")), wanted: stateOf(address("10.0.0.1/32", "lo", "lo:0")), old: noRecord,
			want: []string{"change address 10.0.0.1/32 dev lo:  -> label lo:0"},
		},
		{
			name: "an IPv6 address that another host had first is of no use",
			live: stateOf(func(s *State) {
				s.Addresses[AddressKey{netip.MustParsePrefix("fd00::100/128"), "eth0"}] = Address{Duplicate: true}
			}),
			wanted: stateOf(address("fd00::100/128", "eth0", "")), old: noRecord,
			want: []string{"change address fd00::100/128 dev eth0: dadfailed ->"},
		},
		{
			name: "another prefix length or device is another address", live: stateOf(address("10.0.0.1/24", "lo", ""), address("10.0.0.1/32", "eth0", "")),
			wanted: stateOf(address("10.0.0.1/32", "lo", "")), old: noRecord,
			want: []string{"add address 10.0.0.1/32 dev lo:  ->"},
		},
		{
			name: "a device has an IPv6 address once, with whichever length", live: stateOf(address("fd00::100/64", "eth0", "")),
			wanted: stateOf(address("fd00::100/128", "eth0", "")), old: noRecord,
		},
		{
			name: "which comes back with that length", live: nothing,
			wanted: stateOf(address("fd00::100/128", "eth0", "")), old: recordOf(stateOf(address("fd00::100/64", "eth0", "")), stateOf(address("fd00::100/64", "eth0", ""))),
			want: []string{"add address fd00::100/64 dev eth0:  ->"},
		},
		{
			name: "but on lo that draws the whole subnet", live: stateOf(address("fd00::100/64", "lo", "")),
			wanted: stateOf(address("fd00::100/128", "lo", "")), old: noRecord,
			want: []string{"add address fd00::100/128 dev lo:  ->"},
		},
		{
			name: "a route with more than was asked for", live: stateOf(route("0.0.0.0/0", 0, via("10.1.0.254", "eth0", "proto static src 10.1.0.5"))),
			wanted: stateOf(route("0.0.0.0/0", 0, gw)), old: noRecord,
		},
		{
			name: "a route under another metric", live: stateOf(route("0.0.0.0/0", 100, via("10.1.0.254", "eth0", "proto dhcp"))),
			wanted: stateOf(route("0.0.0.0/0", 0, gw)), old: noRecord,
		},
		{
			name: "a route under another metric than the one asked for", live: stateOf(route("0.0.0.0/0", 200, gw)),
			wanted: stateOf(route("0.0.0.0/0", 100, gw)), old: noRecord,
			want: []string{"add route default metric 100:  -> via 10.1.0.254 dev eth0"},
		},
		{
			name: "a worse route to the same gateway", live: stateOf(route("0.0.0.0/0", 100, via("10.1.0.253", "eth0", "")), route("0.0.0.0/0", 200, gw)),
			wanted: stateOf(route("0.0.0.0/0", 0, gw)), old: noRecord,
			want: []string{"add route default:  -> via 10.1.0.254 dev eth0"},
		},
		{
			name: "a blackhole leads nowhere", live: stateOf(route("10.9.0.0/16", 0, Route{Type: "blackhole"})),
			wanted: stateOf(route("10.9.0.0/16", 0, gw)), old: noRecord,
			want: []string{"change route 10.9.0.0/16: blackhole -> via 10.1.0.254 dev eth0"},
		},
		{
			name: "IPv6: a better metric that leads elsewhere", live: stateOf(route("::/0", 100, via("fd00::fd", "eth0", "proto ra"))),
			wanted: stateOf(route("::/0", 0, via("fd00::fe", "eth0", ""))), old: noRecord,
			want: []string{"add route default6 metric 1:  -> via fd00::fe dev eth0"},
		},
		{
			name:   "IPv6: a better metric that leads there, beside another's of the default metric",
			live:   stateOf(route("::/0", 100, via("fd00::fe", "eth0", "")), route("::/0", 1024, via("fd00::fd", "eth0", ""))),
			wanted: stateOf(route("::/0", 0, via("fd00::fe", "eth0", ""))), old: noRecord,
		},

		// Entries that will appear with their device or module.
		{
			name: "a tunnel that its module will bring", live: stateOf(sysctl("net/ipv4/conf/default/rp_filter", "1")),
			wanted: stateOf(up("tunl0"), sysctl("net/ipv4/conf/tunl0/rp_filter", "2")), old: noRecord,
			want: []string{"change sysctl net.ipv4.conf.tunl0.rp_filter: 1 -> 2", "change link tunl0: down -> up"},
		},
		{
			name: "IPVS's own defaults", live: nothing, wanted: stateOf(sysctl("net/ipv4/vs/conntrack", "1"), sysctl("net/ipv4/vs/snat_reroute", "1")), old: noRecord,
			want: []string{"change sysctl net.ipv4.vs.conntrack: 0 -> 1"},
		},
		{
			name: "a parameter that the kernel lacks", live: stateOf(sysctl("net/ipv4/vs/drop_entry", "0")), wanted: stateOf(sysctl("net/ipv4/vs/conntrack", "1")), old: noRecord,
			want: []string{"add sysctl net.ipv4.vs.conntrack:  -> 1"},
		},

		// Entries that leave the topology.
		{
			name: "an added entry goes", live: stateOf(address("10.0.0.1/32", "lo", "")), wanted: nothing,
			old:  recordOf(stateOf(address("10.0.0.1/32", "lo", "")), nil),
			want: []string{"remove address 10.0.0.1/32 dev lo:  ->"},
		},
		{
			name: "an added entry that is gone already", live: nothing, wanted: nothing,
			old: recordOf(stateOf(address("10.0.0.1/32", "lo", "")), nil),
		},
		{
			name: "a found entry stays", live: stateOf(address("10.0.0.1/32", "lo", "")), wanted: nothing,
			old: recordOf(stateOf(address("10.0.0.1/32", "lo", "")), stateOf(address("10.0.0.1/32", "lo", ""))),
		},
		{
			name: "a changed route returns", live: stateOf(route("0.0.0.0/0", 0, gw)), wanted: nothing,
			old:  recordOf(stateOf(route("0.0.0.0/0", 0, gw)), stateOf(route("0.0.0.0/0", 0, via("10.1.0.1", "eth0", "proto static")))),
			want: []string{"change route default: via 10.1.0.254 dev eth0 -> via 10.1.0.1 dev eth0"},
		},
		{
			name: "a parameter whose device is gone", live: nothing, wanted: nothing,
			old: recordOf(stateOf(sysctl("net/ipv4/conf/tunl0/rp_filter", "2")), stateOf(sysctl("net/ipv4/conf/tunl0/rp_filter", "0"))),
		},
		{
			name: "what changed along with ip_forward returns with it", live: stateOf(sysctl(ipForward, "1"), sysctl(acceptRedirects, "0"), sysctl(eth1Forwarding, "1")), wanted: nothing,
			old:  recordOf(stateOf(sysctl(ipForward, "1")), stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "1"))),
			want: []string{"change sysctl net.ipv4.ip_forward: 1 -> 0", "change sysctl net.ipv4.conf.all.accept_redirects: 0 -> 1"},
		},
		{
			name: "what changed along with ip_forward stays while that does", live: stateOf(sysctl(ipForward, "1"), sysctl(acceptRedirects, "0")), wanted: stateOf(sysctl(ipForward, "1")),
			old: recordOf(stateOf(sysctl(ipForward, "1")), stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"))),
		},

		{
			name: "a switch by its other name takes the same along", live: stateOf(sysctl(allForwarding, "1"), sysctl(ipForward, "1"), sysctl(acceptRedirects, "0"), sysctl(eth1Forwarding, "1")), wanted: nothing,
			old:  recordOf(stateOf(sysctl(allForwarding, "1")), stateOf(sysctl(allForwarding, "0"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "1"))),
			want: []string{"change sysctl net.ipv4.conf.all.forwarding: 1 -> 0", "change sysctl net.ipv4.conf.all.accept_redirects: 0 -> 1"},
		},
		{
			name: "a switch that is wanted by its other name is not switched back", live: stateOf(sysctl(allForwarding, "1"), sysctl(ipForward, "1")), wanted: stateOf(sysctl(ipForward, "1")),
			old: recordOf(stateOf(sysctl(allForwarding, "1")), stateOf(sysctl(allForwarding, "0"))),
		},
		{
			name: "both of its names leave", live: stateOf(sysctl(allForwarding, "1"), sysctl(ipForward, "1")), wanted: nothing,
			old:  recordOf(stateOf(sysctl(allForwarding, "1"), sysctl(ipForward, "1")), stateOf(sysctl(allForwarding, "0"), sysctl(ipForward, "0"))),
			want: []string{"change sysctl net.ipv4.conf.all.forwarding: 1 -> 0", "change sysctl net.ipv4.ip_forward: 1 -> 0"},
		},
		{
			name: "a switch by its other name comes first", live: stateOf(sysctl(allForwarding, "0"), sysctl(ipForward, "0"), sysctl(acceptRedirects, "0"), sysctl(arpIgnore, "0")),
			wanted: stateOf(sysctl(allForwarding, "1"), sysctl(acceptRedirects, "1"), sysctl(arpIgnore, "1")), old: noRecord,
			want: []string{"change sysctl net.ipv4.conf.all.forwarding: 0 -> 1", "change sysctl net.ipv4.conf.all.accept_redirects: 0 -> 1", "change sysctl net.ipv4.conf.all.arp_ignore: 0 -> 1"},
		},

		// Services and their servers.
		{
			name: "a foreign server in a wanted service goes", live: stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 1)),
			wanted: stateOf(svc("tcp 10.0.0.1:80", "rr")), old: noRecord,
			want: []string{"remove server tcp 10.0.0.1:80 -> 10.0.0.8:80: dr  weight 1 ->"},
		},
		{
			name: "a found server that leaves the topology goes while its service stays", live: stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 1)),
			wanted: stateOf(svc("tcp 10.0.0.1:80", "rr")),
			old:    recordOf(stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 1)), stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 3))),
			want:   []string{"remove server tcp 10.0.0.1:80 -> 10.0.0.8:80: dr  weight 1 ->"},
		},
		{
			name: "found servers return with their service", live: stateOf(svc("tcp 10.0.0.1:80", "wlc")), wanted: nothing,
			old:  recordOf(stateOf(svc("tcp 10.0.0.1:80", "wlc")), stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 3))),
			want: []string{"change service tcp 10.0.0.1:80: wlc -> rr", "add server tcp 10.0.0.1:80 -> 10.0.0.8:80:  -> dr  weight 3"},
		},
		{
			name: "a foreign server leaves before its service", live: stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 1)), wanted: nothing,
			old:  recordOf(stateOf(svc("tcp 10.0.0.1:80", "rr")), nil),
			want: []string{"remove service tcp 10.0.0.1:80: rr ->", "remove server tcp 10.0.0.1:80 -> 10.0.0.8:80: dr  weight 1 ->"},
		},
		{
			name: "an exclusive director", live: stateOf(svc("tcp 10.0.0.9:80", "rr"), srv("tcp 10.0.0.9:80 -> 10.0.0.8:80", 1)), exclusive: true,
			wanted: stateOf(svc("tcp 10.0.0.1:80", "rr")), old: noRecord,
			want: []string{"add service tcp 10.0.0.1:80:  -> rr", "remove service tcp 10.0.0.9:80: rr ->", "remove server tcp 10.0.0.9:80 -> 10.0.0.8:80: dr  weight 1 ->"},
		},
		{
			name: "an exclusive director, applied", live: stateOf(svc("tcp 10.0.0.1:80", "rr")), exclusive: true,
			wanted: stateOf(svc("tcp 10.0.0.1:80", "rr")),
			old:    recordOf(stateOf(svc("tcp 10.0.0.1:80", "rr")), stateOf(svc("tcp 10.0.0.9:80", "rr"), srv("tcp 10.0.0.9:80 -> 10.0.0.8:80", 1))),
		},
		{
			name: "a director that is exclusive no more", live: stateOf(svc("tcp 10.0.0.1:80", "rr")),
			wanted: stateOf(svc("tcp 10.0.0.1:80", "rr")),
			old:    recordOf(stateOf(svc("tcp 10.0.0.1:80", "rr")), stateOf(svc("tcp 10.0.0.9:80", "rr"), srv("tcp 10.0.0.9:80 -> 10.0.0.8:80", 1))),
			want:   []string{"add service tcp 10.0.0.9:80:  -> rr", "add server tcp 10.0.0.9:80 -> 10.0.0.8:80:  -> dr  weight 1"},
		},
		{
			name: "a found service that leaves the topology of an exclusive director", live: stateOf(svc("tcp 10.0.0.1:80", "wlc"), svc("tcp 10.0.0.2:80", "rr")), exclusive: true,
			wanted: stateOf(svc("tcp 10.0.0.2:80", "rr")),
			old:    recordOf(stateOf(svc("tcp 10.0.0.1:80", "wlc"), svc("tcp 10.0.0.2:80", "rr")), stateOf(svc("tcp 10.0.0.1:80", "rr"))),
			want:   []string{"remove service tcp 10.0.0.1:80: wlc ->"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Settle(c.live, c.wanted, c.old, c.exclusive)
			if d := cmp.Diff(c.want, summary(Diff(s.Have, s.Want)), same); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestRecord follows the record from one apply to the next.
func TestRecord(t *testing.T) {
	type step struct {
		live, wanted *State // the node before the apply, and what is wanted
		after        *State // the node after the apply
		set, before  *State // the record after the apply
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"a switch takes others along", []step{{
			live: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "1")), wanted: stateOf(sysctl(ipForward, "1")),
			after: stateOf(sysctl(ipForward, "1"), sysctl(acceptRedirects, "0"), sysctl(eth1Forwarding, "1")),
			set:   stateOf(sysctl(ipForward, "1")), before: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "1")),
		}}},
		{"what a switch took along is wanted too, later", []step{{
			live: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "0")), wanted: stateOf(sysctl(ipForward, "1")),
			after: stateOf(sysctl(ipForward, "1"), sysctl(acceptRedirects, "0"), sysctl(eth1Forwarding, "1")),
			set:   stateOf(sysctl(ipForward, "1")), before: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1")),
		}, {
			wanted: stateOf(sysctl(ipForward, "1"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "1")),
			after:  stateOf(sysctl(ipForward, "1"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "1")),
			set:    stateOf(sysctl(ipForward, "1"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "1")),
			before: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "0")),
		}}},
		{"a switch is wanted too, later", []step{{
			live: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "0")), wanted: stateOf(sysctl(eth1Forwarding, "1")),
			after: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "1")),
			set:   stateOf(sysctl(eth1Forwarding, "1")), before: stateOf(sysctl(eth1Forwarding, "0")),
		}, {
			wanted: stateOf(sysctl(ipForward, "1"), sysctl(eth1Forwarding, "1")),
			after:  stateOf(sysctl(ipForward, "1"), sysctl(acceptRedirects, "0"), sysctl(eth1Forwarding, "1")),
			set:    stateOf(sysctl(ipForward, "1"), sysctl(eth1Forwarding, "1")),
			before: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(eth1Forwarding, "0")),
		}}},
		{"what a switch took along is forgotten with it", []step{{
			live: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(arpIgnore, "0")), wanted: stateOf(sysctl(ipForward, "1"), sysctl(arpIgnore, "1")),
			after: stateOf(sysctl(ipForward, "1"), sysctl(acceptRedirects, "0"), sysctl(arpIgnore, "1")),
			set:   stateOf(sysctl(ipForward, "1"), sysctl(arpIgnore, "1")), before: stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(arpIgnore, "0")),
		}, {
			wanted: stateOf(sysctl(arpIgnore, "1")),
			after:  stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "1"), sysctl(arpIgnore, "1")),
			set:    stateOf(sysctl(arpIgnore, "1")), before: stateOf(sysctl(arpIgnore, "0")),
		}}},
		{"a device that is gone is forgotten", []step{{
			live: stateOf(sysctl("net/ipv4/conf/default/rp_filter", "0")), wanted: stateOf(up("tunl0"), sysctl("net/ipv4/conf/tunl0/rp_filter", "2")),
			after:  stateOf(up("tunl0"), sysctl("net/ipv4/conf/tunl0/rp_filter", "2")),
			set:    stateOf(up("tunl0"), sysctl("net/ipv4/conf/tunl0/rp_filter", "2")),
			before: stateOf(func(s *State) { s.Links["tunl0"] = Link{} }, sysctl("net/ipv4/conf/tunl0/rp_filter", "0")),
		}, {
			live: New(), wanted: New(), after: New(), set: New(), before: New(),
		}}},
		{"servers that made way are remembered with their service", []step{{
			live:   stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 3)),
			wanted: stateOf(svc("tcp 10.0.0.1:80", "rr")),
			after:  stateOf(svc("tcp 10.0.0.1:80", "rr")),
			set:    stateOf(svc("tcp 10.0.0.1:80", "rr")),
			before: stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 3)),
		}, { // a foreign server that came later is drift
			live:   stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.9:80", 1)),
			wanted: stateOf(svc("tcp 10.0.0.1:80", "rr")),
			after:  stateOf(svc("tcp 10.0.0.1:80", "rr")),
			set:    stateOf(svc("tcp 10.0.0.1:80", "rr")),
			before: stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 3)),
		}, {
			wanted: New(),
			after:  stateOf(svc("tcp 10.0.0.1:80", "rr"), srv("tcp 10.0.0.1:80 -> 10.0.0.8:80", 3)),
			set:    New(), before: New(),
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			record, live := NewRecord("web"), New()
			for _, s := range c.steps {
				if s.live != nil {
					live = s.live
				}
				intent := Settle(live, s.wanted, record, false).Intent
				live = s.after
				record = Confirm(Settle(live, s.wanted, intent, false), live)
				if d := cmp.Diff(recordOf(s.set, s.before), record, same); d != "" {
					t.Fatal(d)
				}
			}
		})
	}
}

// TestUndoOfASwitch undoes a forwarding switch. The keys that the kernel changed along with
// it are set back too, wanted or not.
func TestUndoOfASwitch(t *testing.T) {
	live := stateOf(sysctl(ipForward, "0"), sysctl(acceptRedirects, "0"), sysctl(eth1Forwarding, "1"))
	s := Settle(live, stateOf(sysctl(ipForward, "1")), recordOf(nil, nil), false)
	changes := Diff(s.Have, s.Want)
	if len(changes) != 1 {
		t.Fatalf("%d changes: %q", len(changes), summary(changes))
	}
	var have []string
	for _, c := range changes[0].Undo {
		have = append(have, c.String())
	}
	want := []string{
		`printf '%s\n' 0 > /proc/sys/net/ipv4/ip_forward`,
		`printf '%s\n' 0 > /proc/sys/net/ipv4/conf/all/accept_redirects`,
		`printf '%s\n' 1 > /proc/sys/net/ipv4/conf/eth1/forwarding`,
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
}

// TestBeforeByAnotherName records a forwarding switch that lvsctl has already set by its
// other key. The old value is the one from before that.
func TestBeforeByAnotherName(t *testing.T) {
	live := stateOf(sysctl(allForwarding, "1"), sysctl(ipForward, "1"))
	old := recordOf(stateOf(sysctl(allForwarding, "1")), stateOf(sysctl(allForwarding, "0")))
	s := Settle(live, stateOf(sysctl(ipForward, "1")), old, false)
	if d := cmp.Diff(stateOf(sysctl(allForwarding, "0"), sysctl(ipForward, "0")), s.Intent.Before, same); d != "" {
		t.Error(d)
	}
}

func TestKindsInOrder(t *testing.T) {
	want := []Kind{"package", "module", "config", "sysctl", "rule", "link", "fou", "address", "route", "policy", "timeout", "service", "server", "sync", "daemon", "file", "unit"}
	if d := cmp.Diff(want, Kinds()); d != "" {
		t.Error(d)
	}
}

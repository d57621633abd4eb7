package state_test

import (
	stdcmp "cmp"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// host is a network namespace of this machine, for tests of routes in a real kernel. It
// has two LANs: eth0 is 10.0.0.11/24 and 2001:db8:1::11/64, eth1 192.168.50.11/24 and
// 2001:db8:2::11/64.
type host struct {
	testing.TB
	name string
}

func newHost(t testing.TB) host {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("not root")
		}
		t.Skip("left out: network namespaces need root")
	}
	h := host{t, fmt.Sprintf("lvsctl-routes-%d", os.Getpid())}
	if out, err := exec.Command("ip", "netns", "add", h.name).CombinedOutput(); err != nil {
		t.Fatalf("ip netns add: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", h.name).Run() })
	h.run(`
ip link set lo up
for n in 0 1; do
  ip link add "eth$n" type veth peer name "peer$n"
  ip link set "peer$n" addrgenmode none up
  echo 0 >"/proc/sys/net/ipv6/conf/eth$n/accept_ra"
  ip link set "eth$n" addrgenmode none up
  ip addr add "fe80::1$n/64" dev "eth$n" nodad
done
ip addr add 10.0.0.11/24 dev eth0
ip addr add 192.168.50.11/24 dev eth1
ip addr add 2001:db8:1::11/64 dev eth0 nodad
ip addr add 2001:db8:2::11/64 dev eth1 nodad`)
	return h
}

// run runs a script on the host and returns its output.
func (h host) run(script string) string {
	h.Helper()
	cmd := exec.Command("ip", "netns", "exec", h.name, "sh", "-ec", script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.Fatalf("%s: %v: %s", script, err, out)
	}
	return string(out)
}

// read reads the host as lvsctl reads a node.
func (h host) read() *state.State {
	h.Helper()
	s := state.New()
	for _, section := range state.Sections(state.Wanted{Topology: "t"}) {
		if strings.HasPrefix(section.Name, "routes") || strings.HasPrefix(section.Name, "addresses") || strings.HasPrefix(section.Name, "policies") {
			script := section.Read.String()
			if f := section.Read.Calls; f != "" {
				script = shell.Definitions(f) + script
			}
			if err := section.Parse(h.run(script), s); err != nil {
				h.Fatal(err)
			}
		}
	}
	return s
}

var lifetimes = regexp.MustCompile(` expires \S+`)

// routes lists all routes of the host, without their remaining lifetimes.
func (h host) routes() string {
	h.Helper()
	return lifetimes.ReplaceAllString(h.run("ip -4 route; ip -6 route"), "")
}

// TestRoutesInKernel applies wanted routes in a real kernel. The traffic must use the
// wanted route, a second plan must be empty, and the inverse must restore all old routes in
// their order.
func TestRoutesInKernel(t *testing.T) {
	const (
		ours  = "via 10.0.0.1 dev eth0"
		ours6 = "via 2001:db8:1::1 dev eth0"
		// As providers hand them out.
		offSubnet, linkLocal = "via 172.31.1.1 dev eth0", "via fe80::1 dev eth0"
	)
	for name, c := range map[string]struct {
		routes  string // the old routes, one ip route command on each line
		nothing bool   // no change is needed
		ipv6    bool
		way     string // what is wanted, if not ours or ours6
	}{
		"a gateway outside of the subnet":                      {way: offSubnet},
		"a gateway outside of the subnet, there already":       {way: offSubnet, routes: "add default " + offSubnet + " onlink proto dhcp", nothing: true},
		"a gateway outside of the subnet, there by a route":    {way: offSubnet, routes: "add 172.31.1.1 dev eth0\nadd default " + offSubnet, nothing: true},
		"a gateway outside of the subnet, in place of another": {way: offSubnet, routes: "add default via 192.168.50.1 metric 10\nadd default " + ours},
		"IPv6: a link-local gateway":                           {ipv6: true, way: linkLocal},
		"IPv6: a link-local gateway, there already":            {ipv6: true, way: linkLocal, routes: "add default " + linkLocal + " metric 100 proto static", nothing: true},
		"IPv6: a link-local gateway, of the other device":      {ipv6: true, way: linkLocal, routes: "add default via fe80::1 dev eth1"},
		"IPv6: a link-local gateway, beside the learnt one":    {ipv6: true, way: linkLocal, routes: "add default via fe80::1 dev eth1 proto ra metric 100 expires 1000\nadd default via fe80::1 dev eth0 proto ra metric 1024 expires 1000"},
		"none":                       {routes: ""},
		"the wanted one":             {routes: "add default " + ours, nothing: true},
		"another":                    {routes: "add default via 192.168.50.1"},
		"the wanted one by DHCP":     {routes: "add default " + ours + " proto dhcp src 10.0.0.11 metric 100", nothing: true},
		"the wanted one comes first": {routes: "add default " + ours + " metric 100\nappend default via 192.168.50.1 metric 100", nothing: true},
		"the wanted one comes second": {
			routes: "add default via 192.168.50.1 proto dhcp metric 100\nappend default " + ours + " proto dhcp metric 100",
		},
		"second, and without a metric": {
			routes: "add default via 192.168.50.1\nappend default " + ours + " proto static\nappend default via 192.168.50.2",
		},
		"a blackhole in its place":    {routes: "add blackhole default"},
		"a blackhole that is better":  {routes: "add unreachable default\nappend default " + ours},
		"several next hops":           {routes: "add default nexthop " + ours + " nexthop via 192.168.50.1 dev eth1"},
		"a type of service":           {routes: "add default tos 0x10 via 192.168.50.1\nadd default via 192.168.50.2 metric 5"},
		"a type of service alone":     {routes: "add default tos 0x10 via 192.168.50.1\nadd default " + ours, nothing: true},
		"onlink":                      {routes: "add default via 172.31.1.1 dev eth0 onlink"},
		"a throw":                     {routes: "add throw default"},
		"prohibit, and a better one":  {routes: "add prohibit default metric 5\nadd default " + ours + " metric 9"},
		"no gateway at all":           {routes: "add default dev eth1 scope link"},
		"an IPv6 gateway":             {routes: "add default via inet6 fe80::1 dev eth1"},
		"metrics, one locked":         {routes: "add default via 192.168.50.1 mtu lock 1400 advmss 1360 initcwnd 20 rto_min 50ms quickack 1 congctl lock reno"},
		"the wanted one with them":    {routes: "add default " + ours + " mtu lock 1400 window 1000 realm 7 metric 30", nothing: true},
		"the greatest metric":         {routes: "add default via 192.168.50.1 metric 4294967295"},
		"three of one metric":         {routes: "add default via 192.168.50.1 metric 100\nappend default via 192.168.50.2 metric 100 src 192.168.50.11\nappend default " + ours + " metric 100"},
		"a next hop object":           {routes: "NEXTHOP id 7 via 192.168.50.1 dev eth1\nadd default nhid 7"},
		"the wanted one as an object": {routes: "NEXTHOP id 7 via 10.0.0.1 dev eth0\nadd default nhid 7 metric 50", nothing: true},
		"a group of next hop objects": {routes: "NEXTHOP id 7 via 192.168.50.1 dev eth1\nNEXTHOP id 8 via 10.0.0.1 dev eth0\nNEXTHOP id 9 group 7,3/8\nadd default nhid 9"},
		"a blackhole object":          {routes: "NEXTHOP id 7 blackhole\nadd default nhid 7"},
		"encapsulated":                {routes: "add default encap ip id 7 dst 10.0.0.77 via 192.168.50.1 dev eth1"},

		"IPv6: none":           {ipv6: true},
		"IPv6: the wanted one": {ipv6: true, routes: "add default " + ours6, nothing: true},
		"IPv6: another":        {ipv6: true, routes: "add default via 2001:db8:2::1"},
		"IPv6: learnt by router advertisement, from elsewhere": {
			ipv6: true, routes: "add default via fe80::1 dev eth1 proto ra metric 1024 expires 1000",
		},
		"IPv6: the wanted one beside a learnt one of its metric": {
			ipv6: true, routes: "add default " + ours6 + "\nappend default via fe80::1 dev eth1 proto ra metric 1024 expires 1000",
		},
		"IPv6: learnt with a better metric": {
			ipv6: true, routes: "add default via fe80::1 dev eth1 proto ra metric 100 expires 1000",
		},
		"IPv6: several next hops":         {ipv6: true, routes: "add default nexthop " + ours6 + " nexthop via 2001:db8:2::1 dev eth1"},
		"IPv6: a blackhole":               {ipv6: true, routes: "add blackhole default"},
		"IPv6: prohibit":                  {ipv6: true, routes: "add prohibit default metric 5"},
		"IPv6: preferred":                 {ipv6: true, routes: "add default via 2001:db8:2::1 pref high"},
		"IPv6: the wanted one, preferred": {ipv6: true, routes: "add default " + ours6 + " pref low mtu lock 1400 hoplimit 9", nothing: true},
		"IPv6: a next hop object":         {ipv6: true, routes: "NEXTHOP id 7 via 2001:db8:2::1 dev eth1\nadd default nhid 7"},
		"IPv6: a group of objects":        {ipv6: true, routes: "NEXTHOP id 7 via 2001:db8:2::1 dev eth1\nNEXTHOP id 8 via 2001:db8:1::1 dev eth0\nNEXTHOP id 9 group 7/8\nadd default nhid 9"},
		"IPv6: expires, set by hand":      {ipv6: true, routes: "add default via 2001:db8:2::1 metric 100 expires 500"},
		"IPv6: learnt twice":              {ipv6: true, routes: "add default via fe80::1 dev eth1 proto ra metric 1024 expires 1000 pref medium\nappend default via fe80::2 dev eth1 proto ra metric 1024 expires 1000 pref high"},
		"IPv6: by segments":               {ipv6: true, routes: "add default encap seg6 mode encap segs fc00::1,fc00::2 via 2001:db8:2::1 dev eth1"},
		"IPv6: from a source":             {ipv6: true, routes: "add default from 2001:db8:2::/64 via 2001:db8:2::1 dev eth1"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			family, probe, dst, way := "-4", "203.0.113.9", "0.0.0.0/0", ours
			if c.ipv6 {
				family, probe, dst, way = "-6", "2001:db8:9::9", "::/0", ours6
			}
			way = stdcmp.Or(c.way, way)
			for line := range strings.Lines(c.routes) {
				if hop, ok := strings.CutPrefix(line, "NEXTHOP"); ok {
					h.run("ip nexthop add" + hop)
					continue
				}
				h.run("ip " + family + " route " + line)
			}
			before := h.routes()
			want, record := state.New(), state.NewRecord("t")
			words := strings.Fields(way)
			want.Routes[state.NewRouteKey(netip.MustParsePrefix(dst), 0)] = state.ByGateway(netip.MustParseAddr(words[1]), words[3], c.way != "")

			s := state.Settle(h.read(), want, record, false)
			changes := state.Diff(s.Have, s.Want)
			if have := len(changes) == 0; have != c.nothing {
				t.Fatalf("nothing to change: want %v, have %v", c.nothing, changes)
			}
			for _, change := range changes {
				h.run(script(change.Do))
			}
			if have := h.run("ip " + family + " route get " + probe); !strings.Contains(have, way) {
				t.Errorf("%s goes another way than %s: %s", probe, way, have)
			}
			after := h.read()
			record = state.Confirm(s, after)
			again := state.Settle(after, want, record, false)
			if changes := state.Diff(again.Have, again.Want); len(changes) > 0 {
				t.Errorf("a second look finds %v", changes)
			}
			for _, change := range slices.Backward(changes) {
				h.run(script(change.Undo))
			}
			if d := cmp.Diff(before, h.routes()); d != "" {
				t.Errorf("undone, it is not as it was (-want +have):\n%s", d)
			}
			for _, change := range changes {
				h.run(script(change.Do))
			}
			gone := state.Settle(h.read(), state.New(), record, false)
			for _, change := range state.Diff(gone.Have, gone.Want) {
				h.run(script(change.Do))
			}
			if d := cmp.Diff(before, h.routes()); d != "" {
				t.Errorf("destroyed, it is not as it was (-want +have):\n%s", d)
			}
		})
	}
}

func script(commands []shell.Command) string {
	var lines []string
	for _, c := range commands {
		lines = append(lines, c.String())
	}
	return strings.Join(lines, "\n")
}

// TestReplyPolicyInKernel checks in a real kernel that packets from the RIP, and no
// others, use the routing table for replies.
func TestReplyPolicyInKernel(t *testing.T) {
	h := newHost(t)
	h.run("ip -4 route add default via 192.168.50.1; ip -6 route add default via 2001:db8:2::1")
	everything := func() string { return h.routes() + h.run("ip -4 rule; ip -6 rule") }
	before := everything()
	want := state.New()
	for rip, dip := range map[string]string{"10.0.0.11": "10.0.0.1", "2001:db8:1::11": "2001:db8:1::1"} {
		k, p := state.ReplyPolicy(netip.MustParseAddr(rip))
		want.Policies[k] = p
		via := netip.MustParseAddr(dip)
		bits := map[bool]int{true: 64, false: 24}[via.Is6()]
		for _, r := range []struct {
			dst   netip.Prefix
			route state.Route
		}{{netip.PrefixFrom(via, 0), state.Route{Via: via, Dev: "eth0"}}, {netip.PrefixFrom(via, bits), state.Route{Dev: "eth0"}}} {
			key := state.NewRouteKey(r.dst, 0)
			key.Table = strconv.Itoa(state.ReplyTable)
			want.Routes[key] = r.route
		}
	}
	s := state.Settle(h.read(), want, state.NewRecord("t"), false)
	changes := state.Diff(s.Have, s.Want)
	for _, c := range changes {
		h.run(script(c.Do))
	}
	for ask, want := range map[string]string{
		"-4 route get 203.0.113.9 from 10.0.0.11":         "via 10.0.0.1 dev eth0",
		"-4 route get 203.0.113.9 from 192.168.50.11":     "via 192.168.50.1 dev eth1",
		"-4 route get 203.0.113.9":                        "via 192.168.50.1 dev eth1",
		"-4 route get 10.0.0.77 from 10.0.0.11":           "10.0.0.77 from 10.0.0.11 dev eth0",
		"-6 route get 2001:db8:9::9 from 2001:db8:1::11":  "via 2001:db8:1::1 dev eth0",
		"-6 route get 2001:db8:9::9 from 2001:db8:2::11":  "via 2001:db8:2::1 dev eth1",
		"-6 route get 2001:db8:1::77 from 2001:db8:1::11": "dev eth0",
	} {
		if have := h.run("ip " + ask); !strings.Contains(have, want) {
			t.Errorf("%s: want %s, have %s", ask, want, have)
		}
	}
	after := h.read()
	again := state.Settle(after, want, state.Confirm(s, after), false)
	if left := state.Diff(again.Have, again.Want); len(left) > 0 {
		t.Errorf("a second look finds %v", left)
	}
	for _, c := range slices.Backward(changes) {
		h.run(script(c.Undo))
	}
	if d := cmp.Diff(before, everything()); d != "" {
		t.Errorf("undone, it is not as it was (-want +have):\n%s", d)
	}
}

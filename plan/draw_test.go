package plan_test

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/state/statetest"
)

func run(t *rapid.T, n *statetest.Node, args ...string) {
	if err := n.Exec(shell.Cmd(args...)); err != nil {
		t.Fatal(err)
	}
}

func (h *host) run(t *rapid.T, c shell.Command) {
	t.Log(c)
	if err := h.Exec(c); err != nil {
		t.Fatal(err)
	}
}

func chance(t *rapid.T, percent int, what string) bool {
	return rapid.IntRange(0, 99).Draw(t, what) >= 100-percent // so that rapid shrinks to false
}

func pick[T any](t *rapid.T, what string, list ...T) T { return rapid.SampledFrom(list).Draw(t, what) }

// The pools of values are small, so that what is there and what is wanted often overlap.

func sysctlPool(role string) map[string][]string {
	pool := map[string][]string{
		"net/ipv4/ip_forward":                {"0", "1"},
		"net/ipv4/conf/all/accept_redirects": {"0", "1"},
		"net/ipv4/conf/all/forwarding":       {"0", "1"},
		"net/ipv4/conf/eth1/forwarding":      {"0", "1"},
		"net/ipv4/conf/all/arp_ignore":       {"0", "1", "2"},
		"net/ipv4/conf/all/rp_filter":        {"0", "1", "2"},
		"net/ipv4/conf/eth0/rp_filter":       {"0", "1", "2"},
		"net/ipv6/conf/all/forwarding":       {"0", "1"},
		"net/ipv6/conf/eth1/forwarding":      {"0", "1"},
	}
	if role == "director" {
		// A tunnel device copies this value until it has an address, so setting the
		// value back would not set the device back. No role wants both.
		pool["net/ipv4/conf/default/send_redirects"] = []string{"0", "1"}
		pool["net/ipv4/conf/eth0/send_redirects"] = []string{"0", "1"}
	}
	return pool
}

// drawNode draws a node as it is before the first apply.
func drawNode(t *rapid.T, role string) *statetest.Node {
	n := statetest.New()
	n.Manager = pick(t, "manager", "apt-get", "dnf", "apk", "zypper", "yum")
	n.IPVSADM = pick(t, "ipvsadm", 24, 25, 26, 28, 31, 32)
	for _, dev := range []string{"eth0", "eth1"} {
		n.AddLink(dev, true)
	}
	run(t, n, "ip", "-4", "addr", "add", "10.1.0.5/24", "dev", "eth0")
	run(t, n, "ip", "-6", "addr", "add", "fd00:1::5/64", "dev", "eth0")
	run(t, n, "ip", "-4", "addr", "add", "10.2.0.5/24", "dev", "eth1")
	n.Files["/etc/hosts"] = pick(t, "hosts", "", "127.0.0.1 localhost\n", "127.0.0.1 localhost")
	for _, m := range []string{"ip_vs", "ipip", "ip6_tunnel", "fou"} {
		if chance(t, 40, m+" loaded") {
			run(t, n, "modprobe", m)
		}
	}
	if n.Modules["fou"] && chance(t, 30, "foreign fou") {
		run(t, n, append([]string{"ip", "-4", "fou", "add", "port", "6080"}, strings.Fields(pick(t, "fou", "gue", "ipproto 4"))...)...)
	}
	for _, k := range sorted(sysctlPool(role)) {
		if chance(t, 50, k+" set") {
			write(t, n, k, pick(t, k, sysctlPool(role)[k]...))
		}
	}
	if n.Modules["ipip"] && chance(t, 50, "tunl0 up") {
		run(t, n, "ip", "link", "set", "dev", "tunl0", "up")
	}
	for range rapid.IntRange(0, 4).Draw(t, "routes") {
		_ = n.Exec(drawRoute(t)) // there may be one already
	}
	for range rapid.IntRange(0, 2).Draw(t, "addresses") {
		_ = n.Exec(drawAddress(t))
	}
	if n.Modules["ip_vs"] {
		for range rapid.IntRange(0, 3).Draw(t, "services") {
			drawForeignService(t, n)
		}
		if chance(t, 30, "daemon") {
			start := []string{"ipvsadm", "--start-daemon", "master", "--mcast-interface", pick(t, "mcast", "eth0", "eth1"), "--syncid", "7"}
			if n.IPVSADM >= 29 {
				start = append(start, "--mcast-ttl", pick(t, "ttl", "1", "4"))
			}
			run(t, n, start...)
		}
		if chance(t, 30, "timeouts") {
			run(t, n, "ipvsadm", "--set", "700", "0", "70")
		}
	} else {
		delete(n.Commands, pick(t, "missing", "ipvsadm", "none"))
	}
	if chance(t, 30, "foreign rule") {
		run(t, n, "iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-m", "comment", "--comment", "lvsctl:other:s:masquerade", "-j", "MASQUERADE")
	}
	return n
}

func write(t *rapid.T, n *statetest.Node, key, value string) {
	if err := n.Exec(shell.Command{Args: []string{"printf", `%s\n`, value}, To: "/proc/sys/" + key}); err != nil {
		t.Fatal(err)
	}
}

func drawRoute(t *rapid.T) shell.Command {
	line := pick(t, "route",
		"-4 route add default via 10.1.0.254 dev eth0",
		"-4 route add default via 10.1.0.254 dev eth0 proto dhcp src 10.1.0.5 metric 100",
		"-4 route add default via 10.1.0.253 dev eth0 proto static",
		"-4 route add default via 10.2.0.254 dev eth1 metric 200",
		"-4 route add 10.60.0.0/16 nexthop via 10.1.0.250 dev eth0 weight 1 nexthop via 10.1.0.251 dev eth0 weight 2",
		"-4 route add 10.60.0.0/16 via 10.1.0.250 dev eth0 metric 50",
		"-4 route add blackhole 10.60.0.0/16 metric 100",
		"-4 route add blackhole 10.61.0.0/16",
		"-6 route add default via fd00:1::fe dev eth0 proto ra",
		"-6 route add default via fd00:1::fe dev eth0 proto ra metric 100",
		"-6 route add default via fd00:1::fd dev eth0 metric 2000",
		"-6 route add fd00:60::/48 via fd00:1::fd dev eth0 metric 1024",
		"-6 route add fd00:60::/48 via fd00:1::fd dev eth0 metric 2048",
	)
	return shell.Cmd(append([]string{"ip"}, strings.Fields(line)...)...)
}

func drawAddress(t *rapid.T) shell.Command {
	line := pick(t, "address",
		"-4 addr add 10.9.0.1/32 dev eth0", "-4 addr add 10.9.0.1/32 dev lo label lo:5", "-4 addr add 10.9.0.2/32 dev lo",
		"-4 addr add 10.8.0.1/32 dev eth0", "-6 addr add fd00:9::1/128 dev lo")
	return shell.Cmd(append([]string{"ip"}, strings.Fields(line)...)...)
}

// servicePool is the services that lvsctl and other programs may both have.
func servicePool() []state.ServiceKey {
	return []state.ServiceKey{
		{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.9.0.1:80")},
		{Protocol: state.UDP, Addr: netip.MustParseAddrPort("10.9.0.1:53")},
		{Protocol: state.SCTP, Addr: netip.MustParseAddrPort("10.9.0.2:9")},
		{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.9.0.2:0")},
		{Protocol: state.TCP, Addr: netip.MustParseAddrPort("[fd00:9::1]:443")},
		{Protocol: state.FWMark, Mark: 7},
		{Protocol: state.FWMark, Mark: 4000000000, V6: true},
	}
}

// schedulerPool is all schedulers. Those that have flags are in it twice.
func schedulerPool() []string {
	return strings.Fields("rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos sh mh")
}

func drawService(t *rapid.T, k state.ServiceKey) state.Service {
	s := state.Service{Scheduler: pick(t, "scheduler", schedulerPool()...)}
	if (s.Scheduler == "sh" || s.Scheduler == "mh") && chance(t, 50, "flags") {
		s.Flags = pick(t, "flag", s.Scheduler+"-port", s.Scheduler+"-fallback,"+s.Scheduler+"-port")
	}
	v6 := k.V6 || k.Addr.Addr().Is6()
	if k.Protocol != state.FWMark && k.Addr.Port() == 0 || chance(t, 40, "persistent") {
		s.Timeout = pick(t, "timeout", 50, 360)
		s.Mask = pick(t, "mask", 32, 24, 9)
		if v6 {
			s.Mask = pick(t, "mask6", 128, 64, 100)
		}
		if k.Protocol == state.UDP && chance(t, 50, "sip") {
			s.Engine = "sip"
		}
	}
	s.OnePacket = (k.Protocol == state.UDP || k.Protocol == state.FWMark) && chance(t, 20, "ops")
	return s
}

func drawServers(t *rapid.T, k state.ServiceKey) map[state.ServerKey]state.Server {
	list := map[state.ServerKey]state.Server{}
	for _, host := range []string{"11", "12", "13"} {
		if !chance(t, 60, "server "+host) {
			continue
		}
		addr := "10.1.0." + host
		if k.V6 || k.Addr.Addr().Is6() {
			addr = "fd00:1::" + host
		}
		v := state.Server{Forward: pick(t, "forward", state.Masq, state.Direct, state.Tunnel), Weight: pick(t, "weight", 0, 1, 65535)}
		port := k.Addr.Port()
		if v.Forward == state.Masq && chance(t, 30, "another port") {
			port = 8080
		}
		if chance(t, 20, "thresholds") {
			v.Upper, v.Lower = 100, pick(t, "lower", 0, 80)
		}
		list[state.ServerKey{Service: k, Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), port)}] = v
	}
	return list
}

// drawForeignService adds a service by the commands that a person would type.
func drawForeignService(t *rapid.T, n *statetest.Node) {
	k := pick(t, "foreign service", append(servicePool(),
		state.ServiceKey{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.8.0.1:25")})...)
	name := strings.Fields(serviceWords(k))
	add := append([]string{"ipvsadm", "-A"}, name...)
	if n.Exec(shell.Cmd(append(add, "-s", "rr", "-p", "99")...)) != nil {
		return // there is one
	}
	for _, host := range []string{"11", "19"} {
		rip := "10.1.0." + host
		if k.V6 || k.Addr.Addr().Is6() {
			rip = "fd00:1::" + host
		}
		addr := netip.AddrPortFrom(netip.MustParseAddr(rip), k.Addr.Port())
		add := append(append([]string{"ipvsadm", "-a"}, name...), "-r", addr.String(), pick(t, "method", "-m", "-g", "-i"), "-w", "3")
		if n.IPVSADM >= 31 && add[len(add)-3] == "-i" && chance(t, 50, "gue") {
			add = append(add, "--tun-type", "gue", "--tun-port", "6080", "--tun-csum")
		}
		run(t, n, add...)
	}
}

// drawWant draws a State that a topology may want of a node with that role.
func drawWant(t *rapid.T, role string) *state.State {
	w := state.New()
	for _, k := range sorted(sysctlPool(role)) {
		if chance(t, 30, k+" wanted") {
			w.Sysctls[k] = pick(t, k, sysctlPool(role)[k]...)
		}
	}
	delete(w.Sysctls, pick(t, "one name of two", "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"))
	devices := []string{"lo", "eth0"}
	if role == "real_server" && chance(t, 50, "tunnel") {
		devices = append(devices, "tunl0")
		w.Modules["ipip"], w.Links["tunl0"] = state.Module{}, state.Link{Up: true}
		w.Sysctls["net/ipv4/conf/tunl0/rp_filter"] = "2"
		w.Sysctls["net/ipv4/conf/tunl0/arp_ignore"] = "1"
		if chance(t, 50, "tunnel6") {
			w.Modules["fou"] = state.Module{}
			w.FOUs[state.FOUKey{Port: 6080}] = state.FOU{Holds: state.GUE} // in the way of another one
			w.FOUs[state.FOUKey{Port: 6081, V6: true}] = state.FOU{Holds: state.GUE}
			w.Modules["ip6_tunnel"], w.Links["ip6tnl0"] = state.Module{}, state.Link{Up: true}
			w.Addresses[addressKey("fd00:9::1/128", "ip6tnl0")] = state.Address{}
		}
	}
	for _, vip := range []string{"10.9.0.1/32", "10.9.0.2/32", "10.1.0.77/24", "10.77.0.1/24", "10.77.0.2/24", "fd00:9::1/128"} {
		if !chance(t, 40, vip+" wanted") {
			continue
		}
		dev, a := pick(t, "device", devices...), state.Address{}
		if strings.Contains(vip, ":") {
			dev = "lo"
		} else if chance(t, 30, "label") {
			a.Label = dev + ":1"
		}
		w.Addresses[addressKey(vip, dev)] = a
	}
	drawRoutes(t, w)
	if chance(t, 40, "hosts block") {
		w.Blocks[state.BlockKey{Path: state.HostsFile, Topology: topologyName}] = state.Block{Text: pick(t, "block", "10.1.0.11\ta\n", "10.1.0.11\ta\n10.1.0.12\tb\n")}
	}
	if role == "director" {
		drawDirector(t, w)
	}
	return w
}

func addressKey(prefix, dev string) state.AddressKey {
	return state.AddressKey{Prefix: netip.MustParsePrefix(prefix), Dev: dev}
}

func drawRoutes(t *rapid.T, w *state.State) {
	for _, r := range []struct {
		dst     string
		metrics []uint32
		via     []string
	}{
		{"0.0.0.0/0", []uint32{0, 0, 100}, []string{"10.1.0.254", "10.1.0.253"}},
		{"10.60.0.0/16", []uint32{0, 100}, []string{"10.1.0.250", "10.1.0.253"}},
		{"::/0", []uint32{0}, []string{"fd00:1::fe", "fd00:1::fd"}},
		{"fd00:60::/48", []uint32{0, 2048}, []string{"fd00:1::fe", "fd00:1::fd"}},
	} {
		if chance(t, 40, r.dst+" wanted") {
			k := state.NewRouteKey(netip.MustParsePrefix(r.dst), pick(t, "metric", r.metrics...))
			w.Routes[k] = state.Route{Via: netip.MustParseAddr(pick(t, "via", r.via...)), Dev: "eth0"}
		}
	}
}

func drawDirector(t *rapid.T, w *state.State) {
	w.Packages["ipvsadm"], w.Packages["iptables"], w.Modules["ip_vs"] = state.Package{}, state.Package{}, state.Module{}
	pool := map[string][]string{"conntrack": {"0", "1"}, "drop_entry": {"0", "1", "2"}, "sync_threshold": {"3 50", "5 60"}}
	for _, k := range sorted(pool) {
		if chance(t, 30, k+" wanted") {
			w.Sysctls["net/ipv4/vs/"+k] = pick(t, k, pool[k]...)
		}
	}
	for _, k := range servicePool() {
		if !chance(t, 50, k.String()+" wanted") {
			continue
		}
		w.Services[k] = drawService(t, k)
		for sk, v := range drawServers(t, k) {
			w.Servers[sk] = v
		}
		if chance(t, 30, "drain") {
			w.Drain[k] = 5 * time.Second
		}
		if chance(t, 30, "rule") {
			rk := state.RuleKey{Table: "nat", Chain: "POSTROUTING", Comment: state.RuleComment(topologyName, "s"+strconv.Itoa(len(w.Rules)), "masquerade")}
			w.Rules[rk] = state.NewRule(rk, []string{"-d", pick(t, "rule for", "10.1.0.11", "10.1.0.12"), "-m", "ipvs", "--vmethod", "MASQ"}, []string{"-j", "MASQUERADE"})
		}
	}
	for _, k := range []string{state.TimeoutTCP, state.TimeoutUDP} {
		if chance(t, 30, k+" wanted") {
			w.Timeouts[k] = pick(t, k, 700, 900, 30)
		}
	}
	if chance(t, 30, "daemon wanted") {
		w.Daemons[state.DaemonMaster] = state.Daemon{Interface: pick(t, "dev", "eth0", "eth1"), ID: pick(t, "id", 0, 7)}
	}
}

// accident changes something on the node between two applies. The next apply repairs or
// removes an entry of lvsctl's, and leaves an entry of others alone.
func (h *host) accident(t *rapid.T) {
	if ours := h.ours(); len(ours) > 0 && rapid.Bool().Draw(t, "accident to ours") {
		h.run(t, pick(t, "accident", ours...))
		return
	}
	if chance(t, 10, "a module is unloaded") {
		if m := pick(t, "unloaded", "ipip", "ip6_tunnel"); !h.without.Modules[m] {
			t.Log("meanwhile: rmmod", m)
			h.Unload(m)
		}
		return
	}
	c := pick(t, "accident of others",
		shell.Cmd("ip", "-4", "addr", "add", "10.8.0.9/32", "dev", "eth1"),
		shell.Cmd("ip", "-4", "route", "add", "10.88.0.0/16", "via", "10.1.0.250", "dev", "eth0"),
		shell.Cmd("ip", "-6", "route", "add", "default", "via", "fd00:1::fe", "dev", "eth0", "metric", "100"),
		shell.Cmd("ip", "-4", "route", "add", "default", "via", "10.1.0.254", "dev", "eth0", "metric", "400"),
		shell.Command{Args: []string{"printf", `%s\n`, "0"}, To: "/proc/sys/net/ipv4/conf/eth1/send_redirects"},
		shell.Cmd("iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-j", "ACCEPT"),
		shell.Cmd("ipvsadm", "-A", "-u", "10.8.0.1:514", "-s", "nq"),
	)
	if h.exclusive && c.Args[0] == "ipvsadm" || h.Exec(c) != nil {
		return
	}
	t.Log("meanwhile:", c)
	maps.Copy(h.without.Commands, h.Commands)
	_ = h.without.Exec(c) // fails if the entry exists only because of lvsctl
}

// ours returns commands that change entries in the record that the node still has.
func (h *host) ours() []shell.Command {
	var list []shell.Command
	add := func(args ...string) {
		if c := shell.Cmd(args...); h.Node.Clone().Exec(c) == nil {
			list = append(list, c)
		}
	}
	set := h.record.Set
	for k, v := range set.Sysctls {
		if k == "net/ipv4/ip_forward" || k == "net/ipv4/conf/all/forwarding" || k == state.IPv6Forwarding {
			continue // also changes entries of others
		}
		if _, there := h.Sysctls[k]; there {
			list = append(list, shell.Command{Args: []string{"printf", `%s\n`, map[string]string{"0": "1"}[v] + "0"}, To: "/proc/sys/" + k})
		}
	}
	for k := range set.Addresses {
		add("ip", map[bool]string{true: "-6", false: "-4"}[k.Prefix.Addr().Is6()], "addr", "del", k.Prefix.String(), "dev", k.Dev)
	}
	for k := range set.Links {
		add("ip", "link", "set", "dev", k, "down")
	}
	for k := range set.FOUs {
		add("ip", map[bool]string{true: "-6", false: "-4"}[k.V6], "fou", "del", "port", strconv.Itoa(int(k.Port)))
	}
	for k := range set.Routes {
		if k.Dst.Addr().Is4() {
			dst := strings.Replace(k.Dst.String(), "0.0.0.0/0", "default", 1)
			add("ip", "-4", "route", "del", dst, "metric", strconv.Itoa(int(k.Metric)))
			add("ip", "-4", "route", "replace", dst, "via", "10.1.0.252", "dev", "eth0", "metric", strconv.Itoa(int(k.Metric)))
		}
	}
	for k, r := range set.Rules {
		rule := append([]string{"POSTROUTING"}, strings.Fields(r.Spec)...)
		add(append([]string{"iptables", "-w", "-t", k.Table, "-D"}, rule...)...)
		add(append([]string{"iptables", "-w", "-t", k.Table, "-A"}, rule...)...)
	}
	for k := range set.Services {
		name := strings.Fields(serviceWords(k))
		add(append([]string{"ipvsadm", "-D"}, name...)...)
		add(append([]string{"ipvsadm", "-E"}, append(name, "-s", "lc", "-p", "9")...)...)
		if !has(h.record.Before.Services, k) && k.Addr.Addr().Is4() {
			add(append([]string{"ipvsadm", "-a"}, append(name, "-r", netip.AddrPortFrom(netip.MustParseAddr("10.1.0.99"), k.Addr.Port()).String(), "-m")...)...)
		}
	}
	for k := range set.Servers {
		name := strings.Fields(serviceWords(k.Service))
		add(append([]string{"ipvsadm", "-d"}, append(name, "-r", k.Addr.String())...)...)
		add(append([]string{"ipvsadm", "-e"}, append(name, "-r", k.Addr.String(), "-m", "-w", "77")...)...)
	}
	for k := range set.Daemons {
		add("ipvsadm", "--stop-daemon", k)
	}
	for k := range set.Timeouts {
		if h.Modules["ip_vs"] {
			add(strings.Fields("ipvsadm --set " + map[string]string{state.TimeoutTCP: "5 0 0", state.TimeoutTCPFin: "0 5 0", state.TimeoutUDP: "0 0 5"}[k])...)
		}
	}
	slices.SortFunc(list, func(a, b shell.Command) int { return strings.Compare(a.String(), b.String()) })
	return list
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

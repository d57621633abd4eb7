package plan_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/internal/lab/labtest"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// machine is a host of the lab. It is used as [host] is, with a real kernel and tools in
// place of the model.
type machine struct {
	*testing.T
	role       string
	exclusive  bool
	conn       remote.Runner
	record     state.Record
	schedulers map[string]bool // that the kernel has
	now        seen
}

// seen is a host at one moment: as lvsctl read it, and as its tools printed it.
type seen struct {
	live.Node
	lines []string // of every section, sorted
}

// foreign is a script for what each host has before lvsctl: some of it conflicts with
// what will be wanted. It also makes what the first use of a module or device leaves for
// good. At its end no IPv6 address is tentative any more, which takes a second or two.
const foreign = `set -e
while ip -6 -o addr show tentative | grep -q .; do sleep 0.1; done
printf '127.0.0.1 localhost' >/etc/hosts
modprobe -a ip_vs ip_vs_lblc ip_vs_lblcr ipip ip6_tunnel fou
for d in tunl0 ip6tnl0; do ip link set dev $d up; ip link set dev $d down; done
ip -4 route add default via 10.2.0.254 dev eth1 metric 200
ip -4 route add blackhole 10.61.0.0/16
ip -6 route add fd00:60::/48 via fd00:1::fd dev eth0 metric 2048
ip -4 fou add port 6080 ipproto 4
ip -4 addr add 10.9.0.2/32 dev lo
ip -4 addr add 10.9.0.1/32 dev eth0
iptables -w -t nat -A POSTROUTING -m comment --comment lvsctl:other:s:masquerade -j MASQUERADE
echo 1 >/proc/sys/net/ipv4/conf/eth1/forwarding
echo 2 >/proc/sys/net/ipv4/conf/all/rp_filter
`

// foreignServices is a script for what a director has in addition.
const foreignServices = `
ipvsadm -A -t 10.9.0.1:80 -s rr -p 99
ipvsadm -a -t 10.9.0.1:80 -r 10.1.0.11:80 -m -w 3
ipvsadm -a -t 10.9.0.1:80 -r 10.1.0.19:80 -i -w 3 --tun-type gue --tun-port 6080 --tun-csum
ipvsadm -A -f 4000000000 -6 -s sh -b sh-port
ipvsadm -A -t 10.8.0.1:25 -s nq
ipvsadm -a -t 10.8.0.1:25 -r 10.1.0.12:25 -g -x 20 -y 10
ipvsadm --set 700 0 70
ipvsadm --start-daemon master --mcast-interface eth1 --syncid 7 --mcast-ttl 4
`

// TestLabPairs is TestConverge on a real kernel. It applies two States one after the
// other, undoes the second, and destroys. Each time the host must have what is wanted, or
// what was there before, by its own tools.
func TestLabPairs(t *testing.T) {
	labtest.Need(t, func() error { return lab.CheckTools(lab.Options{}) })
	l := labUp(t, "director", "exclusive", "real_server")
	dialer, err := remote.NewDialer(remote.Config{SSHConfig: l.SSHConfig()})
	if err != nil {
		t.Fatal(err)
	}
	const pairs = 9 // on each host
	for _, e := range l.Hosts {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			conn, err := dialer.Dial(t.Context(), remote.Target{Name: e.Name, Address: e.Name})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			script := foreign
			if e.Role == "director" {
				script += foreignServices
			}
			if out, err := conn.Run(t.Context(), remote.Script{Body: "(" + script + ")"}); err != nil || out.Status != 0 {
				t.Fatal(err, out)
			}
			r := &machine{T: t, role: e.Role, exclusive: e.Name == "exclusive", conn: conn}
			r.schedulers = r.do(nil, schedulerPool()...).Facts.Schedulers
			r.now = r.do(nil)
			for n := range pairs {
				t.Run(fmt.Sprint(n), func(t *testing.T) { r.T = t; r.pair(n) })
			}
		})
	}
}

// labUp brings up hosts with the addresses that drawNode gives.
func labUp(t *testing.T, names ...string) *lab.Lab {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "lvsctl")
	build := exec.Command("go", "build", "-o", program, "../cmd/lvsctl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build lvsctl: %v\n%s", err, out)
	}
	spec := lab.Spec{Name: "pairs"}
	for _, name := range names {
		role := "director"
		if name == "real_server" {
			role = name
		}
		spec.Hosts = append(spec.Hosts, lab.Host{Name: name, Role: role, Interfaces: []lab.Interface{
			{Name: "eth0", Addresses: []netip.Prefix{netip.MustParsePrefix("10.1.0.5/24"), netip.MustParsePrefix("fd00:1::5/64")}},
			{Name: "eth1", Addresses: []netip.Prefix{netip.MustParsePrefix("10.2.0.5/24")}},
		}})
	}
	l, err := lab.Up(t.Context(), spec, lab.Options{Dir: filepath.Join(dir, "lab"), Binary: program})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.DownDir(l.Dir()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// pair applies two drawn States one after the other. Then it destroys: sometimes after
// undoing the second.
func (r *machine) pair(n int) {
	r.record = state.NewRecord(topologyName)
	pristine := r.now
	first, second := r.draw(2*n), r.draw(2*n+1)

	before, _ := r.apply(pristine, first)
	record := r.record
	after, undo := r.apply(before, second)
	if n%2 == 0 {
		after, r.record = r.do(undo), record
		r.same("the node after undoing", before, after)
	}
	after, _ = r.apply(after, state.New())
	if !r.record.Empty() {
		r.Errorf("the record still holds %s", asJSON(r, r.record))
	}
	r.same("the node after destroy", pristine, after)
	r.now = after
}

// draw draws a State that a topology may want of the host and that its kernel can have.
func (r *machine) draw(seed int) *state.State {
	want := rapid.Custom(func(t *rapid.T) *state.State { return drawWant(t, r.role) }).Example(seed)
	for k, v := range want.Services {
		if !r.schedulers[v.Scheduler] {
			v.Scheduler, v.Flags = "rr", ""
			want.Services[k] = v
		}
	}
	for k, a := range want.Addresses {
		// On lo the host would take all addresses of the subnet for its own, its
		// gateways too.
		if !k.Prefix.IsSingleIP() && k.Dev != "eth0" {
			delete(want.Addresses, k)
			a.Label = strings.Replace(a.Label, k.Dev, "eth0", 1)
			want.Addresses[state.AddressKey{Prefix: k.Prefix, Dev: "eth0"}] = a
		}
	}
	return want
}

// apply plans want, runs the commands, and returns the host afterwards and the commands
// that undo them.
func (r *machine) apply(have seen, want *state.State) (after seen, undo []shell.Command) {
	r.Helper()
	exclusive := r.exclusive && has(want.Modules, "ip_vs")
	have.Record = r.record
	p := plan.Build(topologyName, []plan.Input{{
		Name: "n", Role: r.role, Chosen: true, Exclusive: exclusive, Want: want, Live: &have.Node,
	}})
	if problems := p.Nodes[0].Problems; len(problems) > 0 {
		r.Fatalf("problems: %q", problems)
	}
	var commands []shell.Command
	for _, a := range p.Actions {
		commands = append(commands, a.Quiesce...)
	}
	for _, a := range p.Actions {
		commands = append(commands, a.Do...)
		r.Logf("%s %s %s", a.Op, a.Kind, a.Key)
	}
	for _, a := range slices.Backward(p.Actions) {
		undo = append(undo, a.Undo...)
	}
	after = r.do(commands)
	r.holds(want, after.State, exclusive)
	r.record = reread(r, state.Confirm(state.Settle(after.State, want, reread(r, p.Nodes[0].Settled.Intent), exclusive), after.State))
	return after, undo
}

// nonce matches the words that frame the sections of a read.
var nonce = regexp.MustCompile(`(?m)^lvsctl-[0-9a-f]{24} `)

// do runs commands and reads the host, in one round trip.
func (r *machine) do(commands []shell.Command, schedulers ...string) seen {
	r.Helper()
	read := live.NewScript(live.Question{Topology: topologyName, Schedulers: schedulers, Can: []string{"ip-fou", "fou"}, Wanted: state.Wanted{
		Packages: []string{"ipvsadm", "iptables"}, Modules: []string{"ip_vs", "ipip", "ip6_tunnel", "fou"},
	}})
	var s shell.Script
	for _, c := range commands {
		if c.Calls == shell.RefreshRoute {
			continue // a probe waits for traffic, and there is none
		}
		s.Line("{ ", c, "; } >&2 || return 9")
	}
	s.Add(&read.Lines)
	out, err := r.conn.Run(context.Background(), remote.Script{Body: s.String()})
	if err != nil {
		r.Fatal(err)
	}
	if out.Status != 0 {
		r.Fatalf("exit status %d of\n%s%s", out.Status, s.String(), out.Stderr)
	}
	n, err := read.Parse(out)
	if err != nil {
		r.Fatal(err)
	}
	lines := strings.Split(nonce.ReplaceAllString(out.Stdout, ""), "\n")
	slices.Sort(lines)
	return seen{n, lines}
}

// same checks that the host's tools print the same at two moments.
func (r *machine) same(what string, want, have seen) {
	r.Helper()
	if d := cmp.Diff(want.lines, have.lines); d != "" {
		r.Errorf("%s (-want +have):\n%s", what, d)
	}
}

// holds checks that the host has what is wanted, entry by entry.
func (r *machine) holds(want, have *state.State, exclusive bool) {
	r.Helper()
	contains(r, want.Packages, have.Packages)
	contains(r, want.Modules, have.Modules)
	contains(r, want.Links, have.Links)
	holds(r, want, have, exclusive)
	for k, v := range want.Routes {
		var best state.RouteKey
		var got state.Route
		for other, o := range have.Routes {
			fits := other.Dst == k.Dst && (k == state.NewRouteKey(k.Dst, 0) || other == k)
			if fits && (got == state.Route{} || other.Metric < best.Metric) {
				best, got = other, o
			}
		}
		if got.Via != v.Via || got.Dev != v.Dev {
			r.Errorf("route %s leads %s, not %s", k, got, v)
		}
	}
}

package state_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/state"
)

// TestFIBAsKernel sets random rules and routes of every sort in a namespace of this
// machine. For random flows the FIB must choose the route that the kernel chooses.
func TestFIBAsKernel(t *testing.T) {
	h := newHost(t)
	rapid.Check(t, func(r *rapid.T) {
		var script strings.Builder
		do := func(format string, args ...any) {
			// The kernel refuses some commands, for example a second equal route.
			line := "ip " + fmt.Sprintf(format, args...)
			fmt.Fprintf(&script, "%s 2>/dev/null && echo '%s' || :\n", line, line)
		}
		draw := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(r, name) }
		for range rapid.IntRange(0, 6).Draw(r, "routes") {
			verb := draw("verb", "add", "append", "prepend")
			kind := draw("type", "", "", "", "", "unreachable", "blackhole", "throw")
			dst := draw("dst", "default", "default", "203.0.113.0/24", "203.0.113.128/25", "198.51.100.7")
			table := draw("table", "main", "main", "100", "200")
			metric := draw("metric", "", "metric 5", "metric 100")
			via := ""
			if kind == "" {
				via = draw("via", "via 10.0.0.1", "via 10.0.0.2", "via 192.168.50.1", "dev eth1")
			}
			tos := draw("tos", "", "", "tos 0x10")
			do("-4 route %s %s %s %s %s %s table %s", verb, kind, dst, tos, via, metric, table)
		}
		for range rapid.IntRange(0, 4).Draw(r, "rules") {
			selector := draw("selector", "", "from 10.0.0.11", "from 10.0.0.0/24", "from 192.168.50.0/24", "to 203.0.113.0/24", "from 10.0.0.11 to 198.51.100.0/24",
				"not from 10.0.0.11", "fwmark 1", "iif eth0", "iif lo", "fwmark 0/1", "not fwmark 51820", "fwmark 0x10/0xf0", "oif eth0", "not iif lo", "from 10.0.0.0/24 iif lo",
				"uidrange 77-78", "not to 203.0.113.0/24", "not ipproto tcp", "from 10.0.0.11 ipproto tcp sport 80", "sport 8000-8999", "ipproto udp", "dport 443", "tos 0x10")
			action := draw("action", "lookup 100", "lookup 200", "lookup main suppress_prefixlength 0", "unreachable", "blackhole", "prohibit", "goto 32766", "nop")
			pref := rapid.IntRange(1, 20).Draw(r, "pref")
			do("-4 rule add %s pref %d %s", selector, pref, action)
		}
		defer func() {
			h.run(`ip -4 route flush table 100 2>/dev/null || :; ip -4 route flush table 200 2>/dev/null || :
ip -4 route show | grep -v 'proto kernel' | while read -r l; do ip -4 route del $l || :; done
ip -4 rule show | grep -v 'from all lookup \(local\|main\|default\)' | while read -r l; do ip -4 rule del pref "${l%%:*}"; done
ip -4 rule show | while read -r l; do p=${l%%:*}; case $p in 0|32766|32767) ;; *) ip -4 rule del pref "$p" ;; esac; done`)
		}()
		made := h.run(script.String())
		fib := h.read().FIB()
		var flows []state.Flow
		var ask strings.Builder
		for _, f := range []state.Flow{
			{From: netip.MustParseAddr("10.0.0.11"), Protocol: state.TCP, Port: 80},
			{From: netip.MustParseAddr("10.0.0.11"), Protocol: state.UDP, Port: 8053},
			{From: netip.MustParseAddr("192.168.50.11"), Protocol: state.TCP, Port: 8080},
		} {
			for _, to := range []string{"203.0.113.9", "203.0.113.200", "198.51.100.7", "192.0.2.1", "10.0.0.77"} {
				f.To = netip.MustParseAddr(to)
				flows = append(flows, f)
				fmt.Fprintf(&ask, "ip -4 -o route get %s from %s ipproto %s sport %d dport 9 2>/dev/null || echo refused\n", to, f.From, f.Protocol, f.Port)
			}
		}
		answers := strings.Split(strings.TrimSpace(h.run(ask.String())), "\n")
		if len(answers) != len(flows) {
			r.Fatalf("%d answers to %d questions: %q", len(answers), len(flows), answers)
		}
		for i, f := range flows {
			way, ok := fib.Way(f)
			have := "refused"
			if ok {
				have = "dev " + way.Route.Dev
				if way.Route.Via.IsValid() {
					have = "via " + way.Route.Via.String() + " " + have
				}
			}
			if !strings.Contains(answers[i], have) || !strings.Contains(have, "via") && strings.Contains(answers[i], "via") {
				r.Fatalf("%s from %s %s %d after\n%skernel: %s\nmodel: %s", f.To, f.From, f.Protocol, f.Port, made, answers[i], have)
			}
		}
	})
}

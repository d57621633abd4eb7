package plan

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// BenchmarkPlan plans and prints a director with ten servers in each service: on an empty
// node, and with one weight in ten changed.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		want := director10(n)
		b.Run(fmt.Sprintf("new/services=%d", n), func(b *testing.B) {
			benchmark(b, want, state.New(), n+10*n)
		})
		b.Run(fmt.Sprintf("drift/services=%d", n), func(b *testing.B) {
			have := director10(n)
			i := 0
			for k, s := range want.Servers {
				if i%10 == 0 {
					s.Weight = 5
					have.Servers[k] = s
				}
				i++
			}
			benchmark(b, want, have, n)
		})
	}
}

func benchmark(b *testing.B, want, have *state.State, changes int) {
	b.Helper()
	in := Input{
		Name: "lb", Role: director, Address: "lb", Want: want, Chosen: true,
		Live: &live.Node{State: have, Record: state.NewRecord("t"), Facts: live.Facts{Root: true}},
	}
	b.ReportAllocs()
	for b.Loop() {
		p := Build("t", []Input{in})
		if len(p.Actions) != changes {
			b.Fatalf("want %d changes, have %d", changes, len(p.Actions))
		}
		if lines := p.Lines(Detail{}); len(lines) < changes {
			b.Fatalf("want %d lines, have %d", changes, len(lines))
		}
	}
}

// director10 has n services with ten servers each.
func director10(n int) *state.State {
	s := state.New()
	for i := range n {
		vip := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		k := state.ServiceKey{Protocol: state.TCP, Addr: netip.AddrPortFrom(vip, 80)}
		s.Services[k] = state.Service{Scheduler: "wlc"}
		for j := range 10 {
			rip := netip.AddrFrom4([4]byte{10, 2 + byte(j), byte(i >> 8), byte(i)})
			s.Servers[state.ServerKey{Service: k, Addr: netip.AddrPortFrom(rip, 80)}] = state.Server{Forward: state.Direct, Weight: 1}
		}
	}
	return s
}

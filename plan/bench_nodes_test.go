package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/state"
)

// BenchmarkNodes plans many real servers behind one director: their first apply, and a
// destroy while a second director cannot be read.
func BenchmarkNodes(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		for name, destroy := range map[string]bool{"new": false, "destroy": true} {
			b.Run(fmt.Sprintf("%s/nodes=%d", name, n), func(b *testing.B) {
				inputs := farm(n, destroy)
				b.ReportAllocs()
				for b.Loop() {
					p := Build("t", inputs)
					if len(p.Actions) < 2*n {
						b.Fatalf("%d actions", len(p.Actions))
					}
					p.Lines(Detail{})
				}
			})
		}
	}
}

// farm is a director with a service of n real servers.
func farm(n int, destroy bool) []Input {
	vip := state.AddressKey{Prefix: netip.MustParsePrefix("10.9.0.1/32"), Dev: "lo"}
	k := state.ServiceKey{Protocol: state.TCP, Addr: netip.MustParseAddrPort("10.9.0.1:80")}
	table := state.New()
	table.Services[k] = state.Service{Scheduler: "rr"}
	servers := map[netip.Addr]string{}
	var inputs []Input
	for i := range n {
		rip := netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)})
		name := fmt.Sprintf("rs%05d", i)
		servers[rip] = name
		table.Servers[state.ServerKey{Service: k, Addr: netip.AddrPortFrom(rip, 80)}] = state.Server{Forward: state.Direct, Weight: 1}
		want := state.New()
		want.Addresses[vip] = state.Address{}
		in := input(name, "real_server", want, destroy)
		in.Base = []state.AddressKey{{Prefix: netip.PrefixFrom(rip, 16), Dev: "eth0"}}
		in.Live.State.Addresses[in.Base[0]] = state.Address{}
		inputs = append(inputs, in)
	}
	lvs := input("lvs", director, table, destroy)
	lvs.Servers = servers
	lost := Input{Name: "lost", Role: director, Chosen: true, Want: state.New(), Servers: map[netip.Addr]string{{}: "someone"}, Err: errors.New("lost")}
	return append(inputs, lvs, lost)
}

func input(name, role string, want *state.State, destroy bool) Input {
	n := &live.Node{State: state.New(), Record: state.NewRecord("t"), Facts: live.Facts{Root: true}}
	if destroy {
		n.State, n.Record.Set, want = want.Clone(), want, state.New()
	}
	return Input{Name: name, Role: role, Want: want, Chosen: true, Live: n}
}

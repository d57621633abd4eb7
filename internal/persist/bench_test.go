package persist

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/lvsctl/lvsctl/internal/netsystem"
	"github.com/lvsctl/lvsctl/internal/state"
)

// BenchmarkFiles makes the files for many VIPs on one device and for many routes, on each
// network system.
func BenchmarkFiles(b *testing.B) {
	boots := map[netsystem.Name]Boot{
		netsystem.NetworkScripts: {NetworkScripts: true, Ifcfg: map[string]Ifcfg{"e0": {Path: scriptsDir + "ifcfg-e0", OnBoot: true}}, Aliases: map[string]bool{}},
		netsystem.NetworkManager: {NetworkManager: "1.42.4", Devices: map[string]Device{"e0": {NetworkManager: true}}},
		netsystem.Ifupdown:       {Ifupdown: true},
		netsystem.Netplan:        {Netplan: true, Networkd: true, Devices: map[string]Device{"e0": {Network: netplanUnit + "e0.network"}}},
		netsystem.Networkd:       {Networkd: true, Devices: map[string]Device{"e0": {Network: "/etc/systemd/network/e0.network"}}},
	}
	for system, boot := range boots {
		for _, n := range []int{10_000, 20_000} {
			want := state.New()
			for i := range n {
				addr := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
				want.Addresses[state.AddressKey{Prefix: netip.PrefixFrom(addr, 32), Dev: "e0"}] = state.Address{}
				want.Routes[state.NewRouteKey(netip.PrefixFrom(addr, 32), 7)] = state.Route{Dev: "e0"}
				if system == netsystem.NetworkScripts {
					boot.Sets = append(boot.Sets, FileAddress{Dev: "e0", Prefix: netip.PrefixFrom(addr.Next(), 24)})
				}
			}
			b.Run(fmt.Sprintf("%s/VIPs=%d", system, n), func(b *testing.B) {
				live := state.New()
				live.Init = state.InitSystemd
				b.ReportAllocs()
				for b.Loop() {
					out := Files(Input{Topology: "t", System: system, Want: want, Before: state.New(), Live: live, Boot: boot})
					if len(out.Blocks)+len(out.Files) == 0 || len(out.Problems) > 0 {
						b.Fatalf("%v", out.Problems)
					}
				}
			})
		}
	}
}

package state_test

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/internal/state/statetest"
)

// TestRoundTrip makes random States on a model node and reads them again, with the output
// of every version of the tools.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := statetest.New()
		n.AddLink("eth0", true)
		n.AddLink("eth0.100", true)
		n.IPVSADM = rapid.IntRange(25, 32).Draw(t, "ipvsadm")
		want := drawTable(t, n.IPVSADM)
		drawNetwork(t, want)
		for _, c := range state.Diff(state.New(), want) {
			for _, command := range c.Do {
				if err := n.Exec(command); err != nil {
					t.Fatal(err)
				}
			}
		}
		have, err := n.Read(state.Wanted{Topology: "web"})
		if err != nil {
			t.Fatal(err)
		}
		for k := range have.Addresses {
			if k.Prefix.Addr().IsLoopback() {
				delete(have.Addresses, k)
			}
		}
		for k := range have.Policies {
			if k.Priority != state.ReplyPriority {
				delete(have.Policies, k) // the kernel's own
			}
		}
		for k, r := range have.Routes {
			r.Rest = strings.TrimSpace(strings.TrimSuffix(r.Rest, "pref medium"))
			have.Routes[k] = r
		}
		same := cmp.Options{
			cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{}), cmpopts.EquateEmpty(),
			cmpopts.IgnoreFields(state.State{}, "Sysctls", "Modules", "Links", "ARP", "Timeouts", "Connections", "PolicyOrder"),
		}
		if d := cmp.Diff(want, have, same); d != "" {
			t.Fatal(d)
		}
	})
}

func drawAddr(t *rapid.T, v6 bool) netip.Addr {
	b := rapid.SliceOfN(rapid.Byte(), 14, 14).Draw(t, "address")
	if v6 {
		return netip.AddrFrom16([16]byte(append([]byte{0x20, 0x01}, b...)))
	}
	return netip.AddrFrom4([4]byte{10, b[0], b[1], b[2]})
}

func drawTable(t *rapid.T, version int) *state.State {
	s := state.New()
	for range rapid.IntRange(0, 5).Draw(t, "services") {
		v6 := rapid.Bool().Draw(t, "IPv6")
		k := state.ServiceKey{Protocol: rapid.SampledFrom([]state.Protocol{state.TCP, state.UDP, state.SCTP, state.FWMark}).Draw(t, "protocol")}
		if k.Protocol == state.FWMark {
			k.Mark, k.V6 = rapid.Uint32Min(1).Draw(t, "mark"), v6
		} else {
			k.Addr = netip.AddrPortFrom(drawAddr(t, v6), rapid.Uint16().Draw(t, "port"))
		}
		s.Services[k] = drawService(t, k, v6)
		for range rapid.IntRange(0, 4).Draw(t, "servers") {
			v := state.Server{
				Forward: rapid.SampledFrom([]state.Forward{state.Masq, state.Direct, state.Tunnel}).Draw(t, "method"),
				Weight:  rapid.IntRange(0, 65535).Draw(t, "weight"),
				Upper:   rapid.IntRange(0, 100).Draw(t, "upper"),
			}
			v.Lower = rapid.IntRange(0, v.Upper).Draw(t, "lower")
			port := k.Addr.Port()
			if v.Forward == state.Masq {
				port = rapid.Uint16().Draw(t, "port")
			}
			if v.Forward == state.Tunnel && version >= 31 {
				v.Tunnel = rapid.SampledFrom([]string{"", "--tun-type gre --tun-csum", "--tun-type gue --tun-port 6080 --tun-remcsum"}).Draw(t, "tunnel")
			}
			s.Servers[state.ServerKey{Service: k, Addr: netip.AddrPortFrom(drawAddr(t, v6), port)}] = v
		}
	}
	if rapid.Bool().Draw(t, "daemon") {
		s.Daemons[state.DaemonBackup] = state.Daemon{Interface: "eth0.100", ID: rapid.IntRange(0, 255).Draw(t, "sync ID")}
	}
	return s
}

func drawService(t *rapid.T, k state.ServiceKey, v6 bool) state.Service {
	s := state.Service{Scheduler: rapid.SampledFrom([]string{"rr", "wlc", "sh", "mh", "lblcr"}).Draw(t, "scheduler")}
	if s.Scheduler == "sh" || s.Scheduler == "mh" {
		s.Flags = rapid.SampledFrom([]string{"", s.Scheduler + "-port", s.Scheduler + "-fallback," + s.Scheduler + "-port"}).Draw(t, "flags")
	}
	if k.Protocol != state.FWMark && k.Addr.Port() == 0 || rapid.Bool().Draw(t, "persistent") {
		bits := 32
		if v6 {
			bits = 128
		}
		s.Timeout, s.Mask = rapid.IntRange(1, 31*24*3600).Draw(t, "timeout"), rapid.IntRange(1, bits).Draw(t, "mask")
		if rapid.Bool().Draw(t, "engine") {
			s.Engine = "sip"
		}
	}
	s.OnePacket = (k.Protocol == state.UDP || k.Protocol == state.FWMark) && rapid.Bool().Draw(t, "one packet")
	return s
}

func drawNetwork(t *rapid.T, s *state.State) {
	for _, v6 := range []bool{false, true} {
		gateway := netip.MustParsePrefix("10.200.0.1/24")
		if v6 {
			gateway = netip.MustParsePrefix("fd00::1/64")
		}
		s.Addresses[state.AddressKey{Prefix: gateway, Dev: "eth0"}] = state.Address{}
		for range rapid.IntRange(0, 3).Draw(t, "addresses") {
			k := state.AddressKey{Prefix: drawPrefix(t, v6), Dev: rapid.SampledFrom([]string{"lo", "eth0", "eth0.100"}).Draw(t, "device")}
			if same := func(o state.AddressKey) bool { return o.Dev == k.Dev && o.Prefix.Addr() == k.Prefix.Addr() }; slices.ContainsFunc(keys(s.Addresses), same) {
				continue
			}
			s.Addresses[k] = state.Address{}
			if !v6 && rapid.Bool().Draw(t, "label") {
				s.Addresses[k] = state.Address{Label: k.Dev + ":" + rapid.StringMatching(`[a-z0-9]{1,6}`).Draw(t, "label")}
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "routes") {
			k := state.NewRouteKey(drawPrefix(t, v6), uint32(rapid.IntRange(0, 5000).Draw(t, "metric")))
			s.Routes[k] = rapid.SampledFrom([]state.Route{
				{Via: gateway.Addr().Next(), Dev: "eth0"},
				{Via: gateway.Addr().Next(), Dev: "eth0", Rest: "proto static mtu 1400"},
				{Dev: "lo", Rest: "scope link"},
				{Type: "blackhole"},
			}).Draw(t, "route")
		}
		if rapid.Bool().Draw(t, "policy") {
			k, p := state.ReplyPolicy(drawAddr(t, v6))
			s.Policies[k] = p
			way := state.NewRouteKey(drawPrefix(t, v6), 0)
			way.Table = strconv.Itoa(state.ReplyTable)
			s.Routes[way] = state.Route{Via: gateway.Addr().Next(), Dev: "eth0"}
		}
	}
}

func drawPrefix(t *rapid.T, v6 bool) netip.Prefix {
	addr := drawAddr(t, v6)
	return netip.PrefixFrom(addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "bits"))
}

func keys[K comparable, V any](m map[K]V) []K {
	var list []K
	for k := range m {
		list = append(list, k)
	}
	return list
}

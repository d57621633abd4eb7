package persist

import (
	"net/netip"
	"strconv"

	"github.com/lvsctl/lvsctl/internal/state"
)

// made makes a State from entries.
func made(fill ...func(*state.State)) *state.State {
	s := state.New()
	for _, f := range fill {
		f(s)
	}
	return s
}

func module(name string) func(*state.State) {
	return func(s *state.State) { s.Modules[name] = state.Module{} }
}

func sysctl(key, value string) func(*state.State) {
	return func(s *state.State) { s.Sysctls[key] = value }
}

func address(prefix, dev string) func(*state.State) {
	return func(s *state.State) {
		s.Addresses[state.AddressKey{Prefix: netip.MustParsePrefix(prefix), Dev: dev}] = state.Address{}
	}
}

func route(dst string, metric uint32, via, dev string) func(*state.State) {
	r := state.Route{Dev: dev}
	if via != "" {
		r.Via = netip.MustParseAddr(via)
	}
	return func(s *state.State) { s.Routes[state.NewRouteKey(netip.MustParsePrefix(dst), metric)] = r }
}

func service(protocol state.Protocol, addr string) state.ServiceKey {
	return state.ServiceKey{Protocol: protocol, Addr: netip.MustParseAddrPort(addr)}
}

func server(k state.ServiceKey, addr string, v state.Server) func(*state.State) {
	return func(s *state.State) { s.Servers[state.ServerKey{Service: k, Addr: netip.MustParseAddrPort(addr)}] = v }
}

// ruled is a real server whose replies from an address use a routing table of their own.
func ruled(rip, dip, dev string) func(*state.State) {
	return func(s *state.State) {
		k, p := state.ReplyPolicy(netip.MustParseAddr(rip))
		s.Policies[k] = p
		r := state.NewRouteKey(netip.PrefixFrom(netip.MustParseAddr(dip), 0), 0)
		r.Table = strconv.Itoa(state.ReplyTable)
		s.Routes[r] = state.Route{Via: netip.MustParseAddr(dip), Dev: dev}
	}
}

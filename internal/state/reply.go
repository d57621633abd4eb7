package state

import (
	"net/netip"
	"slices"
)

// A Reply is a packet by which a real server answers a client, with the gateway that it
// must take.
type Reply struct {
	Flow // To is not set: clients may be anywhere
	// Via is the gateway. If Exactly is set, no other one will do: with nat the director
	// must rewrite the reply. Otherwise any gateway will do except those in Never: the
	// directors drop packets that come from their own VIP (fib_validate_source,
	// net/ipv4/fib_frontend.c).
	Via     netip.Addr
	Exactly bool
	Never   []netip.Addr
}

// Goes reports whether the reply reaches its client by a way.
func (r Reply) Goes(way Way) bool {
	if r.Exactly {
		return way.Route.Via == r.Via
	}
	return !slices.Contains(r.Never, way.Route.Via)
}

package state

import (
	"net/netip"
	"slices"
)

// A Reply is what a real server answers clients with, and the gateway that it has
// to leave by.
type Reply struct {
	Flow // whatever its To: clients may be anywhere
	// Via is the gateway, and no other will do if Exactly is set: with nat the
	// director has to rewrite the reply. Otherwise any will but Never, the
	// directors, which drop what comes from their own VIP (fib_validate_source,
	// net/ipv4/fib_frontend.c).
	Via     netip.Addr
	Exactly bool
	Never   []netip.Addr
}

// Goes reports whether a way is one that the reply may take.
func (r Reply) Goes(way Way) bool {
	if r.Exactly {
		return way.Route.Via == r.Via
	}
	return !slices.Contains(r.Never, way.Route.Via)
}

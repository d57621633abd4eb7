package state

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// ReplyRoute is the way that replies from one address take while their node's
// default route is, or is about to be, another one. It is no part of a State: see
// plan/modechange.go.
type ReplyRoute struct {
	From, Via netip.Addr
	Dev       string
	// For is how long it is there at most, in whole seconds.
	For time.Duration
}

// Begin makes the route.
func (r ReplyRoute) Begin() shell.Command {
	return shell.Call(shell.ReplyRoute, r.From.String(), r.Via.String(), r.Dev, strconv.Itoa(int(r.For.Seconds())))
}

// End takes it away.
func (r ReplyRoute) End() shell.Command { return shell.Call(shell.ReplyRouteEnd, r.From.String()) }

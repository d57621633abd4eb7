package state

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// ReplyRoute is a temporary route for replies from one address, while the node's default
// route leads elsewhere. It is no part of a State. plan/modechange.go says what it is for.
type ReplyRoute struct {
	From, Via netip.Addr
	Dev       string
	// For is how long it stays at most, in whole seconds. Then the node removes it.
	For time.Duration
}

// Begin is the command that adds the route.
func (r ReplyRoute) Begin() shell.Command {
	return shell.Call(shell.ReplyRoute, r.From.String(), r.Via.String(), r.Dev, strconv.Itoa(int(r.For.Seconds())))
}

// End is the command that removes the route.
func (r ReplyRoute) End() shell.Command { return shell.Call(shell.ReplyRouteEnd, r.From.String()) }

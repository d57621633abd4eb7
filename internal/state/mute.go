package state

import "github.com/lvsctl/lvsctl/internal/shell"

// muted runs a command while the director sends no ICMP errors of the service's family.
// A client whose packet comes during the change then sends it again, and is not told that
// its connection is refused.
func muted(k ServiceKey, c shell.Command) shell.Command {
	limit := "/proc/sys/net/ipv4/icmp_ratelimit"
	if k.bits() == 128 {
		limit = "/proc/sys/net/ipv6/icmp/ratelimit"
	}
	return shell.Call(shell.MuteICMP, append([]string{limit}, c.Args...)...)
}

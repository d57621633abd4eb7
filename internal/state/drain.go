package state

import (
	"strconv"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Connections are a server's entries in the connection table. Those of UDP are
// all inactive.
type Connections struct{ Active, Inactive int }

// Open is how many of them end when the server goes: those of TCP that are
// closing already do not count.
func (c Connections) Open(p Protocol) int {
	if p == UDP || p == SCTP {
		return c.Active + c.Inactive
	}
	return c.Active
}

// removeServer takes a server out of the table. Its open connections end with
// it, so a service with a drain time waits for them first, at most that long.
func removeServer(to *State, k ServerKey, _ Server) []shell.Command {
	remove := shell.Cmd(append(append([]string{"ipvsadm", "-d"}, k.Service.args()...), "-r", k.Addr.String())...)
	drain := to.Drain[k.Service]
	if drain <= 0 {
		return []shell.Command{remove}
	}
	count := "active"
	if k.Service.Protocol == UDP || k.Service.Protocol == SCTP {
		count = "all"
	}
	wait := shell.Call(shell.Drain, append([]string{k.Addr.String(), strconv.Itoa(int(drain.Seconds())), count}, k.Service.args()...)...)
	return []shell.Command{wait, remove}
}

// quiesceServer gives a server that is to be drained no new connections.
func quiesceServer(to *State, k ServerKey, v Server) []shell.Command {
	if to.Drain[k.Service] <= 0 {
		return nil
	}
	v.Weight = 0
	return []shell.Command{serverCommand("-e", k, v)}
}

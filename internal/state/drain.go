package state

import (
	"strconv"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// Connections are the numbers of a server's entries in the connection table. All entries
// of UDP are inactive.
type Connections struct{ Active, Inactive int }

// Open is how many connections end when the server is removed. TCP connections that are
// closing already do not count.
func (c Connections) Open(p Protocol) int {
	if p == UDP || p == SCTP {
		return c.Active + c.Inactive
	}
	return c.Active
}

// removeServer removes a server from the table. Its open connections end then. So if the
// service has a drain time, the command waits for them first, at most that long.
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

// quiesceServer sets the weight of a server that will be drained to 0, so that it gets no
// new connections.
func quiesceServer(to *State, k ServerKey, v Server) []shell.Command {
	if to.Drain[k.Service] <= 0 {
		return nil
	}
	v.Weight = 0
	return []shell.Command{serverCommand("-e", k, v)}
}

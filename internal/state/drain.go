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
	wait := shell.Cmd(append([]string{"lvsctl_drain", k.Addr.String(), strconv.Itoa(int(drain.Seconds())), count}, k.Service.args()...)...)
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

// DrainFunction is the shell function that waits for a server's connections to
// end: lvsctl_drain SERVER SECONDS active|all SERVICE... . The seconds count from
// when the batch's servers were quiesced, so that all drain at once. It prints
// "note: " lines, and calls put_off, which its script defines.
const DrainFunction = `lvsctl_uptime() { read -r up rest </proc/uptime && printf '%s\n' "${up%%.*}"; }
lvsctl_open() {
  ipvsadm -L -n "$@" | while read -r arrow server method weight active inactive rest; do
    if [ "$arrow $server" = "-> $lvsctl_leaving" ]; then
      if [ "$lvsctl_count" = all ]; then active=$((active + inactive)); fi
      printf '%s\n' "$active"
    fi
  done
}
lvsctl_drain() {
  lvsctl_leaving=$1 lvsctl_count=$3 said= last=0
  until=$((${lvsctl_quiet:-$(lvsctl_uptime)} + $2))
  shift 3
  while :; do
    open=$(lvsctl_open "$@")
    now=$(lvsctl_uptime)
    if [ "${open:-0}" -eq 0 ]; then return 0; fi
    if [ "$now" -ge "$until" ]; then
      printf 'note: %s still has %s open connections, and its time is up\n' "$lvsctl_leaving" "$open"
      return 0
    fi
    if [ "$open" != "$said" ] || [ "$now" -ge "$((last + 10))" ]; then
      printf 'note: draining %s: %s open connections, %s s left\n' "$lvsctl_leaving" "$open" "$((until - now))"
      said=$open last=$now
    fi
    put_off
    sleep 1
  done
}
`

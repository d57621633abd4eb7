package state

import "github.com/lvsctl/lvsctl/internal/shell"

// hushed runs a command while the director sends no ICMP errors. A service that
// changes its scheduler has none for a moment (ip_vs_edit_service unbinds the old
// one and waits for an RCU grace period), and clients that connect just then
// would be refused by an ICMP message; without it they try again a second later
// and are served. Path-MTU messages are exempt from the limit that is used here
// (icmpv4_mask_allow, net/ipv4/icmp.c).
func hushed(k ServiceKey, c shell.Command) shell.Command {
	limit := "/proc/sys/net/ipv4/icmp_ratelimit"
	if k.bits() == 128 {
		limit = "/proc/sys/net/ipv6/icmp/ratelimit"
	}
	return shell.Cmd(append([]string{"lvsctl_hushed", limit}, c.Args...)...)
}

// runFolder sets $kept to the folder whose files no reboot survives.
const runFolder = `kept=/run; [ -d "$kept" ] || kept=/var/run`

// HushFunctions are the shell functions that silence a director and let it speak
// again: lvsctl_hushed LIMIT COMMAND... . The limit of before is kept in a file
// as long as another is in force: a shell may be killed so that no trap of it
// runs, and then lvsctl_unhush, called by whoever comes after it, finds the file.
// lvsctl_limited, if set, is put before the command.
const HushFunctions = `lvsctl_hush() {
  ` + runFolder + `
  kept=$kept/lvsctl/${1##*/}
  # A file that is there already is of a shell that was killed.
  [ -e "$kept" ] || { cat "$1" >"$kept.new" && [ -s "$kept.new" ] && mv -f "$kept.new" "$kept"; } || return 1
  echo 2147483647 >"$1"
}
lvsctl_unhush() {
  for limit in /proc/sys/net/ipv4/icmp_ratelimit /proc/sys/net/ipv6/icmp/ratelimit; do
    ` + runFolder + `
    kept=$kept/lvsctl/${limit##*/}
    rm -f "$kept.new"
    if [ -e "$kept" ]; then cat "$kept" >"$limit" && rm -f "$kept"; fi
  done
}
lvsctl_loud_again() {
  trap lvsctl_unhush EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
}
lvsctl_hushed() (
  lvsctl_loud_again
  lvsctl_hush "$1" 2>/dev/null
  shift
  $lvsctl_limited "$@"
)
`

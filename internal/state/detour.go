package state

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/lvsctl/lvsctl/internal/shell"
)

// A Detour is the way that replies from one address take while their node's
// default route is, or is about to be, another one. It is no part of a State: see
// plan/turning.go.
type Detour struct {
	From, Via netip.Addr
	Dev       string
	// For is how long it is there at most.
	For time.Duration
}

// Begin makes the detour.
func (d Detour) Begin() shell.Command {
	return shell.Cmd("lvsctl_detour", d.From.String(), d.Via.String(), d.Dev, strconv.Itoa(int(d.For.Seconds())))
}

// End takes it away.
func (d Detour) End() shell.Command { return shell.Cmd("lvsctl_detour_end", d.From.String()) }

// detours is the routing table of detours, and their rules' priority: a number
// that nobody else is likely to have.
const detours = "27491"

// DetourFunctions are the shell functions of detours. A detour that nobody ends
// ends by itself: whoever began it may have died. A file says which one it is, so
// that who watches an earlier one leaves it alone. Where there can be none, the
// change goes on without.
const DetourFunctions = `lvsctl_family() { case $1 in *:*) echo -6 ;; *) echo -4 ;; esac; }
lvsctl_detour_file() {
  ` + runFolder + `
  echo "$kept/lvsctl/detour.$1"
}
lvsctl_detour() {
  family=$(lvsctl_family "$1")
  lvsctl_detour_end "$1"
  if ! ip "$family" route replace default via "$2" dev "$3" table ` + detours + ` || ! ip "$family" rule add from "$1" table ` + detours + ` pref ` + detours + `; then
    lvsctl_detour_end "$1"
    printf 'note: no rule for replies from %s can be made: requests that arrive during the change may be lost\n' "$1"
    return 0
  fi
  file=$(lvsctl_detour_file "$1")
  read -r since l </proc/uptime
  { printf '%s\n' "$since" >"$file"; } 2>/dev/null || file=
  (
    trap '' HUP
    n=0
    same() { [ -z "$file" ] || { read -r l <"$file" && [ "$l" = "$since" ]; } 2>/dev/null; }
    while [ "$n" -lt "$4" ] && same && ip "$family" rule show | grep -q "from $1 lookup ` + detours + `"; do
      sleep 1
      n=$((n + 1))
    done
    if same; then lvsctl_detour_end "$1"; fi
  ) </dev/null >/dev/null 2>&1 9>&- &
}
lvsctl_detour_end() {
  family=$(lvsctl_family "$1")
  rm -f "$(lvsctl_detour_file "$1")" 2>/dev/null || :
  while ip "$family" rule del from "$1" table ` + detours + ` pref ` + detours + ` 2>/dev/null; do :; done
  ip "$family" rule show | grep -q '^` + detours + `:' || ip "$family" route flush table ` + detours + ` 2>/dev/null || :
}
`

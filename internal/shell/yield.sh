# How a director gives its addresses to another one and cuts no request short.
#
# The other director does not know the connections that are open, and answers their
# packets with a reset. So new ones are kept from beginning for a moment, and those that
# are under way end. A client whose SYN was dropped sends it again a second later, and
# comes to the other director then. What is open for longer is cut.

# lvsctl_yield ADDRESS... is called just before the reload by which the addresses leave.
# The SYNs of new connections are dropped from then on, until the addresses have left, or
# for half a minute: whoever kills this shell does not keep clients away for good. It
# waits for the connections that are under way as long as they become fewer.
lvsctl_yield() {
  if ! lvsctl_hold_syns add "$@"; then
    lvsctl_hold_syns del "$@"
    printf 'note: neither iptables nor nft can hold new connections here, so requests that are under way may be cut short\n'
    return 0
  fi
  (
    trap '' HUP
    n=0
    while [ "$n" -lt 150 ] && [ -n "$(lvsctl_holds "$@")" ]; do
      n=$((n + 1))
      sleep 0.2 2>/dev/null || { sleep 1; n=$((n + 4)); }
    done
    lvsctl_hold_syns del "$@"
  ) </dev/null >/dev/null 2>&1 9>&- &
  n=0 looks=0 before=-1
  while [ "$n" -lt 10 ] && [ "$looks" -lt 80 ]; do
    left=$(lvsctl_under_way "$@")
    [ "$left" -gt 0 ] || break
    n=$((n + 1)) looks=$((looks + 1))
    if [ "$left" -lt "$before" ]; then n=0; fi
    before=$left
    sleep 0.1 2>/dev/null || { sleep 1; n=$((n + 9)) looks=$((looks + 9)); }
  done
  return 0
}

# lvsctl_under_way ADDRESS... prints how many connections to the addresses are open.
lvsctl_under_way() {
  ipvsadm -L -n -c 2>/dev/null | awk -v addresses=" $* " '
    ($3 == "ESTABLISHED" || $3 == "SYN_RECV") {
      to = $5; sub(/:[0-9]+$/, "", to); gsub(/[][]/, "", to)
      if (index(addresses, " " to " ")) { n++ }
    }
    END { print n + 0 }'
}

# lvsctl_hold_syns add|del ADDRESS... has the node drop SYNs to the addresses, before IPVS
# sees them, or ends that.
lvsctl_hold_syns() {
  how=$1
  shift
  case $how in add) rule=-I ;; *) rule=-D ;; esac
  for a; do
    case $a in *:*) tool=ip6tables ;; *) tool=iptables ;; esac
    if command -v "$tool" >/dev/null; then
      # -w is new in 1.4.20.
      "$tool" -w "$rule" INPUT -d "$a" -p tcp --syn -j DROP 2>/dev/null || "$tool" "$rule" INPUT -d "$a" -p tcp --syn -j DROP 2>/dev/null || [ "$how" = del ] || return
    elif [ "$how" = del ]; then
      nft delete table inet lvsctl_yield 2>/dev/null
    else
      case $a in *:*) family=ip6 ;; *) family=ip ;; esac
      printf 'add table inet lvsctl_yield
add chain inet lvsctl_yield input { type filter hook input priority -10; }
add rule inet lvsctl_yield input %s daddr %s tcp flags & (syn | ack) == syn drop\n' "$family" "$a" | nft -f - 2>/dev/null || return
    fi
  done
  return 0
}

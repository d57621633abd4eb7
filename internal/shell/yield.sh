# How a director gives its addresses to another one and cuts no request short.
#
# The other director does not know the connections that are open, and answers their
# packets with a reset. So new ones are kept from beginning for a moment, and those that
# are under way end. A client whose SYN was dropped sends it again a second later, and
# comes to the other director then. What is open for longer is cut.
#
# The addresses do not leave at the reload: a backup discards the adverts of a lower
# priority and waits until it has heard no other for as long as if the master were dead
# (vrrp_state_backup, keepalived 2.2.7).

# lvsctl_yield AFTER LIMIT ADDRESS... is called just before the reload by which the
# addresses leave. AFTER seconds later the SYNs of new connections are dropped, until the
# addresses have left, or for LIMIT seconds: whoever kills this shell does not keep clients
# away for good. With 0 for AFTER it returns when what is under way has ended.
lvsctl_yield() {
  after=$1 limit=$2
  shift 2
  if ! lvsctl_can_hold "$@"; then
    printf 'note: neither iptables nor nft is here to hold new connections, so requests that are under way may be cut short\n'
    return 0
  fi
  if [ "$after" = 0 ]; then lvsctl_hold_syns add "$@" >/dev/null 2>&1; fi
  (
    trap '' HUP
    if [ "$after" != 0 ]; then
      sleep "$after" 2>/dev/null || sleep "${after%.*}"
      lvsctl_hold_syns add "$@"
    fi
    n=0
    while [ "$n" -lt "$((limit * 5))" ] && [ -n "$(lvsctl_holds "$@")" ]; do
      n=$((n + 1))
      sleep 0.2 2>/dev/null || { sleep 1; n=$((n + 4)); }
    done
    lvsctl_hold_syns del "$@"
  ) </dev/null >/dev/null 2>&1 9>&- &
  [ "$after" = 0 ] || return 0
  n=0
  while [ "$n" -lt 10 ] && [ "$(lvsctl_under_way "$@")" -gt 0 ]; do
    n=$((n + 1))
    sleep 0.1 2>/dev/null || { sleep 1; n=$((n + 9)); }
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

# lvsctl_can_hold ADDRESS... reports whether there is a tool for lvsctl_hold_syns.
lvsctl_can_hold() {
  if command -v nft >/dev/null; then return 0; fi
  for a; do
    case $a in *:*) a=ip6tables ;; *) a=iptables ;; esac
    command -v "$a" >/dev/null || return
  done
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
      "$tool" -w "$rule" INPUT -d "$a" -p tcp --syn -j DROP || "$tool" "$rule" INPUT -d "$a" -p tcp --syn -j DROP
    elif [ "$how" = del ]; then
      nft delete table inet lvsctl_yield
    else
      case $a in *:*) family=ip6 ;; *) family=ip ;; esac
      printf 'add table inet lvsctl_yield
add chain inet lvsctl_yield input { type filter hook input priority -10; }
add rule inet lvsctl_yield input %s daddr %s tcp flags & (syn | ack) == syn drop\n' "$family" "$a" | nft -f -
    fi
  done
}

# keepalived on a node: its processes, and how they are changed.

# lvsctl_keepalived FILE MODE HASH [+VIP|-VIP...] makes keepalived run with a text: by
# a reload if it runs, else by a start. The VIPs are those that this node has without
# keepalived. lo answers for those with + until keepalived has taken them; those with -
# are another director's, and are taken off.
lvsctl_keepalived() {
  lvsctl_keepalived_conf "$1" "$2" "$3" || return
  shift 3
  # shellcheck disable=SC2046 # words
  parent=$(lvsctl_first $(lvsctl_keepaliveds))
  if [ -z "$parent" ]; then
    lvsctl_keepalived_start "$@"
    return
  fi
  if [ -n "${lvsctl_token-}" ]; then
    lvsctl_await_order || return
    lvsctl_reload_together "$parent" || return
  else
    kill -HUP "$parent" || return
  fi
  lvsctl_keepalived_alive "$parent"
}

# lvsctl_keepalived_alive PARENT looks after two seconds whether keepalived lives,
# and by the same parent.
lvsctl_keepalived_alive() {
  sleep 2
  # shellcheck disable=SC2046 # words
  set -- "$1" $(lvsctl_keepaliveds)
  if [ "$#" -ge 3 ] && [ "$1" = "$2" ]; then return 0; fi
  printf 'keepalived did not survive it\n'
  return 1
}

# lvsctl_alone ADDRESS prints it with the prefix length of a single address.
lvsctl_alone() { case $1 in *:*) printf '%s/128\n' "$1" ;; *) printf '%s/32\n' "$1" ;; esac; }

# lvsctl_take_off ADDRESS takes it off all devices but lo.
lvsctl_take_off() {
  ip -o addr show to "$1" | while read -r _ dev _ address _; do
    dev=${dev%%@*}
    case $dev in lo) continue ;; esac
    case $address in
    *:*|*/32) ip addr del "$address" dev "$dev" ;;
    *) lvsctl_promote_secondaries "/proc/sys/net/ipv4/conf/$dev/promote_secondaries" ip addr del "$address" dev "$dev" ;;
    esac
  done
}

# lvsctl_keepalived_start [+VIP|-VIP...]
lvsctl_keepalived_start() {
  for f in /run/keepalived.pid /run/vrrp.pid /run/checkers.pid /run/bfd.pid /run/keepalived/*.pid /var/run/keepalived.pid /var/run/vrrp.pid /var/run/checkers.pid; do
    # A process that died left it, and keepalived would take any other for itself.
    if [ -e "$f" ]; then rm -f "$f"; fi
  done
  for a; do
    case $a in +*) ip addr add "$(lvsctl_alone "${a#?}")" dev lo 2>/dev/null ;; esac
    lvsctl_take_off "${a#?}"
  done
  if [ -d /run/systemd/system ]; then
    systemctl reset-failed keepalived.service 2>/dev/null
    systemctl start keepalived.service </dev/null 2>&1 9>&-
  elif [ -x /etc/init.d/keepalived ]; then
    /etc/init.d/keepalived start </dev/null >/dev/null 2>&1 9>&-
  else
    keepalived </dev/null >/dev/null 2>&1 9>&-
  fi
  n=0 parent=''
  while [ -z "$parent" ] && [ "$n" -lt 10 ]; do
    sleep 1
    n=$((n + 1))
    # shellcheck disable=SC2046 # words
    parent=$(lvsctl_first $(lvsctl_keepaliveds))
  done
  status=0
  if [ -z "$parent" ]; then
    printf 'keepalived does not start; its log on the node says why\n'
    status=1
  else
    lvsctl_keepalived_alive "$parent" || status=1
  fi
  lvsctl_keepalived_bridged "$status" "$@" || status=1
  return "$status"
}

# lvsctl_keepalived_bridged STATUS [+VIP|-VIP...] takes VIPs off lo once keepalived holds
# them, or another director does. Where it does not run, they stay.
lvsctl_keepalived_bridged() {
  [ "$1" -eq 0 ] || return 1
  shift
  for a; do
    case $a in -*) continue ;; esac
    a=${a#?} n=0
    while [ "$n" -lt 12 ] && [ -z "$(lvsctl_holds "$a")" ]; do
      lvsctl_put_off
      sleep 1
      n=$((n + 1))
    done
    ip addr del "$(lvsctl_alone "$a")" dev lo 2>/dev/null
  done
  return 0
}

# lvsctl_keepalived_away leave|keep [+|- PREFIX DEV LABEL]... ends keepalived and leaves
# the table as it is: its own stop would take every service out. Told to leave, it
# says goodbye to the other directors and takes its addresses along; told to keep,
# they stay. Those with + are there afterwards, those with - are not.
lvsctl_keepalived_away() {
  how=$1
  shift
  # shellcheck disable=SC2046 # words
  lvsctl_keepalived_kill "$how" $(lvsctl_keepaliveds)
  if [ -d /run/systemd/system ]; then
    systemctl stop keepalived.service 2>/dev/null
    systemctl reset-failed keepalived.service 2>/dev/null
  fi
  rm -f /run/keepalived.pid /run/vrrp.pid /run/checkers.pid /run/bfd.pid /run/keepalived/*.pid
  while [ "$#" -ge 4 ]; do
    if [ "$1" = + ]; then
      lvsctl_bring_back "$2" "$3" "$4" || return
    else
      ip addr del "$2" dev "$3" 2>/dev/null
    fi
    shift 4
  done
  # shellcheck disable=SC2046 # words
  if [ -z "$(lvsctl_first $(lvsctl_keepaliveds))" ]; then return 0; fi
  printf 'keepalived runs again\n'
  return 1
}

# lvsctl_bring_back PREFIX DEV LABEL gives the node an address as it was by hand. lo
# answers for it where keepalived has set it in another way.
lvsctl_bring_back() {
  lvsctl_single=$(lvsctl_alone "${1%/*}")
  case $1 in
  *:*) ip addr add "$1" dev "$2" nodad preferred_lft 0 2>/dev/null ;;
  *)
    ip addr add "$lvsctl_single" dev lo 2>/dev/null
    lvsctl_take_off "${1%/*}"
    if [ "$3" = - ]; then ip addr add "$1" dev "$2"; else ip addr add "$1" dev "$2" label "$3"; fi
    ;;
  esac
  if [ -z "$(lvsctl_holds "${1%/*}")" ]; then
    printf '%s does not come back on %s\n' "$1" "$2"
    return 1
  fi
  ip addr del "$lvsctl_single" dev lo 2>/dev/null
  return 0
}

# lvsctl_keepalived_kill leave|keep PARENT CHILD... The parent may start no new child
# meanwhile, and dies last: its death is a signal to the children to stop in good
# order.
lvsctl_keepalived_kill() {
  [ "$#" -ge 2 ] || return 0
  how=$1 parent=$2
  shift 2
  kill -STOP "$parent"
  if [ "$how" = leave ]; then
    for f in /run/vrrp.pid /run/keepalived/vrrp.pid /var/run/vrrp.pid; do
      p=''; { read -r p <"$f"; } 2>/dev/null || continue
      for c; do
        [ "$c" = "$p" ] || continue
        kill "$p"
        n=0
        while [ "$n" -lt 3 ] && lvsctl_started "$p"; do sleep 1; n=$((n + 1)); done
      done
      break
    done
  fi
  for c; do kill -9 "$c" 2>/dev/null; done
  kill -9 "$parent"
  n=0
  while [ "$n" -lt 5 ] && lvsctl_started "$parent"; do sleep 1; n=$((n + 1)); done
}

# lvsctl_uptime prints the whole seconds since boot: no clock that anyone sets.
lvsctl_uptime() { read -r up rest </proc/uptime && printf '%s\n' "${up%%.*}"; }

# lvsctl_drain_begin is called once no server that leaves gets new connections.
lvsctl_drain_begin() { lvsctl_draining_since=$(lvsctl_uptime); }

# lvsctl_open SERVICE... prints how many connections of the leaving server's count.
lvsctl_open() {
  ipvsadm -L -n "$@" | while read -r arrow server method weight active inactive rest; do
    if [ "$arrow $server" = "-> $lvsctl_leaving" ]; then
      if [ "$lvsctl_count" = all ]; then active=$((active + inactive)); fi
      printf '%s\n' "$active"
    fi
  done
}

# lvsctl_drain SERVER SECONDS active|all SERVICE... waits for a server's connections
# to end. The seconds count from lvsctl_drain_begin, so that all drain at once. It
# prints "note: " lines.
lvsctl_drain() {
  lvsctl_leaving=$1 lvsctl_count=$3 said='' last=0
  until=$((${lvsctl_draining_since:-$(lvsctl_uptime)} + $2))
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
    lvsctl_put_off
    sleep 1
  done
}

# Directors that reload keepalived at the same time, see apply/joint_reload.go. Each
# waits for an order, a file in /run/lvsctl: "stop", or "go DELAY WATCH", both in seconds.

# lvsctl_together TOKEN has the reload of this script wait for the order of that name.
lvsctl_together() {
  lvsctl_find_run
  rm -f "$lvsctl_run"/order.*
  lvsctl_token=$1
}

# lvsctl_order TOKEN WORD... gives the order.
lvsctl_order() {
  lvsctl_find_run
  order=$lvsctl_run/order.$1
  shift
  printf '%s\n' "$*" >"$order.new" && mv -f "$order.new" "$order"
}

# lvsctl_await_order says that this director is ready and waits for its order. It sets
# lvsctl_delay and lvsctl_watch. Where the connection is lost, the timer ends the wait.
lvsctl_await_order() {
  lvsctl_say ready
  order='' n=0
  until { read -r order lvsctl_delay lvsctl_watch <"$lvsctl_run/order.$lvsctl_token"; } 2>/dev/null; do
    if [ "$n" -ge 1800 ]; then printf 'the other directors were not ready in time\n'; return 1; fi
    n=$((n + 1))
    if kill -0 "${lvsctl_keeper-}" 2>/dev/null; then lvsctl_put_off; fi
    sleep 0.2 2>/dev/null || sleep 1
  done
  rm -f "$lvsctl_run/order.$lvsctl_token"
  if [ "$order" = go ]; then return 0; fi
  printf 'another director was not ready\n'
  return 1
}

# lvsctl_reload_together PARENT reloads, and looks for as many seconds as told whether
# this director becomes master: then it is alone with its change, puts itself back, and
# says nothing before, because there may be nobody left to say it to.
lvsctl_reload_together() {
  sleep "$lvsctl_delay"
  before=$(lvsctl_addresses)
  kill -HUP "$1" || return
  n=0
  while [ "$n" -lt "$lvsctl_watch" ]; do
    sleep 1
    n=$((n + 1))
    if [ "$(lvsctl_addresses)" = "$before" ]; then continue; fi
    if [ -n "${lvsctl_transaction-}" ]; then lvsctl_fire >/dev/null; fi
    printf 'it became master, because the other directors do not hear it\n'
    return 1
  done
}

# lvsctl_addresses prints all global addresses that others see.
lvsctl_addresses() { ip -o addr show scope global | grep -v '^[0-9]*: lo ' | sed 's/valid_lft.*//'; }

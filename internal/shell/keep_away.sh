# lvsctl_keep_away keeps the deadline of a transaction away while the shell that makes
# its changes is at work, for steps that take long: for five minutes after it last put
# the deadline off itself, and as long as those live who began it, up to the daemon
# that carries the connection. It runs beside that shell and ends with it.
lvsctl_keep_away() {
  lvsctl_above=$(lvsctl_ancestors "$$")
  (
    trap '' HUP
    while { read -r changer <"$lvsctl_transaction/changer"; } 2>/dev/null && lvsctl_runs "$changer" && [ -e "$lvsctl_transaction/armed" ]; do
      for p in $lvsctl_above; do lvsctl_runs "$p" || exit; done
      read -r up rest </proc/uptime
      { read -r begun <"$lvsctl_transaction/begun"; } 2>/dev/null || begun=0
      [ "$((${up%%.*} - begun))" -lt 300 ] || exit
      lvsctl_put_off kept
      sleep 1
    done
  ) </dev/null >/dev/null 2>&1 9>&- &
  lvsctl_keeper=$!
}

# lvsctl_ancestors PID prints PID.START of a process's parents, up to the first.
lvsctl_ancestors() {
  pid=$1
  while { read -r line <"/proc/$pid/stat"; } 2>/dev/null; do
    line=${line##*) ? }
    pid=${line%% *}
    [ "$pid" -gt 1 ] || return 0
    lvsctl_process "$pid"
  done
}

# lvsctl_arm ROLLBACK RECORD writes the rollback program, and the record that it
# gives back, to a folder that root alone can read and no reboot survives, starts
# the program's timer, and makes sure that it runs. Nothing was changed when any of
# it fails.
lvsctl_arm() {
  if lvsctl_start_timer "$@" 2>&1; then
    lvsctl_say armed
    lvsctl_keep_away
    trap 'rm -f "$lvsctl_transaction/changer"; kill "$lvsctl_keeper" 2>/dev/null' EXIT
  else
    rm -rf "$lvsctl_transaction"
    lvsctl_say stopped 'cannot arm the rollback'
    return 1
  fi
}

lvsctl_start_timer() {
  umask 077
  mkdir "$lvsctl_transaction" "$lvsctl_transaction/b" || return 1
  printf '%s' "$1" >"$lvsctl_transaction/rollback.sh" && printf '%s\n' "$2" >"$lvsctl_transaction/record" || return 1
  printf '%s\n' "$PATH" >"$lvsctl_transaction/path" || return 1
  lvsctl_put_off || return 1
  # Of the subshell that this is, not of the shell it was forked from: $$.
  # shellcheck disable=SC2016 # the child's
  sh -c 'printf "%s\n" "$PPID"' >"$lvsctl_transaction/pid" && read -r pid <"$lvsctl_transaction/pid" || return 1
  lvsctl_process "$pid" >"$lvsctl_transaction/changer" || return 1
  true >"$lvsctl_transaction/armed" || return 1
  if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
    unit=lvsctl-rollback-${lvsctl_transaction##*/}
    systemd-run --quiet --on-active="${lvsctl_seconds}s" --timer-property=AccuracySec=100ms --unit="$unit" \
      /bin/sh "$lvsctl_transaction/rollback.sh" timer && systemctl is-active --quiet "$unit.timer"
    return
  fi
  if command -v setsid >/dev/null; then
    setsid /bin/sh "$lvsctl_transaction/rollback.sh" timer </dev/null >/dev/null 2>&1 9>&- &
  else
    (trap '' HUP; exec /bin/sh "$lvsctl_transaction/rollback.sh" timer) </dev/null >/dev/null 2>&1 9>&- &
  fi
  kill -0 "$!"
}

# lvsctl_disarm confirms the transaction: it renames the file armed before the timer can.
# If it comes too late, it reports that and fails.
lvsctl_disarm() {
  if ! mv "$lvsctl_transaction/armed" "$lvsctl_transaction/confirmed" 2>/dev/null; then
    lvsctl_say stopped 'too late'
    return 1
  fi
}

# lvsctl_reopen takes a confirmation back, so that lvsctl_fire can undo what was
# confirmed. There is no timer any more: lvsctl_fire has to follow at once.
lvsctl_reopen() {
  if [ -e "$lvsctl_transaction/confirmed" ]; then mv "$lvsctl_transaction/confirmed" "$lvsctl_transaction/armed"; fi
}

# lvsctl_clear takes a finished transaction's folder and timer away.
lvsctl_clear() {
  if command -v systemctl >/dev/null; then systemctl stop "lvsctl-rollback-${lvsctl_transaction##*/}.timer" 2>/dev/null; fi
  rm -rf "$lvsctl_transaction" "$lvsctl_transaction.gone"
}

# lvsctl_firing reports whether the rollback runs just now.
lvsctl_firing() {
  for f in "$lvsctl_transaction"/firing.*; do
    if [ -e "$f" ] && lvsctl_runs "${f##*/firing.}"; then return 0; fi
  done
  return 1
}

# lvsctl_fire runs the rollback, or waits for the one that is running already, and
# prints what it left behind: what it says of itself, then its log. It prints
# "confirmed" if the transaction was, and "gone" if there is no trace of it; then
# none can begin any more, should its script have been held up before it armed.
lvsctl_fire() {
  if [ ! -d "$lvsctl_transaction" ]; then mkdir "$lvsctl_transaction" 2>/dev/null; printf 'gone\n'; return 0; fi
  if [ -e "$lvsctl_transaction/confirmed" ]; then printf 'confirmed\n'; return 0; fi
  if [ ! -e "$lvsctl_transaction/armed" ] && [ ! -e "$lvsctl_transaction/fired" ] && ! lvsctl_firing; then
    # It was held up while it armed. Without its folder it gets no further.
    mv "$lvsctl_transaction" "$lvsctl_transaction.gone" && lvsctl_transaction=$lvsctl_transaction.gone
  fi
  # It lives on without this connection.
  if command -v setsid >/dev/null; then
    setsid /bin/sh "$lvsctl_transaction/rollback.sh" now </dev/null >/dev/null 2>&1 &
  else
    (trap '' HUP; exec /bin/sh "$lvsctl_transaction/rollback.sh" now) </dev/null >/dev/null 2>&1 &
  fi
  n=0
  while [ ! -e "$lvsctl_transaction/result" ] && [ "$n" -lt 300 ] && { kill -0 "$!" 2>/dev/null || lvsctl_firing; }; do
    sleep 0.1 2>/dev/null || sleep 1
    n=$((n + 1))
  done
  cat "$lvsctl_transaction/result" "$lvsctl_transaction/log" 2>/dev/null || :
}

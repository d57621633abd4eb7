# lvsctl_lock OWNER takes the node's lock with file descriptor 9 of a shell that
# lives as long as the apply's connection: the kernel frees it with the shell,
# however that ends. Where there is no flock(1) a folder that names the shell serves,
# stale once that is gone. An armed transaction that nobody confirms is a lock too,
# and so is one that is being undone; what else an apply left behind that was cut off
# is cleared away. It says locked, held HOLDER, pending SECONDS HOLDER or unusable,
# and fails but for the first.
lvsctl_lock() {
  lvsctl_find_run
  umask 077
  { ( [ -d "$lvsctl_run" ] || mkdir "$lvsctl_run" ) 2>&1 && ( : >>"$lvsctl_run/lock" ) 2>&1; } || { lvsctl_say unusable; return 1; }
  if command -v flock >/dev/null; then
    exec 9>>"$lvsctl_run/lock"
    flock -n 9 2>&1
    case $? in
      0) ;;
      1) lvsctl_say held "$(lvsctl_holder)"; return 1 ;;
      *) lvsctl_say unusable; return 1 ;; # no answer to whether somebody holds it
    esac
  elif ! mkdir "$lvsctl_run/lock.d" 2>/dev/null && kill -0 "$(cat "$lvsctl_run/lock.d/pid" 2>/dev/null)" 2>/dev/null; then
    lvsctl_say held "$(lvsctl_holder)"; return 1
  else
    printf '%s\n' "$$" >"$lvsctl_run/lock.d/pid"
  fi
  lvsctl_clear_old || return 1
  printf '%s since %s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$lvsctl_run/holder"
  lvsctl_say locked
}

lvsctl_holder() { cat "$lvsctl_run/holder" 2>/dev/null; }

# lvsctl_clear_old clears away what another apply left behind. It fails where that
# one is still pending.
lvsctl_clear_old() {
  for p in "$lvsctl_run"/*; do
    [ -d "$p" ] && [ "$p" != "$lvsctl_run/lock.d" ] || continue
    for f in "$p"/firing.*; do
      if [ -e "$f" ] && kill -0 "${f##*.}" 2>/dev/null; then lvsctl_say pending 1 "$(lvsctl_holder)"; return 1; fi
    done
    if [ -e "$p/armed" ]; then
      read -r up rest </proc/uptime
      left=$(($(cat "$p/deadline") - ${up%%.*}))
      # Long overdue: whoever should have put the node back was killed.
      if [ "$left" -gt -15 ] || ! mv "$p/armed" "$p/overdue"; then lvsctl_say pending "$left" "$(lvsctl_holder)"; return 1; fi
    fi
    rm -rf "$p"
  done
}

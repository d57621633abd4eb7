# lvsctl_lock OWNER takes the node's lock with file descriptor 9 of a shell that
# lives as long as the apply's connection: the kernel frees it with the shell,
# however that ends. Where there is no flock(1) a file that names the shell serves. An
# armed transaction that nobody confirms is a lock too, and so is one that is being
# undone; what else an apply left behind that was cut off is cleared away, and what it
# borrowed given back. It says locked, held HOLDER, pending SECONDS HOLDER or unusable,
# and fails but for the first.
lvsctl_lock() {
  lvsctl_find_run
  umask 077
  { ( [ -d "$lvsctl_run" ] || mkdir "$lvsctl_run" ) 2>&1 && ( : >>"$lvsctl_run/lock" ) 2>&1; } || { lvsctl_say unusable; return 1; }
  if command -v flock >/dev/null; then
    exec 9>>"$lvsctl_run/lock"
    flock -n 9 2>&1
  else
    lvsctl_lock_by_name "$lvsctl_run/process" 2>&1
  fi
  case $? in
    0) ;;
    1) lvsctl_say held "$(lvsctl_holder)"; return 1 ;;
    *) lvsctl_say unusable; return 1 ;; # no answer to whether somebody holds it
  esac
  lvsctl_clear_old || return 1
  lvsctl_give_back 2>/dev/null
  printf '%s since %s\n' "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$lvsctl_run/holder"
  lvsctl_say locked
}

lvsctl_holder() { cat "$lvsctl_run/holder" 2>/dev/null; }

# lvsctl_clear_old clears away what another apply left behind. It fails where that
# one is still pending.
lvsctl_clear_old() {
  for p in "$lvsctl_run"/*; do
    [ -d "$p" ] || continue
    for f in "$p"/firing.*; do
      if [ -e "$f" ] && lvsctl_runs "${f##*/firing.}"; then lvsctl_say pending 1 "$(lvsctl_holder)"; return 1; fi
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

# lvsctl_lock_by_name FILE takes a lock that is a file with the name of the process
# that holds it. ln makes such a file whole or not at all. Where the holder has died,
# whoever comes next makes FILE.after.HOLDER, which again only one can, and so on:
# the last of that chain holds the lock if it lives. It puts its name at the chain's
# beginning then, and takes the rest away. Somebody slow, who still follows the old
# chain, finds out by walking it once more from its beginning. It returns 1 where
# somebody holds the lock, 2 where there can be none.
lvsctl_lock_by_name() {
  me=$(lvsctl_process "$$") && printf '%s\n' "$me" >"$1.new.$me" || return 2
  tries=0
  while ! lvsctl_join "$1"; do
    tries=$((tries + 1))
    if [ -n "$last" ] || [ "$tries" -ge 20 ]; then rm -f "$1.new.$me"; break; fi
  done
  case $last in
    "$me") ;;
    '') echo "cannot make $place"; return 2 ;;
    *) return 1 ;;
  esac
  # Two names of one file are not made one by mv.
  if [ "$place" = "$1" ]; then rm -f "$1.new.$me"; else mv -f "$1.new.$me" "$1" || return 2; fi
  for f in "$1".*; do
    case $f in
      *.new.*) lvsctl_runs "${f##*.new.}" || rm -f "$f" ;;
      *) rm -f "$f" ;;
    esac
  done
}

# lvsctl_join FILE makes this process the chain's last, unless one lives that is: the
# last one that lives is $last, at $place. It fails, with no $last, where it has to
# begin anew.
lvsctl_join() {
  lvsctl_walk "$1" make
  [ "$last" = "$me" ] || return 1
  made=$place
  lvsctl_walk "$1" look
  if [ "$last" = "$me" ]; then return 0; fi
  rm -f "$made"
  return 1
}

# lvsctl_walk FILE make|look follows the chain to the first process that lives: $last,
# and to its file: $place. Where there is none it makes this process the next.
lvsctl_walk() {
  place=$1
  while :; do
    if [ "$2" = make ] && ln "$1.new.$me" "$place" 2>/dev/null; then last=$me; return; fi
    { read -r last <"$place"; } 2>/dev/null || { last=''; return; }
    if [ "$last" = "$me" ] || lvsctl_runs "$last"; then return; fi
    place=$1.after.$last
  done
}

# What a node runs to put itself back: when its timer has run out ("timer"), or when
# lvsctl asks for it ("now"). It undoes the steps that have a mark, the last one first.
# If one inverse fails, the others run all the same. It needs as few programs as possible,
# because the node may be broken.
#
# Of builtins only regular ones are redirected: sh ends where a special one's file
# cannot be opened.

# lvsctl_begin_rollback TOPOLOGY timer|now waits for the deadline and takes the transaction.
# This program and the confirmation both try to rename the file armed. The one that
# does it first wins, and the other does nothing. The new name has the process's id.
# Then it gives back what the shell that made the changes had borrowed.
lvsctl_begin_rollback() {
  PATH=/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin LC_ALL=C
  lvsctl_folder=${0%/*}
  # The tools that made the changes undo them, wherever this system keeps them.
  if { IFS= read -r lvsctl_tools <"$lvsctl_folder/path"; } 2>/dev/null; then PATH=$lvsctl_tools; fi
  export PATH LC_ALL
  if [ "$2" = timer ]; then
    while [ -e "$lvsctl_folder/armed" ] && read -r up rest </proc/uptime; do
      # Empty while a step puts it off just now: look again.
      d=''; read -r d <"$lvsctl_folder/deadline"
      [ -z "$d" ] || [ "${up%%.*}" -lt "$d" ] || break
      sleep 1
    done
  fi
  lvsctl_me=$(lvsctl_process "$$")
  mv "$lvsctl_folder/armed" "$lvsctl_folder/firing.$lvsctl_me" 2>/dev/null || exit 0
  if [ "$2" = timer ] && command -v logger >/dev/null; then
    logger -t lvsctl "nobody confirmed the change of $1: putting this node back"
  fi
  # The shell that changes things may still run, cut off from whoever began it, or
  # wait for a command that would do its work after all of this.
  if lvsctl_runs "$(cat "$lvsctl_folder/changer" 2>/dev/null)" && lvsctl_kill "$(cat "$lvsctl_folder/changer")"; then sleep 1; fi
  lvsctl_give_back 2>/dev/null
  lvsctl_log=$lvsctl_folder/log lvsctl_failed=''
  { true >>"$lvsctl_log"; } 2>/dev/null || lvsctl_log=/dev/null
  if timeout 9 true 2>/dev/null; then lvsctl_limit='timeout 20'; else lvsctl_limit=''; fi
}

# lvsctl_kill PID.START ends a process and its children: none may make another
# meanwhile. A child's number is not used again while its parent stands still.
lvsctl_kill() {
  lvsctl_runs "$1" && [ "${1%%.*}" != "$$" ] && kill -STOP "${1%%.*}" 2>/dev/null || return 1
  # It may have ended just before that, and its number be somebody else's.
  lvsctl_runs "$1" || { kill -CONT "${1%%.*}"; return 1; }
  for s in /proc/[0-9]*/stat; do
    { read -r l <"$s"; } 2>/dev/null || continue
    l=${l##*) ? }
    if [ "${l%% *}" = "${1%%.*}" ]; then s=${s%/stat}; (lvsctl_kill "$(lvsctl_process "${s##*/}")"); fi
  done
  kill -9 "${1%%.*}"
}

# lvsctl_begun ID reports whether a step has to be undone.
lvsctl_begun() { [ -e "$lvsctl_folder/b/$1" ]; }

# lvsctl_end_rollback RECORD FOLDER gives the record, a file of that folder, its old text
# if all went well; otherwise it goes on naming what may still be ours, and the
# apply, which looks at the result by itself, decides.
lvsctl_end_rollback() {
  rm -f "$1.new"
  if [ -z "$lvsctl_failed" ]; then
    l=''; read -r l <"$lvsctl_folder/record"
    if [ -z "$l" ]; then
      rm -f "$1"; rmdir "$2" 2>/dev/null
    else
      cp "$lvsctl_folder/record" "$1.old" && lvsctl_sync "$1.old" && mv -f "$1.old" "$1" || rm -f "$1.old"
    fi
    if [ -d "$2" ]; then lvsctl_sync "$2"; else lvsctl_sync "${2%/*}"; fi
  fi
  printf 'rolled back%s\n' "$lvsctl_failed" >"$lvsctl_folder/result.new" && mv "$lvsctl_folder/result.new" "$lvsctl_folder/result"
  mv "$lvsctl_folder/firing.$lvsctl_me" "$lvsctl_folder/fired"
}

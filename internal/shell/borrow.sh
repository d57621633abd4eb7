# A kernel parameter that is another one for a moment. Its value of before is kept
# in a file meanwhile: a shell may be killed so that no trap of it runs, and then
# whoever comes next gives the parameter back by lvsctl_give_back.

# lvsctl_borrow FILE VALUE sets a parameter and keeps what it was. It changes
# nothing where it cannot keep that.
lvsctl_borrow() {
  lvsctl_find_run
  lvsctl_name=borrowed lvsctl_path=${1#/proc/sys/}/
  while [ -n "$lvsctl_path" ]; do
    lvsctl_name=$lvsctl_name.${lvsctl_path%%/*}
    lvsctl_path=${lvsctl_path#*/}
  done
  lvsctl_kept=$lvsctl_run/$lvsctl_name
  # A file that is there already is of a shell that was killed.
  [ -e "$lvsctl_kept" ] || {
    lvsctl_value=$(cat "$1") && [ -n "$lvsctl_value" ] &&
      printf '%s\n' "$1" "$lvsctl_value" >"$lvsctl_kept.new" && mv -f "$lvsctl_kept.new" "$lvsctl_kept"
  } || { rm -f "$lvsctl_kept.new"; return 1; }
  printf '%s\n' "$2" >"$1"
}

# lvsctl_give_back gives back whatever is borrowed. What went with its device needs
# no giving back.
lvsctl_give_back() {
  lvsctl_find_run
  for lvsctl_kept in "$lvsctl_run"/borrowed.*; do
    case $lvsctl_kept in *.new) rm -f "$lvsctl_kept"; continue ;; esac
    [ -e "$lvsctl_kept" ] || continue
    { IFS= read -r lvsctl_path && IFS= read -r lvsctl_value; } <"$lvsctl_kept" || continue
    if [ ! -e "$lvsctl_path" ] || printf '%s\n' "$lvsctl_value" >"$lvsctl_path"; then rm -f "$lvsctl_kept"; fi
  done
}

# lvsctl_give_back_at_end does it when this subshell ends, by a signal too.
lvsctl_give_back_at_end() {
  trap lvsctl_give_back EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
}

# keepalived's file on a node. A text is named by a hash of it, which lvsctl_text brought;
# so no command shows a password.

# lvsctl_text HASH TEXT keeps a text for the functions below.
lvsctl_text() { eval "lvsctl_text_$1=\$2"; }

# lvsctl_print HASH prints it.
lvsctl_print() { eval "printf '%s' \"\$lvsctl_text_$1\""; }

# lvsctl_is_ours FILE reports whether lvsctl wrote it.
lvsctl_is_ours() {
  l=''; { read -r l <"$1"; } 2>/dev/null
  case $l in '# Managed by lvsctl.'*) return 0 ;; esac
  return 1
}

# lvsctl_keepalived_test FILE lets keepalived judge. Its exit status alone is not
# enough: 2.0.20 to 2.1.5 exit with 0 whatever is wrong, but say it. Before 2.0.4
# there is no test.
lvsctl_keepalived_test() {
  if said=$(keepalived -t -f "$1" 2>&1); then status=0; else status=$?; fi
  case $said in *"invalid option"*) return 0 ;; esac
  if [ "$status" -eq 0 ] && [ -z "$said" ]; then return 0; fi
  printf 'keepalived refuses the file (exit status %s): %s\n' "$status" "$(printf '%s' "$said" | tr '\n' ' ')"
  return 1
}

# lvsctl_keepalived_conf FILE MODE HASH puts a text in place, tested first and in one
# step. - for HASH takes the file away. A rollback asks no test's opinion.
lvsctl_keepalived_conf() {
  if [ "$3" = - ]; then
    lvsctl_take_back "$1" && rm -f "$1" && { [ ! -d "${1%/*}" ] || lvsctl_sync "${1%/*}"; }
    return
  fi
  if [ -n "${lvsctl_folder-}" ]; then lvsctl_take_back "$1" || return; fi
  if [ -e "$1" ] && [ "$(lvsctl_print "$3")" = "$(cat "$1")" ]; then return 0; fi
  lvsctl_take_back "$1" || return
  [ -d "${1%/*}" ] || mkdir -m 0755 "${1%/*}" || return
  new=$1.lvsctl
  rm -f "$new"
  { (umask 077 && lvsctl_print "$3" >"$new") && chmod "$2" "$new" && lvsctl_sync "$new"; } || { rm -f "$new"; return 1; }
  if [ -z "${lvsctl_folder-}" ]; then
    if lvsctl_is_ours "$new"; then lvsctl_keepalived_test "$new" || { rm -f "$new"; return 1; }; fi
    if lvsctl_lend "$new" "$1"; then rm -f "$new"; return; fi
  fi
  lvsctl_keepalived_place "$new" "$1"
}

# lvsctl_keepalived_place NEW FILE puts a file in another one's place. What somebody else
# wrote is kept beside it until it is put back, to the last byte and with its owner.
lvsctl_keepalived_place() {
  if lvsctl_is_ours "$1"; then
    if [ -e "$2" ] && ! lvsctl_is_ours "$2"; then cp -p "$2" "$2.before-lvsctl" && lvsctl_sync "$2.before-lvsctl" || return; fi
    mv -f "$1" "$2" || return
  elif [ "$(cat "$1")" = "$(cat "$2.before-lvsctl" 2>/dev/null)" ]; then
    rm -f "$1"
    mv -f "$2.before-lvsctl" "$2" || return
  else
    mv -f "$1" "$2" || return
    rm -f "$2.before-lvsctl"
  fi
  if command -v restorecon >/dev/null; then restorecon "$2" 2>/dev/null; fi
  lvsctl_sync "${2%/*}"
}

# Until a change is confirmed, a node that loses its power has to boot with the old file,
# but a reload reads the new one. So the new one is lent: it is in the transaction's
# folder, which no reboot leaves, and mounted over the old one. The confirmation puts it in
# the old one's place. Where that cannot be, as in a container that may mount nothing, or
# where no keepalived runs that could reload, it gets there at once.

# lvsctl_lent FILE reports whether a file of lvsctl's is mounted over it. In mountinfo the
# fourth field is what is mounted, and the fifth where (proc(5)).
lvsctl_lent() {
  awk -v f="$1" '$5 == f && $4 ~ "/lvsctl/" { lent = 1 } END { exit !lent }' /proc/self/mountinfo 2>/dev/null
}

# lvsctl_lend NEW FILE fails where the keepalived that runs does not see the new one.
lvsctl_lend() {
  [ -n "${lvsctl_transaction-}" ] && [ -f "$2" ] && [ ! -L "$2" ] || return 1
  # shellcheck disable=SC2046 # words
  parent=$(lvsctl_first $(lvsctl_keepaliveds))
  [ -n "$parent" ] && cp -p "$1" "$lvsctl_transaction/conf" || return 1
  if command -v chcon >/dev/null; then chcon --reference="$2" "$lvsctl_transaction/conf" 2>/dev/null; fi
  mount -o bind "$lvsctl_transaction/conf" "$2" 2>/dev/null || return 1
  # shellcheck disable=SC3013 # every shell has -ef
  if lvsctl_lent "$2" && [ "/proc/$parent/root$2" -ef "$lvsctl_transaction/conf" ]; then return 0; fi
  umount "$2"
  return 1
}

# lvsctl_take_back FILE ends that: the old file is in its place again.
lvsctl_take_back() {
  lvsctl_lent "$1" || return 0
  umount "$1" 2>/dev/null || umount -l "$1"
}

# lvsctl_settle FILE makes a file that was lent the one that stays.
lvsctl_settle() {
  lvsctl_lent "$1" || return 0
  new=$1.lvsctl
  rm -f "$new"
  if { cp -p "$1" "$new" && lvsctl_sync "$new" && lvsctl_take_back "$1" && lvsctl_keepalived_place "$new" "$1"; } 2>&1; then return 0; fi
  rm -f "$new"
  lvsctl_say stopped "cannot put $1 in its place"
  return 1
}

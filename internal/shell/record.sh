# lvsctl_stage_record FOLDER FILE TEXT writes a record beside its place, readable by
# root alone. mkdir goes without -p: the folder's parent is every system's own.
lvsctl_stage_record() {
  if ! { { [ -d "$1" ] || mkdir -m 0700 "$1"; } && (umask 077 && printf '%s\n' "$3" >"$2.new") && lvsctl_sync "$2.new"; } 2>&1; then
    rm -f "$2.new"
    lvsctl_say stopped 'cannot write the record'
    return 1
  fi
}

# lvsctl_place_record FILE puts a staged record in its place.
lvsctl_place_record() {
  if ! mv -f "$1.new" "$1" 2>&1 || ! lvsctl_sync_above "${1%/*}" 2>&1; then
    lvsctl_say stopped 'cannot write the record'
    return 1
  fi
}

# lvsctl_write_record FOLDER FILE TEXT is both at once.
lvsctl_write_record() { lvsctl_stage_record "$1" "$2" "$3" && lvsctl_place_record "$2"; }

# lvsctl_remove_record FOLDER FILE takes a record away, and its folder with the last
# one.
lvsctl_remove_record() {
  if ! rm -f "$2" 2>&1; then
    lvsctl_say stopped 'cannot remove the record'
    return 1
  fi
  if rmdir "$1" 2>/dev/null || [ ! -d "$1" ]; then set -- "${1%/*}"; fi
  if ! lvsctl_sync "$1" 2>&1; then
    lvsctl_say stopped 'cannot remove the record'
    return 1
  fi
}

# lvsctl_read_record FILE prints a line, then the record whole; nothing where there is
# none. cat is used where there is one: the shell itself reads a byte at a time.
lvsctl_read_record() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  printf 'record\n'
  if command -v cat >/dev/null; then cat "$1"; return; fi
  while IFS= read -r l || [ -n "$l" ]; do printf '%s\n' "$l"; done <"$1"
}

# lvsctl_read_recorded FILE prints the sysctls that the record names on its second
# line, so that one which left the topology can be put back.
lvsctl_read_recorded() {
  [ -e "$1" ] || return 0
  { read -r l; read -r l; } <"$1"
  l=${l#*: \"}
  shift
  for k in ${l%%\"*}; do set -- "$@" "/proc/sys/$k"; done
  lvsctl_grep_sysctls "$@"
}

# lvsctl_read_others FOLDER FILE prints the records in FOLDER but FILE: the path of
# each, then its lines, each after a blank, then an empty line: the last may have no end.
lvsctl_read_others() {
  for f in "$1"/*.json; do
    [ -f "$f" ] && [ "$f" != "$2" ] || continue
    printf 'record %s\n' "$f"
    sed 's/^/ /' "$f" && echo || return
  done
}

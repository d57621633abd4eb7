# lvsctl_section NONCE NAME COMMAND... frames what a command prints by lines that no
# node can know beforehand; the last one has its status.
lvsctl_section() {
  lvsctl_section_nonce=$1 lvsctl_section_name=$2
  shift 2
  printf '%s begin %s\n' "$lvsctl_section_nonce" "$lvsctl_section_name"
  "$@"
  printf '%s end %s %s\n' "$lvsctl_section_nonce" "$lvsctl_section_name" "$?"
}

# lvsctl_has_ip fails, and says so, where the one tool is missing without which
# nothing can be read.
lvsctl_has_ip() {
  if command -v ip >/dev/null; then return 0; fi
  printf 'no ip\n'
  return 1
}

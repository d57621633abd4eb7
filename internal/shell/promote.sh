# lvsctl_promote_secondaries FILE COMMAND... runs a command that removes an address
# while the kernel keeps the others of its subnet: FILE is the device's parameter.
# Otherwise the first IPv4 address of a subnet takes the others with it
# (__inet_del_ifa, net/ipv4/devinet.c). lvsctl_limit, if set, is put before it.
lvsctl_promote_secondaries() (
  lvsctl_give_back_at_end
  file=$1 old=
  shift
  # A full /run is no reason to leave the address there.
  lvsctl_borrow "$file" 1 2>/dev/null || { old=$(cat "$file") && echo 1 >"$file"; } || exit 1
  # shellcheck disable=SC2086 # several words, or none
  ${lvsctl_limit-} "$@"
  status=$?
  if [ -n "$old" ]; then printf '%s\n' "$old" >"$file"; fi
  exit "$status"
)

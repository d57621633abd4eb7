# A transaction is a folder of lvsctl's in /run: while the file armed is there, the
# node puts itself back once its deadline has passed.

# lvsctl_transaction ID SECONDS says which one this is, and how long it waits for
# its confirmation.
lvsctl_transaction() {
  lvsctl_find_run
  lvsctl_transaction=$lvsctl_run/$1 lvsctl_seconds=$2
}

# lvsctl_put_off [kept] gives it another full wait. Without a transaction it does
# nothing: whatever takes long calls it. Two may do so at once, each by a file of its
# own. In a second in which this shell has done so there is nothing to put off.
lvsctl_put_off() {
  [ -n "${lvsctl_seconds-}" ] || return 0
  read -r up rest </proc/uptime || return 1
  if [ "${up%%.*}" = "${lvsctl_put_off_at-}" ]; then return 0; fi
  lvsctl_next=$lvsctl_transaction/deadline.${1:-new}
  printf '%s\n' "$((${up%%.*} + lvsctl_seconds))" >"$lvsctl_next" &&
    mv -f "$lvsctl_next" "$lvsctl_transaction/deadline" || return 1
  lvsctl_put_off_at=${up%%.*}
  if [ $# -eq 0 ]; then { printf '%s\n' "${up%%.*}" >"$lvsctl_transaction/begun"; } 2>/dev/null || return 0; fi
}

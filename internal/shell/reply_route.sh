# The way that replies from one address take while their node's default route is,
# or is about to be, another one: a rule and a table of their own.

# The table's number and the rule's priority: those that nobody else is likely to
# have. busybox's ip knows no table above 1023.
lvsctl_reply_table=861
lvsctl_reply_priority=27491

lvsctl_family() { case $1 in *:*) echo -6 ;; *) echo -4 ;; esac; }

lvsctl_reply_file() {
  lvsctl_find_run
  echo "$lvsctl_run/reply_route.$1"
}

# lvsctl_reply_route FROM VIA DEV SECONDS makes one. One that nobody ends ends by
# itself: whoever began it may have died. A file says which one it is, so that who
# watches an earlier one leaves it alone. Where there can be none, the change goes
# on without.
lvsctl_reply_route() {
  family=$(lvsctl_family "$1")
  lvsctl_reply_route_end "$1"
  if ! ip "$family" route replace default via "$2" dev "$3" table "$lvsctl_reply_table" ||
    ! ip "$family" rule add from "$1" table "$lvsctl_reply_table" pref "$lvsctl_reply_priority"; then
    lvsctl_reply_route_end "$1"
    printf 'note: no rule for replies from %s can be made: requests that arrive during the change may be lost\n' "$1"
    return 0
  fi
  file=$(lvsctl_reply_file "$1")
  read -r since line </proc/uptime
  { printf '%s\n' "$since" >"$file"; } 2>/dev/null || file=
  (
    trap '' HUP
    n=0
    same() { [ -z "$file" ] || { read -r line <"$file" && [ "$line" = "$since" ]; } 2>/dev/null; }
    while [ "$n" -lt "$4" ] && same && ip "$family" rule show | grep -q "from $1 lookup $lvsctl_reply_table"; do
      sleep 1
      n=$((n + 1))
    done
    if same; then lvsctl_reply_route_end "$1"; fi
  ) </dev/null >/dev/null 2>&1 9>&- &
}

# lvsctl_reply_route_end FROM takes it away.
lvsctl_reply_route_end() {
  family=$(lvsctl_family "$1")
  rm -f "$(lvsctl_reply_file "$1")" 2>/dev/null || :
  while ip "$family" rule del from "$1" table "$lvsctl_reply_table" pref "$lvsctl_reply_priority" 2>/dev/null; do :; done
  ip "$family" rule show | grep -q "^$lvsctl_reply_priority:" || ip "$family" route flush table "$lvsctl_reply_table" 2>/dev/null || :
}

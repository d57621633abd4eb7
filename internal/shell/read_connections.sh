# lvsctl_read_connections prints the table with each server's weight, persistent
# clients, and active and inactive connections.
lvsctl_read_connections() { if lvsctl_has_table; then ipvsadm -L -n --persistent-conn; fi; }

# lvsctl_read_clients ADDRESS... prints who has open connections to real servers, the
# most first and twenty lines at most: COUNT PROTOCOL SERVICE SERVER CLIENT. A TCP
# connection is open while it is ESTABLISHED, others while they are there; NONE is a
# client that persists.
lvsctl_read_clients() {
  lvsctl_has_table || return 0
  ipvsadm -L -n -c | while read -r protocol _ state client virtual server _; do
    case "$protocol $state" in *' NONE') continue ;; 'TCP ESTABLISHED') ;; 'TCP '*) continue ;; esac
    for address in "$@"; do
      case $server in "$address":*|"[$address]":*) printf '%s %s %s %s\n' "$protocol" "$virtual" "$server" "${client%:*}" ;; esac
    done
  done | sort | uniq -c | sort -k 1,1nr -k 2 | head -n 20
}

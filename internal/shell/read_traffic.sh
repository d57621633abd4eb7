# lvsctl_read_clock prints how many seconds ago the node was booted: "12.34".
lvsctl_read_clock() {
  read -r l </proc/uptime || return
  printf '%s\n' "${l%% *}"
}

# lvsctl_read_listing prints the table with weights and connections.
lvsctl_read_listing() { if lvsctl_has_table; then ipvsadm -L -n; fi; }

# lvsctl_read_counters prints what each service and server has had since it was made:
# connections, packets and bytes.
lvsctl_read_counters() { if lvsctl_has_table; then ipvsadm -L -n --stats --exact; fi; }

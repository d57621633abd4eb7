# The file /proc/net/ip_vs is there exactly while ip_vs is loaded, and ipvsadm must not
# be run before: every call of it loads the module.
lvsctl_has_table() { [ -e /proc/net/ip_vs ] && command -v ipvsadm >/dev/null; }

# lvsctl_read_table prints the table, or unreadable where it has entries and there is
# no ipvsadm.
lvsctl_read_table() {
  if lvsctl_has_table; then
    ipvsadm -S -n
  elif [ -e /proc/net/ip_vs ] && lvsctl_has_entries; then
    printf 'unreadable\n'
  fi
}

# lvsctl_has_entries looks past the first three lines, which are headers.
lvsctl_has_entries() { { read -r l && read -r l && read -r l && read -r l; } </proc/net/ip_vs; }

# lvsctl_read_thresholds prints what -S leaves out of the servers.
lvsctl_read_thresholds() { if lvsctl_has_table && lvsctl_has_entries; then ipvsadm -L -n --thresholds; fi; }

lvsctl_read_timeouts() { if lvsctl_has_table; then ipvsadm -L --timeout; fi; }

# lvsctl_read_daemons prints the synchronisation daemons, and for an ipvsadm that
# cannot list a backup daemon whether its kernel thread runs (ipvs-b:GENERATION:ID, 0
# outside of containers; ipvs_syncbackup in 2.6).
lvsctl_read_daemons() {
  lvsctl_has_table || return 0
  ipvsadm -L --daemon
  case $(ipvsadm --version) in *' v1.2'[4567]' '*)
    for f in /proc/[0-9]*/stat; do
      { read -r name <"$f"; } 2>/dev/null || continue
      case $name in *'(ipvs-b:0:'*|*'(ipvs_syncbackup)'*) printf 'backup sync daemon\n'; break ;; esac
    done
  esac
}

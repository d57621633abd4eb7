# lvsctl_read_sysctls FILE... prints PATH:VALUE lines of the keys that roles deal in,
# on every interface, and of those named; a key that is not there has none.
lvsctl_read_sysctls() {
  set -- /proc/sys/net/ipv4/ip_forward "$@"
  for k in accept_redirects arp_announce arp_ignore forwarding rp_filter send_redirects; do
    set -- "$@" /proc/sys/net/ipv4/conf/*/"$k"
  done
  for k in accept_ra forwarding; do
    set -- "$@" /proc/sys/net/ipv6/conf/*/"$k"
  done
  for f in /proc/sys/net/ipv4/vs/*; do
    if [ -r "$f" ]; then set -- "$@" "$f"; fi
  done
  lvsctl_grep_sysctls "$@"
}

# lvsctl_grep_sysctls FILE... reads them by one grep: a node may have hundreds of
# interfaces. The shell itself cannot: dash reads a byte at a time, and a file below
# /proc/sys gives its value to the first read only (proc_dointvec, kernel/sysctl.c).
lvsctl_grep_sysctls() { grep '' /dev/null "$@" 2>/dev/null || :; }

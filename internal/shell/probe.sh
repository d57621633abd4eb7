# lvsctl_probe asks whether the default gateways the node has answer, and prints
# GATEWAY up or GATEWAY down. Without ping there is nothing to compare.
lvsctl_probe() {
  lvsctl_say probes
  command -v ping >/dev/null || return 0
  ip -4 route show default | while read -r _ via g rest; do
    [ "$via" = via ] || continue
    if ping -c 1 -W 1 "$g" >/dev/null 2>&1; then printf '%s up\n' "$g"; else printf '%s down\n' "$g"; fi
  done
}

# lvsctl_probe_again GATEWAY... prints those that do not answer.
lvsctl_probe_again() {
  lvsctl_say probes
  for g in "$@"; do
    ping -c 1 -W 2 "$g" >/dev/null 2>&1 || printf '%s\n' "$g"
  done
}

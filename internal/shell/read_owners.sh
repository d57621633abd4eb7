# lvsctl_read_owners prints who else may change the IPVS table of this network:
# running programs, and devices that such programs leave. keepalived counts where its
# configuration has virtual servers, or includes what may have.
lvsctl_read_owners() {
  for f in /proc/[0-9]*/comm; do
    { read -r c <"$f"; } 2>/dev/null || continue
    case $c in keepalived|ldirectord|kube-proxy|kube-router|seesaw_engine|seesaw_ncc|pybal|nanny|surealived) ;; *) continue ;; esac
    n=${f%/comm}/ns/net
    # shellcheck disable=SC3013 # every shell has -ef
    if [ -e "$n" ] && ! [ "$n" -ef /proc/self/ns/net ]; then continue; fi
    if [ "$c" = keepalived ] && [ -r /etc/keepalived/keepalived.conf ] &&
      ! grep -q -E '^[[:space:]]*(virtual_server|include)' /etc/keepalived/keepalived.conf; then continue; fi
    printf '%s\n' "$c"
  done
  if [ -e /sys/class/net/kube-ipvs0 ]; then printf 'kube-proxy\n'; fi
  if [ -e /sys/class/net/kube-dummy-if ]; then printf 'kube-router\n'; fi
  if [ -e /run/docker/netns/ingress_sbox ]; then printf 'docker swarm\n'; fi
}

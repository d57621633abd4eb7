# For servers that mode dr is to reach, or reached until now. The kernel keeps one
# route a server, whatever the method (ip_vs_dest.dest_dst), and for some time both
# methods are at work, one for old connections. If a packet of the other method is
# the first to look the route up after the change, the route lacks the next hop
# that dr needs (FLOWI_FLAG_KNOWN_NH, __ip_vs_get_out_rt,
# net/netfilter/ipvs/ip_vs_xmit.c), and dr asks the link for the VIP, which nobody
# there may answer for.

# lvsctl_refresh_route VIP notes a VIP whose servers' routes may be such.
lvsctl_refresh_route() { lvsctl_vips="${lvsctl_vips-} $1"; }

# lvsctl_refresh_routes comes once all servers are changed. It watches for such
# questions and makes the kernel look its routes up anew. In between no ICMP error
# goes out: the clients that were caught try again and are served.
lvsctl_refresh_routes() (
  [ -n "${lvsctl_vips-}" ] || return 0
  lvsctl_give_back_at_end
  lvsctl_borrow /proc/sys/net/ipv4/icmp_ratelimit 2147483647 2>/dev/null
  clean=0 tries=0
  while [ "$clean" -lt 3 ]; do
    lvsctl_put_off
    sleep 1
    clean=$((clean + 1))
    for vip in $lvsctl_vips; do
      ip neigh show to "$vip" | while read -r address dev name rest; do
        case $rest in *INCOMPLETE*|*FAILED*) ip neigh del "$address" dev "$name" && exit 7 ;; esac
      done
      if [ "$?" -eq 7 ] && [ "$tries" -lt 10 ]; then
        echo 1 >/proc/sys/net/ipv4/route/flush
        clean=0 tries=$((tries + 1))
      fi
    done
  done
)

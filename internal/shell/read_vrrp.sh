# What on a node keeps VRRP or keepalived's checks from working.

# lvsctl_read_vrrp DEV|+DEV... prints a line for each thing that does. With + the
# directors do not hear each other on a device, but are in fault without it. Nothing is
# loaded by asking: a firewall that is not there is not asked.
#
#	down eth0
#	firewall firewalld
#	firewall nftables
#	selinux
lvsctl_read_vrrp() {
  for d; do
    d=${d#+} c=''
    [ -e "/sys/class/net/$d" ] || continue
    { read -r c <"/sys/class/net/$d/carrier"; } 2>/dev/null # cannot be read of one that is set down
    if [ "$c" != 1 ]; then printf 'down %s\n' "$d"; fi
  done
  if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
    for d; do
      case $d in +*) continue ;; esac
      if lvsctl_firewalld_drops "$d"; then printf 'firewall firewalld\n'; break; fi
    done
  else
    # The chain's policy, or its last rule, decides about what no rule knows.
    if [ -d /sys/module/nf_tables ] && command -v nft >/dev/null &&
      nft list ruleset 2>/dev/null | awk '
        /^[ \t]*chain / { inside = 0 }
        /hook input/ { inside = 1; if (/policy drop/) drops = 1 }
        inside && /^[ \t]*(counter packets [0-9]+ bytes [0-9]+ )?(drop|reject)/ { drops = 1 }
        /(protocol|l4proto)[^;]*(vrrp|112)/ && /accept/ { passes = 1 }
        END { exit !(drops && !passes) }'; then printf 'firewall nftables\n'; fi
    if grep -q '^filter$' /proc/net/ip_tables_names 2>/dev/null && command -v iptables >/dev/null &&
      iptables -S INPUT 2>/dev/null | awk '
        /^-P INPUT DROP/ || /^-A INPUT -j (DROP|REJECT)/ { drops = 1 }
        /-p (vrrp|112) / && /-j ACCEPT/ { passes = 1 }
        END { exit !(drops && !passes) }'; then printf 'firewall iptables\n'; fi
  fi
  on=''
  { read -r on </sys/fs/selinux/enforce; } 2>/dev/null
  if [ "$on" = 1 ] && command -v getsebool >/dev/null; then
    case $(getsebool keepalived_connect_any 2>/dev/null) in *off) printf 'selinux\n' ;; esac
  fi
  return 0
}

# lvsctl_firewalld_drops DEV reports whether firewalld lets no VRRP in on a device.
lvsctl_firewalld_drops() {
  zone=$(firewall-cmd --get-zone-of-interface="$1" 2>/dev/null) || zone=$(firewall-cmd --get-default-zone 2>/dev/null)
  case "$(firewall-cmd --zone="$zone" --list-all 2>/dev/null; firewall-cmd --direct --get-all-rules 2>/dev/null)" in
  *'target: ACCEPT'*|*vrrp*|*' 112 '*) return 1 ;;
  esac
  return 0
}

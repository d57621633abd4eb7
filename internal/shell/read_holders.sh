# Who else may give this node an address, found by what they hold.

# What looks like an address, to awk: none of its {}, which old ones do not know.
lvsctl_find_addresses='
function addresses(who, line,    a) {
  while (match(line, /[0-9A-Fa-f:]*[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*/)) {
    a = substr(line, RSTART, RLENGTH)
    line = substr(line, RSTART + RLENGTH)
    if (length(a) > 2 && !((who, a) in seen)) { seen[who, a] = 1; printf "%s\t%s\n", who, a }
  }
}'

# lvsctl_read_holders prints a line for each address that somebody else names: who, a tab,
# and the address as it is written there:
#
#	kube-vip	10.0.0.100
#	keepalived (/etc/keepalived/conf.d/web.conf)	10.0.0.101
#	vrrpd	VRRP
#
# It looks at the programs of this network that may change addresses (CAP_NET_ADMIN) and
# that no terminal has started: at their arguments, their environment and the files that
# their arguments name. Of those that speak VRRP, or are known to move addresses, it reads
# the configuration too; VRRP stands for one whose configuration is not found. What lvsctl
# has written is left out, and nothing but addresses leaves the node. What cannot be read
# is passed over: all of this is for a warning.
lvsctl_read_holders() (
  admins=$(lvsctl_net_admins)
  [ -n "$admins" ] || return 0
  speakers=" $(lvsctl_vrrp_sockets) "
  printf '%s\n' "$admins" | while read -r pid name; do
    printf '\n@ %s\n' "$name"
    tr '\000\n' '\n ' <"/proc/$pid/environ"
    arguments=$(tr '\000\n' '\n ' <"/proc/$pid/cmdline")
    printf '\n%s\n' "$arguments"
    printf '%s\n' "$arguments" | while IFS= read -r word; do
      case $word in *=/*) word=/${word#*=/} ;; -[A-Za-z]/*) word=${word#-?} ;; esac
      case $word in /dev/*|/proc/*|/sys/*|/run/*) continue ;; /*) ;; *) continue ;; esac
      if [ -f "$word" ] && ! [ -x "$word" ]; then find -L "$word" -prune -size -2048; fi
    done | sed 's/^/% file /'
    case $name in
      keepalived|ucarp|vrrpd|ldirectord|heartbeat|corosync|pacemaker*|vip-manager|seesaw*|surealived|pybal) ;;
      *)
        vrrp=
        if [ "$speakers" != '  ' ]; then
          for fd in "/proc/$pid/fd"/*; do
            fd=$(readlink "$fd")
            case $speakers in *" $fd "*) vrrp=1; break ;; esac
          done
        fi
        [ -n "$vrrp" ] || continue
        printf '%% speaker\n'
        ;;
    esac
    lvsctl_configuration "$name" | sed 's/^/% file /'
  done 2>/dev/null | awk "$lvsctl_find_addresses"'
/^@ / { ended(); who = substr($0, 3); files = speaker = 0; next }
/^% speaker$/ { speaker = 1; next }
/^% file / { read_file(substr($0, 8)); next }
{ addresses(who, $0) }
function ended() { if (speaker && !files) printf "%s\tVRRP\n", who }
function read_file(f,    line, ours, n) {
  while (n++ < 100000 && (getline line <f) > 0) {
    files = 1
    if (n == 1 && line ~ /Managed by lvsctl/) break
    if (line ~ /^# BEGIN lvsctl /) ours = 1
    if (!ours) addresses(who " (" f ")", line)
    if (line ~ /^# END lvsctl /) ours = 0
  }
  close(f)
}
END { ended() }' || :
)

# lvsctl_net_admins prints number and name of each process of this network that may
# change addresses, runs a program and has no terminal. Most fall out by what costs
# least to ask: the kernel's own have no program.
lvsctl_net_admins() {
  set --
  for p in /proc/[0-9]*; do
    # shellcheck disable=SC3013 # every shell has -ef
    if [ -e "$p/exe" ] && [ "$p/ns/net" -ef /proc/self/ns/net ]; then set -- "$@" "$p/status"; fi
  done
  grep -H '^CapEff:' /dev/null "$@" 2>/dev/null | while IFS='	' read -r file capabilities; do
    # Bit 12 is the lowest of the fourth digit from the right (linux/capability.h).
    case $capabilities in *[13579bdf]???) ;; *) continue ;; esac
    p=${file%/status*}
    { read -r stat <"$p/stat" && read -r name <"$p/comm"; } 2>/dev/null || continue
    # shellcheck disable=SC2086 # its words: state, parent, group, session, terminal
    set -- ${stat##*) }
    if [ "$5" != 0 ]; then continue; fi
    # These only listen on an address, or carry somebody's session.
    case $name in dnsmasq|docker-proxy|haproxy|nginx|sshd*|sh|bash|dash|ash|sudo) continue ;; esac
    printf '%s %s\n' "${p#/proc/}" "$name"
  done
}

# lvsctl_vrrp_sockets prints the sockets that VRRP comes in by, as /proc/PID/fd has them.
# VRRP is protocol 112, hexadecimal 70 (proc(5), /proc/net/raw).
lvsctl_vrrp_sockets() {
  for f in /proc/net/raw /proc/net/raw6; do
    [ -r "$f" ] || continue
    while read -r slot here there state queues timer again user waits inode rest; do
      case $here in *:0070) printf 'socket:[%s] ' "$inode" ;; esac
    done <"$f"
  done
}

# lvsctl_configuration NAME prints the files that a program of that name is configured by.
lvsctl_configuration() {
  case $1 in
    keepalived) set -- /etc/keepalived ;;
    vrrpd|zebra) set -- /etc/frr /etc/quagga /etc/default/vrrpd ;;
    ldirectord|heartbeat) set -- /etc/ha.d /etc/ldirectord.cf ;;
    corosync|pacemaker*) set -- /var/lib/pacemaker/cib/cib.xml /var/lib/heartbeat/crm/cib.xml ;;
    seesaw*) set -- /etc/seesaw ;;
    *) set -- "/etc/$1" "/etc/$1.conf" "/etc/default/$1" "/etc/conf.d/$1" ;;
  esac
  find -L "$@" -type f -size -2048 2>/dev/null
  if [ "$1" = /etc/keepalived ]; then
    cd "$1" && sed -n 's/^[[:space:]]*include[a-z]*[[:space:]]*//p' -- *.conf */*.conf 2>/dev/null | while read -r pattern; do
      # shellcheck disable=SC2086 # a pattern
      for f in $pattern; do if [ -f "$f" ]; then case $f in /*) printf '%s\n' "$f" ;; *) printf '%s\n' "$PWD/$f" ;; esac; fi; done
    done
  fi
}

# What ip knows of links, addresses, routes and rules.

# lvsctl_read_ip PART prints one part, a line each:
#
#	links
#	addresses4, addresses6
#	routes4, routes6        of the table main
#	policies4, policies6    the rules and, where there are more than the kernel's own,
#	                        the word tables and the routes of all tables; and, where a
#	                        rule is for VRFs, the word vrfs and those
#
# Starting ip takes longer than what it does: it loads a dozen libraries. So one process
# reads all parts of a family, for lvsctl_begin_ip or the first of them. Where ip knows
# no -batch (busybox), or something fails, each part is read by itself.
lvsctl_read_ip() {
  [ -n "${lvsctl_ip4+begun}" ] || lvsctl_begin_ip
  case $1 in *6) lvsctl_lines=$lvsctl_ip6 ;; *) lvsctl_lines=$lvsctl_ip4 ;; esac
  case $1 in
    policies*) lvsctl_read_policies "-${1#policies}" ;;
    *) lvsctl_ip_part "$1" ;;
  esac
}

# lvsctl_begin_ip begins to read anew, and fails where ip knows no -batch.
lvsctl_begin_ip() {
  lvsctl_ip6=$(lvsctl_ip_batch -6) || lvsctl_ip6=''
  lvsctl_ip4=$(lvsctl_ip_batch -4 'link show') || { lvsctl_ip4=''; return 1; }
}

# lvsctl_ip_batch -4|-6 [LINKS] prints all parts. Links are last: an old ip leaves the
# family for them, and does not come back to it.
lvsctl_ip_batch() {
  printf 'rule show\naddr show\nroute show table main\n%s\n' "${2-}" | ip -o "$1" -batch - 2>/dev/null
}

# lvsctl_ip_part PART prints a part's lines, and those of a family's rules for policies.
lvsctl_ip_part() {
  if [ -z "$lvsctl_lines" ]; then
    case $1 in
      links) ip -o link show ;;
      addresses*) ip -o "-${1#addresses}" addr show ;;
      routes*) ip -o "-${1#routes}" route show table main ;;
      policies*) ip "-${1#policies}" rule show 2>/dev/null ;;
    esac
    return
  fi
  IFS='
'
  set -f
  for line in $lvsctl_lines; do
    # 0:<tab>from all lookup local
    # 2: eth0    inet 10.0.0.1/24 scope global eth0
    # 2: eth0: <BROADCAST,UP> mtu 1500
    case ${line%%:*} in
      *[!0-9]*) part=routes ;;
      *)
        case ${line#*:} in
          '	'*) part=policies ;;
          ' '*': <'*) part=links ;;
          ' '*) part=addresses ;;
          *) part=routes ;;
        esac
        ;;
    esac
    case $1 in "$part"*) printf '%s\n' "$line" ;; esac
  done
  set +f
  unset IFS
}

# lvsctl_read_policies -4|-6 prints the policies. A kernel without
# CONFIG_IP_MULTIPLE_TABLES has no rules, and busybox may have no applet for them: then
# there is the main table alone.
lvsctl_read_policies() {
  rules=$(lvsctl_ip_part "policies${1#-}") || return 0
  printf '%s\n' "$rules"
  lvsctl_own_rules "$rules" && return 0
  printf 'tables\n'
  ip -o "$1" route show table all || return
  case $rules in *l3mdev*)
    printf 'vrfs\n'
    ip -o -d link show type vrf
  esac
}

# lvsctl_own_rules RULES reports whether there are none but the kernel's own. Old ip ends
# each with a blank.
lvsctl_own_rules() {
  own=0
  IFS='
'
  set -f
  for rule in $1; do
    case $rule in
      *'from all lookup local'|*'from all lookup main'|*'from all lookup default') ;;
      *'from all lookup local '|*'from all lookup main '|*'from all lookup default ') ;;
      *) own=1 ;;
    esac
  done
  set +f
  unset IFS
  return "$own"
}

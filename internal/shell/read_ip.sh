# lvsctl_read_policies -4|-6 prints the rules of a family and, where there are more
# than the kernel's own, the routes of all tables; and, where a rule is for VRFs,
# those. A kernel without CONFIG_IP_MULTIPLE_TABLES has no rules, and busybox may have
# no applet for them: then there is the main table alone.
lvsctl_read_policies() {
  rules=$(ip "$1" rule show 2>/dev/null) || return 0
  printf '%s\n' "$rules"
  own=$(printf '%s\n' "$rules" | grep -cv 'from all lookup \(local\|main\|default\) *$') || return 0
  [ "$own" -gt 0 ] || return 0
  printf 'tables\n'
  ip -o "$1" route show table all || return
  case $rules in *l3mdev*)
    printf 'vrfs\n'
    ip -o -d link show type vrf
  esac
}

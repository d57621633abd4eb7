# lvsctl_add_address PREFIX DEV adds an IPv6 address that is usable at once (nodad) and
# nobody's source (preferred_lft 0): the newest one would otherwise become that of the
# node's own traffic. busybox's ip knows no nodad: where the device needs it, the address
# is usable once the kernel has found no duplicate, which takes about a second.
lvsctl_add_address() {
  ip -6 addr add "$1" dev "$2" nodad preferred_lft 0 2>/dev/null || ip -6 addr add "$1" dev "$2" preferred_lft 0
}

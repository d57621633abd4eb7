# lvsctl_mute_icmp LIMIT COMMAND... runs a command while the node sends no ICMP
# errors: LIMIT is the file of their rate limit. Where the limit cannot be borrowed
# the command runs all the same. lvsctl_limit, if set, is put before it.
#
# A service that changes its scheduler has none for a moment (ip_vs_edit_service
# unbinds the old one and waits for an RCU grace period). Clients that connect just
# then would be refused by an ICMP message; without it they try again a second
# later and are served. Path-MTU messages are exempt from this limit
# (icmpv4_mask_allow, net/ipv4/icmp.c).
lvsctl_mute_icmp() (
  lvsctl_give_back_at_end
  lvsctl_borrow "$1" 2147483647 2>/dev/null
  shift
  # shellcheck disable=SC2086 # several words, or none
  ${lvsctl_limit-} "$@"
)

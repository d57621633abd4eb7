# lvsctl_restore_server ARGUMENT... gives a server that was quiesced, and perhaps
# removed, what ipvsadm -a would give it: it may be there still, with no weight.
# lvsctl_limit, if set, is put before ipvsadm.
lvsctl_restore_server() {
  # shellcheck disable=SC2086 # several words, or none
  ${lvsctl_limit-} ipvsadm -e "$@" 2>/dev/null || ${lvsctl_limit-} ipvsadm -a "$@"
}

# lvsctl_mend_server ARGUMENT... sets a server's entry if it is there; keepalived may
# have taken it out.
lvsctl_mend_server() {
  ipvsadm -e "$@" 2>/dev/null
  return 0
}

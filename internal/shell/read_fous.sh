# lvsctl_read_fous prints the UDP ports at which the kernel takes packets off. Without its
# module there are none, and asking could load it. busybox's ip and old ones know none.
lvsctl_read_fous() {
  if [ -n "$(lvsctl_read_modules fou /sys/module/fou)" ]; then ip fou show 2>/dev/null || return 0; fi
}

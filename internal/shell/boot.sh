# What the boot script of a topology calls. A node keeps that script.

# lvsctl_is_up DEV reports whether a device is up.
lvsctl_is_up() {
  case $(ip -o link show dev "$1") in *[\<,]UP[,\>]*) return 0 ;; esac
  return 1
}

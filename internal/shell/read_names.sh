# lvsctl_read_packages COMMAND... prints the package manager, then each wanted
# command that is there.
lvsctl_read_packages() {
  for m in apt-get dnf yum zypper apk; do
    if command -v "$m" >/dev/null; then printf 'manager %s\n' "$m"; break; fi
  done
  for c in "$@"; do
    if command -v "$c" >/dev/null; then printf '%s\n' "$c"; fi
  done
}

# lvsctl_read_modules NAME SIGN... prints the names of those modules whose sign is
# there. modprobe is not run: even asking ipvsadm for its version would load ip_vs.
lvsctl_read_modules() {
  lvsctl_find_release
  while [ $# -gt 1 ]; do
    if [ -e "$2" ] || grep -q "/$1\.ko" "/lib/modules/$lvsctl_release/modules.builtin" 2>/dev/null; then printf '%s\n' "$1"; fi
    shift 2
  done
}

# lvsctl_read_units NAME... prints what starts the node's services, then those of the
# named that start at boot.
lvsctl_read_units() {
  if [ -d /run/systemd/system ]; then printf 'init systemd\n'
  elif [ -d /run/openrc ] && command -v rc-update >/dev/null; then printf 'init openrc\n'
  elif command -v chkconfig >/dev/null; then printf 'init chkconfig\n'
  elif command -v update-rc.d >/dev/null; then printf 'init update-rc.d\n'; fi
  for u in "$@"; do
    for l in /etc/systemd/system/*.wants/"$u.service" /etc/rc[35].d/S[0-9][0-9]"$u" \
      /etc/runlevels/sysinit/"$u" /etc/runlevels/boot/"$u" /etc/runlevels/default/"$u" /etc/runlevels/default/*/"$u"; do
      if [ -e "$l" ] || [ -L "$l" ]; then printf '%s\n' "$u"; break; fi
    done
  done
}

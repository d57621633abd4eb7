# lvsctl_read_boot EXPRESSION... -- PATTERN... -- WHOLE... prints what of a node
# decides how things come back at its boot, a line each: a word, then its value. The
# last are lines of files that match a pattern of the shell, after path and number: those
# that one of the extended regular expressions matches, then every line of the files in
# WHOLE, by a process each. Nodes are slow, and files are many.
lvsctl_read_boot() {
  if [ -r /etc/redhat-release ]; then read -r l </etc/redhat-release; printf 'redhat %s\n' "$l"; fi
  if [ -e /etc/sysconfig/network-scripts/ifup-aliases ]; then
    for l in /etc/rc[35].d/S[0-9][0-9]network /etc/rc.d/rc[35].d/S[0-9][0-9]network; do
      if [ -e "$l" ] || [ -L "$l" ]; then printf 'scripts\n'; break; fi
    done
  fi
  if lvsctl_running NetworkManager; then
    printf 'nm %s\n' "$(NetworkManager --version 2>/dev/null)"
    if [ -d /run/systemd/system ] && ! lvsctl_has_dispatcher; then printf 'nodispatcher\n'; fi
  fi
  if lvsctl_running systemd-networkd; then printf 'networkd\n'; fi
  if command -v netplan >/dev/null; then
    for f in /etc/netplan/*.yaml /run/netplan/*.yaml /lib/netplan/*.yaml; do
      if [ -e "$f" ]; then printf 'netplan\n'; break; fi
    done
  fi
  for f in /etc/sysconfig/network-scripts/ifcfg-*:*; do
    if [ -e "$f" ]; then printf 'alias %s\n' "${f#*/ifcfg-}"; fi
  done
  for f in /etc/systemd/system/ipvsadm.service /usr/lib/systemd/system/ipvsadm.service /lib/systemd/system/ipvsadm.service /etc/init.d/ipvsadm; do
    [ -e "$f" ] || continue
    case $(grep -o -E 'sysconfig/ipvsadm|ipvsadm/rules-save' "$f") in
      sysconfig*) printf 'service redhat\n' ;;
      *rules-save*) printf 'service openrc\n' ;;
      *) printf 'service debian\n' ;;
    esac
    break
  done
  if [ -d /run/openrc ]; then lvsctl_read_openrc; fi
  for f in /etc/sysconfig/ipvsadm /etc/ipvsadm.rules /var/lib/ipvsadm/rules-save; do
    [ -r "$f" ] || continue
    rules=$(sed -n -e '/^# BEGIN lvsctl /,/^# END lvsctl /d' -e '/^[^#]/s/^/rule /p' "$f")
    [ -n "$rules" ] || continue
    printf '%s\n' "$rules"
    # A name of a port after an address: those of IPv6 have letters too.
    if grep -q -E '(\.[0-9a-fx]+|\]|[g-zG-Z][^:[:space:]]*):[[:alpha:]]' "$f"; then sed -n 's/^[[:alpha:]]/services &/p' /etc/services 2>/dev/null; fi
  done
  for f in /etc/rc.d/rc.local /etc/rc.local; do
    if [ -f "$f" ] && [ -x "$f" ]; then printf 'rclocal %s\n' "$f"; break; fi
  done
  if [ -e /sbin/ifup-local ] && ! [ -x /sbin/ifup-local ]; then printf 'nolocal\n'; fi
  lvsctl_grep_boot "$@"
}

# lvsctl_read_openrc prints which of OpenRC's services are there that read the files of
# modules and kernel parameters, that none runs ifup at boot, and that ipvsadm-restore
# cannot run: it is a program of bash's, which need not be there.
lvsctl_read_openrc() {
  for s in modules sysctl; do
    if [ -e "/etc/init.d/$s" ]; then printf 'openrc %s\n' "$s"; fi
  done
  for l in /etc/runlevels/sysinit /etc/runlevels/boot /etc/runlevels/default /etc/runlevels/default/* none; do
    if [ -e "$l/networking" ]; then break; fi
  done
  if [ "$l" = none ]; then printf 'openrc nonetworking\n'; fi
  if [ -e /etc/init.d/modules ] && ! grep -q modules-load /etc/init.d/modules; then printf 'openrc etcmodules\n'; fi
  l='#!/bin/bash'
  if f=$(command -v ipvsadm-restore); then read -r l <"$f"; fi
  l=${l#'#!'}
  l=${l# }
  if ! [ -x "${l%% *}" ]; then printf 'openrc norestore\n'; fi
}

# lvsctl_has_dispatcher reports whether NetworkManager can have its scripts run: D-Bus
# starts the service that does by its alias, which it has while it is enabled.
lvsctl_has_dispatcher() {
  if [ -c /etc/systemd/system/NetworkManager-dispatcher.service ]; then return 1; fi
  for f in /etc/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
    if [ -e "$f/dbus-org.freedesktop.nm-dispatcher.service" ]; then return 0; fi
  done
  return 1
}

# lvsctl_running NAME reports whether a daemon runs.
lvsctl_running() {
  if [ -d /run/systemd/system ]; then systemctl is-active --quiet "$1" 2>/dev/null; return; fi
  [ -e "/var/run/$1/$1.pid" ]
}

lvsctl_grep_boot() (
  IFS=
  part=1
  whole=
  for word in "$@"; do
    shift
    case $part,$word in
      *,--) part=$((part + 1)) ;;
      1,*) set -- "$@" -e "$word" ;;
      2,*)
        # shellcheck disable=SC2086 # a pattern
        set -- "$@" $word
        ;;
      *) whole="$whole$word
" ;;
    esac
  done
  {
    grep -H -n -E "$@"
    IFS='
'
    # shellcheck disable=SC2086 # patterns
    set -- $whole
    for first in "$@"; do [ ! -e "$first" ] || break; done
    if [ -e "$first" ]; then grep -H -n '' "$@"; fi
  } 2>/dev/null || :
)

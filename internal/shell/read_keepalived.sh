# What is known of keepalived.

# lvsctl_read_keepalived FILE [version] prints it:
#
#	version Keepalived v2.2.7 (01/16,2022)
#	os rocky 9.3 rhel centos fedora
#	parent 4711
#	loaded
#	 vrrp_instance pair {
#	file -rw------- 1 0 0 42 Nov 21 09:00 /etc/keepalived/keepalived.conf
#	 # Managed by lvsctl. Changes are overwritten.
#	before -rw-r--r-- 1 0 0 42 Nov 20 09:00 /etc/keepalived/keepalived.conf.before-lvsctl
#	 global_defs {
#	fresh
#
# What is loaded can be read from 2.2.0 on. fresh says that the file was there before
# keepalived was started. A version costs a process that loads dozens of libraries: of a
# keepalived that does not run it is printed only where "version" asks for it.
lvsctl_read_keepalived() {
  # shellcheck disable=SC2046 # words
  parent=$(lvsctl_first $(lvsctl_keepaliveds))
  if [ -n "$parent$2" ] && command -v keepalived >/dev/null; then
    keepalived -v 2>&1 | { read -r l; printf 'version %s\n' "$l"; }
  fi
  lvsctl_read_os
  if [ -n "$parent" ]; then
    printf 'parent %s\n' "$parent"
    for f in "/proc/$parent/fd"/*; do
      case $(readlink "$f" 2>/dev/null) in
      */keepalived/consolidated_configuration*) printf 'loaded\n'; awk '{ print " " $0 }' "$f"; break ;;
      esac
    done
  fi
  if [ -f "$1" ]; then
    printf 'file '; ls -ldn "$1"; awk '{ print " " $0 }' "$1" || return
    if [ -n "$parent" ] && lvsctl_older "$1" "$parent"; then printf 'fresh\n'; fi
  fi
  if [ -f "$1.before-lvsctl" ]; then
    printf 'before '; ls -ldn "$1.before-lvsctl"; awk '{ print " " $0 }' "$1.before-lvsctl" || return
  fi
}

# lvsctl_read_os prints the distribution, its release and what it is like.
lvsctl_read_os() {
  if [ -r /etc/os-release ]; then
    # shellcheck disable=SC1091,SC2154 # the node's own
    (. /etc/os-release; printf 'os %s %s %s\n' "$ID" "${VERSION_ID:--}" "${ID_LIKE-}")
  elif [ -r /etc/redhat-release ]; then # EL6
    sed -n 's/.* release \([0-9][0-9.]*\).*/os centos \1 rhel/p' /etc/redhat-release
  fi
}

# lvsctl_older FILE PID reports whether a file was last written before a process
# started, which is counted in hundredths of a second since boot.
lvsctl_older() {
  written=$(date -r "$1" +%s 2>/dev/null) && lvsctl_started "$2" || return 1
  boot=$(awk '$1 == "btime" { print $2 }' /proc/stat)
  [ "$written" -lt "$((boot + lvsctl_start / 100))" ]
}

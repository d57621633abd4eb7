# lvsctl_read_facts prints NAME=VALUE lines. busybox's ip does not know -V and fails.
# sudo takes SSH_CONNECTION away; the environment that sudo itself was started with,
# our parent's, still has it.
lvsctl_read_facts() {
  lvsctl_find_release
  printf 'kernel=%s\n' "$lvsctl_release"
  if [ -w /proc/sys/net/ipv4/ip_forward ]; then printf 'root=1\n'; fi
  if ! lvsctl_begin_ip && ! ip -V >/dev/null 2>&1; then printf 'busybox=1\n'; fi
  ssh=${SSH_CONNECTION-}
  if [ -z "$ssh" ]; then ssh=$(tr '\0' '\n' <"/proc/$PPID/environ" | sed -n 's/^SSH_CONNECTION=//p'); fi 2>/dev/null
  printf 'ssh=%s\n' "$ssh"
}

# lvsctl_read_schedulers NAME... prints those that the kernel has.
lvsctl_read_schedulers() {
  for s in "$@"; do
    if lvsctl_has_module "ip_vs_$s"; then printf '%s\n' "$s"; fi
  done
}

# lvsctl_has_module NAME is true if the kernel has it, without loading anything: versions
# do not tell, distributions leave some out. modprobe knows, but busybox's and toybox's has
# no -n; then the lists that depmod made do. Where there are neither nobody can tell, and
# the apply will.
lvsctl_has_module() {
  lvsctl_find_release
  m=/lib/modules/$lvsctl_release
  [ -e "/sys/module/$1" ] || ! command -v modprobe >/dev/null || modprobe -n -q "$1" 2>/dev/null ||
    ! [ -r "$m/modules.dep" ] || grep -q "/$1\.ko" "$m/modules.dep" "$m/modules.builtin" 2>/dev/null
}

# lvsctl_read_can WHAT... prints those of a few abilities that the node has:
#
#   tun-type  ipvsadm knows that option, or is not there yet. It is looked for in the program:
#             every call of it loads ip_vs.
#   ip-fou    ip has the object fou
#   NAME      any other word: the kernel has that module
lvsctl_read_can() {
  for c in "$@"; do
    case $c in
      tun-type) ! p=$(command -v ipvsadm) || grep -q tun-type "$p" || continue ;;
      ip-fou) ip fou help 2>&1 | grep -q 'fou add' || continue ;;
      *) lvsctl_has_module "$c" || continue ;;
    esac
    printf '%s\n' "$c"
  done
}

# lvsctl_read_facts prints NAME=VALUE lines. busybox's ip does not know -V and fails.
# sudo takes SSH_CONNECTION away; the environment that sudo itself was started with,
# our parent's, still has it.
lvsctl_read_facts() {
  { read -r l l kernel l </proc/version; } 2>/dev/null || kernel=$(uname -r)
  printf 'kernel=%s\n' "$kernel"
  if [ -w /proc/sys/net/ipv4/ip_forward ]; then printf 'root=1\n'; fi
  if ! ip -V >/dev/null 2>&1; then printf 'busybox=1\n'; fi
  ssh=${SSH_CONNECTION-}
  if [ -z "$ssh" ]; then ssh=$(tr '\0' '\n' <"/proc/$PPID/environ" | sed -n 's/^SSH_CONNECTION=//p'); fi 2>/dev/null
  printf 'ssh=%s\n' "$ssh"
}

# lvsctl_read_schedulers NAME... prints those that the kernel has, without loading
# anything: versions do not tell, distributions leave some out. modprobe knows, but
# busybox's and toybox's has no -n; then the lists that depmod made do. Where there are
# neither nobody can tell, and the apply will.
lvsctl_read_schedulers() {
  m=/lib/modules/$(uname -r)
  for s in "$@"; do
    if [ -e "/sys/module/ip_vs_$s" ] || ! command -v modprobe >/dev/null || modprobe -n -q "ip_vs_$s" 2>/dev/null ||
      ! [ -r "$m/modules.dep" ] || grep -q "/ip_vs_$s\.ko" "$m/modules.dep" "$m/modules.builtin" 2>/dev/null; then printf '%s\n' "$s"; fi
  done
}

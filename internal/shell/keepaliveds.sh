# Which processes are keepalived's.

# lvsctl_keepaliveds prints keepalived's processes in this network, the parent first.
# A shared /proc has those of others too.
lvsctl_keepaliveds() {
  lvsctl_parent='' lvsctl_children=''
  for f in /proc/[0-9]*/comm; do
    c=''; { read -r c <"$f"; } 2>/dev/null
    [ "$c" = keepalived ] || continue
    f=${f%/comm}
    # shellcheck disable=SC3013 # every shell has -ef
    [ "$f/ns/net" -ef /proc/self/ns/net ] || continue
    s=''; { read -r s <"$f/stat"; } 2>/dev/null || continue
    s=${s##*) }
    case $s in Z*) continue ;; esac
    s=${s#* } c=''
    { read -r c <"/proc/${s%% *}/comm"; } 2>/dev/null
    if [ "$c" = keepalived ]; then lvsctl_children="$lvsctl_children ${f##*/}"; else lvsctl_parent=${f##*/}; fi
  done
  for p in $lvsctl_parent $lvsctl_children; do printf '%s\n' "$p"; done
}

# lvsctl_holds ADDRESS... prints those that this node answers for: it has them on
# another device than lo.
lvsctl_holds() {
  for a; do
    if ip -o addr show to "$a" | grep -q -v '^[0-9]*: lo '; then printf '%s\n' "$a"; fi
  done
}

# lvsctl_stop_sync ends the daemons that copy the connection table. They are the
# kernel's, and outlive a keepalived that was killed.
lvsctl_stop_sync() {
  ipvsadm --stop-daemon master 2>/dev/null
  ipvsadm --stop-daemon backup 2>/dev/null
  return 0
}

# lvsctl_first prints the first of some words.
lvsctl_first() { if [ "$#" -gt 0 ]; then printf '%s\n' "$1"; fi; }

# lvsctl_announce DEV ADDRESS tells the neighbours by gratuitous ARP that an address
# is here now, where arping is installed; without it their caches learn in time. It
# is left running: the second and third packet are a second apart, and its failing
# is no failure of the change.
lvsctl_announce() {
  command -v arping >/dev/null || return 0
  arping -q -U -c 3 -I "$1" "$2" >/dev/null 2>&1 &
}

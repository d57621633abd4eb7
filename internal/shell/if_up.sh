# ifup runs this after each stanza of a device. It gives the device up at a command
# that fails, such as adding a route or an address that is there already. So
# nothing is set here before ifup is through: after the only stanza of the only
# device that it was called for, or once it has ended. The last that Debian's
# ifup -a runs this for is --all.
now() {
  /bin/sh "$script" network
  exit 0
}
only_stanza() {
  awk -v i="$IFACE" '
$1 == "iface" && ($2 == i || $2 ~ /\//) { n++ }
$1 ~ /^source/ && $2 !~ /interfaces\.d/ { n += 2 }
END { exit n != 1 }' /etc/network/interfaces /etc/network/interfaces.d/* 2>/dev/null
}
# is_ifup WORD... tells ifup's command line from others. LOGICAL is Debian's alone.
is_ifup() {
  case $1 in *busybox*|*python*) LOGICAL=; shift ;; esac
  case $1 in ifup|*/ifup|ifreload|*/ifreload) ;; *) return 1 ;; esac
  shift
  all=
  devices=0
  for w; do
    case $w in -a|--all) all=1 ;; -*) ;; *) devices=$((devices + 1)) ;; esac
  done
}
if [ "$IFACE" = --all ]; then now; fi
set -f
IFS='
'
p=$PPID
# shellcheck disable=SC2046 # a word a line, and no pattern
until is_ifup $(tr '\000' '\n' 2>/dev/null <"/proc/$p/cmdline"); do
  p=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$p/status" 2>/dev/null)
  if [ "${p:-0}" -le 1 ]; then now; fi
done
set +f
if [ -n "$all" ] && [ -n "$LOGICAL" ]; then exit 0; fi
if [ -z "$all" ] && [ "$devices" -eq 1 ] && only_stanza; then now; fi
(
  trap '' HUP
  while [ -d "/proc/$p" ]; do sleep 0.2 2>/dev/null || sleep 1; done
  now
) </dev/null >/dev/null 2>&1 &

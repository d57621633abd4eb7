# Saves the virtual services as ipvsadm-save does, but for those between lvsctl's
# marker lines: their lines stay. A mark is printed as a signed number. The node is
# shutting down: the old file stays whole until the new one is.
f=$(readlink -f /etc/sysconfig/ipvsadm) || exit 1
n=${f%/*}/.lvsctl.new
umask 077
[ -e "$f" ] || : >"$f"
cp -a "$f" "$n" || exit 1
ipvsadm -S -n >"$n.live" || { rm -f "$n" "$n.live"; exit 1; }
awk '
function key() {
  if ($2 != "-f") return $2 " " $3
  return $2 " " sprintf("%.0f", $3 < 0 ? $3 + 4294967296 : $3) ($4 == "-6" ? " -6" : "")
}
FILENAME == ARGV[1] {
  if ($0 ~ /^# BEGIN lvsctl /) inside = 1
  if (inside) {
    own = own $0 "\n"
    if ($1 == "-A") ours[key()] = 1
  }
  if ($0 ~ /^# END lvsctl /) inside = 0
  next
}
!(key() in ours)
END { printf "%s", own }' "$f" "$n.live" >"$n" && sync "$n" && { mv -f "$n" "$f" || cat "$n" >"$f"; }
rm -f "$n" "$n.live"
sync "${f%/*}"

# What the commands of files are made of: functions of the shell, because a
# program's arguments have a limit that a large file exceeds.
#
# A new file takes the old one's place at once, with its owner, mode and SELinux
# context (cp -a); where it cannot, because the file is a mount of its own
# (containers), it is written over. Its name until then begins with a dot: no system
# takes such a file for configuration.

# lvsctl_put puts the new file $n in the place of $f and ends the subshell.
lvsctl_put() {
  lvsctl_sync "$n" || { rm -f "$n"; exit 1; }
  mv -f "$n" "$f" 2>/dev/null || { cat "$n" >"$f" && lvsctl_sync "$f" && rm -f "$n"; } || { rm -f "$n"; exit 1; }
  if command -v restorecon >/dev/null; then restorecon "$f"; fi
  if [ -n "${made-}" ]; then lvsctl_sync_above "$d"; else lvsctl_sync "$d"; fi
  exit
}

# lvsctl_remove takes $f away, and its folder where that is lvsctl's own, and ends
# the subshell.
lvsctl_remove() {
  rm -f "$n" "$f" || exit
  case $f in /etc/lvsctl/*|*.network.d/*|*.service.d/*) rmdir "$d" 2>/dev/null ;; esac
  while [ ! -d "$d" ] && [ -n "$d" ]; do d=${d%/*}; done
  lvsctl_sync "${d:-/}"
  exit
}

# lvsctl_block PATH MODE BEGIN END LINE... takes a block out of a file and puts the
# lines into a new one at the end, if there are any. Everything else stays byte by
# byte; what its begin line says of the file goes to the next block's, if that comes
# right after. Marker lines that do not pair up are nobody's to guess at. MODE is
# that of a file that is not there yet.
lvsctl_block() (
  f=$(readlink -f "$1") && [ -n "$f" ] || f=$1
  m=$2 b=$3 e=$4 made=; shift 4
  d=${f%/*} n=${f%/*}/.lvsctl.new from=$f new=
  if [ -e "$f" ]; then cp -a "$f" "$n" || exit
  else
    [ $# -gt 0 ] || exit 0
    [ -d "$d" ] || { made=1; mkdir -p "$d"; } || exit
    (umask 077; : >"$n") && chmod "$m" "$n" || exit
    from=/dev/null new=1
  fi
  if grep -q -x -F -e "$b (there was no file before this)" "$from"; then new=1; fi
  awk -v b="$b" -v e="$e" -v open="$(tail -c 1 "$from")" '
$0 == b || $0 == b " (there was no newline before this)" || $0 == b " (there was no file before this)" { bad += inside; inside = 1; mark = substr($0, length(b) + 1); next }
$0 == e { bad += !inside; inside = 0; last = 1; next }
!inside { if (last && $0 ~ /^# BEGIN lvsctl [^ ]*$/) $0 = $0 mark; if (n++) printf "\n"; printf "%s", $0; last = 0 }
END { if (inside || bad) exit 9; if (n && (last ? mark != " (there was no newline before this)" : open == "")) printf "\n" }' "$from" >"$n" ||
  { case $? in 9) echo "the lines \"$b\" and \"$e\" in $f do not pair up" >&2 ;; esac; rm -f "$n"; exit 1; }
  if [ $# -gt 0 ]; then
    if [ -n "$(tail -c 1 "$n")" ]; then b="$b (there was no newline before this)"; echo >>"$n"
    elif [ -n "$new" ]; then b="$b (there was no file before this)"; fi
    printf '%s\n' "$b" "$@" "$e" >>"$n" || { rm -f "$n"; exit 1; }
  elif [ -n "$new" ] && ! [ -s "$n" ]; then lvsctl_remove; fi
  lvsctl_put
)

# lvsctl_file PATH MODE LINE... writes a whole file of root's, or removes it.
lvsctl_file() (
  f=$1 m=$2 made=; shift 2
  d=${f%/*} n=${f%/*}/.lvsctl.new
  if [ $# -eq 0 ]; then lvsctl_remove; fi
  [ -d "$d" ] || { made=1; mkdir -p "$d"; } || exit
  { (umask 077; printf '%s\n' "$@" >"$n") && chown 0:0 "$n" && chmod "$m" "$n"; } || { rm -f "$n"; exit 1; }
  lvsctl_put
)

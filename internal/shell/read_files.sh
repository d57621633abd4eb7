# Files are asked for by patterns of the shell, which it fills in here: one after the
# other takes its own place among the arguments. No blank parts a pattern.

# lvsctl_read_files PATTERN... prints each file that matches: a line of ls -ldn, then
# the file's own lines, each after a blank.
lvsctl_read_files() (
  IFS=
  for pattern in "$@"; do
    # shellcheck disable=SC2086 # a pattern
    for f in $pattern; do
      [ -f "$f" ] || continue
      ls -ldn "$f" && awk '{ print " " $0 }' "$f" || exit
    done
  done
)

# lvsctl_read_blocks BEGIN END PATTERN... prints a topology's block of each file that
# has one, marker lines included, after the file's path. BEGIN and END are extended
# regular expressions without a backslash, which awk would take away.
lvsctl_read_blocks() (
  begin=$1 end=$2
  shift 2
  IFS=
  for pattern in "$@"; do
    shift
    # shellcheck disable=SC2086 # a pattern
    for f in $pattern; do if [ -f "$f" ] && [ -r "$f" ]; then set -- "$@" "$f"; fi; done
  done
  if [ $# -eq 0 ]; then return 0; fi
  awk -v begin="$begin" -v end="$end" '
FNR == 1 { named = inside = 0 }
!inside && $0 ~ begin { inside = 1; if (!named) print "file " FILENAME; named = 1 }
inside { print }
inside && $0 ~ end { inside = 0 }' "$@"
)

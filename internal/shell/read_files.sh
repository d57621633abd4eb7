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
# has one, marker lines included, after the file's path. BEGIN and END are basic
# regular expressions.
lvsctl_read_blocks() (
  begin=$1 end=$2
  shift 2
  IFS=
  for pattern in "$@"; do
    shift
    # shellcheck disable=SC2086 # a pattern
    set -- "$@" $pattern
  done
  { grep -l -e "$begin" /dev/null "$@" 2>/dev/null || :; } | while IFS= read -r f; do
    printf 'file %s\n' "$f"
    sed -n "/$begin/,/$end/p" "$f"
  done
)

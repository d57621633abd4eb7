# A process is known by its number and the time it started at, PID.START: numbers are
# used again, and whoever has one now may be anybody's.

# lvsctl_started PID prints when a process started, in clock ticks since boot: the
# 22nd field of its stat, counted from the end of its name, which may hold anything
# (proc(5)). It fails where there is none, or one that has ended.
lvsctl_started() {
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  case ${line##*) } in [ZX]*) return 1 ;; esac # it has ended
  # shellcheck disable=SC2086 # its words
  set -- ${line##*) }
  printf '%s\n' "${20}"
}

# lvsctl_process PID prints PID.START.
lvsctl_process() {
  lvsctl_start=$(lvsctl_started "$1") && printf '%s\n' "$1.$lvsctl_start"
}

# lvsctl_runs PID.START reports whether that very process runs.
lvsctl_runs() {
  case $1 in *[!0-9.]*|.*|*.) return 1 ;; *.*) ;; *) return 1 ;; esac
  [ "$(lvsctl_started "${1%%.*}")" = "${1#*.}" ]
}

# A process is known by its number and the time it started at, PID.START: numbers are
# used again, and whoever has one now may be anybody's.

# lvsctl_started PID sets lvsctl_start to when a process started, in clock ticks since
# boot: the 22nd field of its stat, counted from the end of its name, which may hold
# anything (proc(5)). It fails where there is none, or one that has ended.
lvsctl_started() {
  { read -r lvsctl_stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  case ${lvsctl_stat##*) } in [ZX]*) return 1 ;; esac # it has ended
  # shellcheck disable=SC2086 # its words
  set -- ${lvsctl_stat##*) }
  lvsctl_start=${20}
}

# lvsctl_process PID prints PID.START.
lvsctl_process() { lvsctl_started "$1" && printf '%s.%s\n' "$1" "$lvsctl_start"; }

# lvsctl_runs PID.START reports whether that very process runs.
lvsctl_runs() {
  case $1 in *[!0-9.]*|.*|*.) return 1 ;; *.*) ;; *) return 1 ;; esac
  lvsctl_started "${1%%.*}" && [ "$lvsctl_start" = "${1#*.}" ]
}

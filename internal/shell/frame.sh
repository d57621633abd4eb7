# What carries a script and its output. The text of a script is one word of one command
# in braces, at the very end of what is sent: of a transfer that is cut short anywhere, sh
# runs nothing. lvsctl_body is what the text defines; a text that leaves a quote or a
# brace open is found out without the end of the input.

# lvsctl_frame_next MARK TEXT runs a script. The marks tell its own output from
# banners, and a whole output from one that was cut off. The last one carries the status,
# because the transport's exit status cannot be told from sudo's or the login shell's.
lvsctl_frame_next() {
  lvsctl_frame_begin "$@"
  # The subshell keeps an exit in the body from taking the end mark with it.
  (lvsctl_body) </dev/null
  lvsctl_frame_end "$1" "$?"
}

# lvsctl_frame MARK TEXT does so and ends.
lvsctl_frame() {
  lvsctl_frame_next "$@"
  exit 0
}

# lvsctl_frame_held MARK TEXT runs a script in this shell itself, which then lives as
# long as its input is open.
lvsctl_frame_held() {
  lvsctl_frame_begin "$@"
  lvsctl_body </dev/null
  lvsctl_frame_end "$1" "$?"
  exec cat >/dev/null 2>&1
}

lvsctl_frame_begin() {
  eval "$2" || exit 2
  printf '\n%s\n' "$1"
  printf '\n%s\n' "$1" >&2
}

lvsctl_frame_end() {
  printf '\n%s end\n' "$1" >&2
  printf '\n%s %s\n' "$1" "$2"
}

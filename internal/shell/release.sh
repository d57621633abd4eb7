# lvsctl_find_release sets lvsctl_release to the kernel's.
lvsctl_find_release() {
  if [ -n "${lvsctl_release-}" ]; then return 0; fi
  { read -r lvsctl_word lvsctl_word lvsctl_release lvsctl_word </proc/version; } 2>/dev/null || lvsctl_release=$(uname -r)
}

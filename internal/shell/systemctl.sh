# lvsctl_systemctl WORD... asks systemd for something. One that is busy on a slow
# node may take minutes to answer. A line a second says that it is waited for; and
# where systemctl itself gives up, systemd is asked again, because it still works on
# the first answer. What fails sooner has failed.
lvsctl_systemctl() {
  (
    self=$(lvsctl_process "$$")
    while sleep 1 >/dev/null 2>&1 && lvsctl_runs "$self"; do echo "waiting for systemd"; done
  ) 9>&- &
  lvsctl_teller=$!
  lvsctl_asked=0
  while :; do
    read -r lvsctl_since rest </proc/uptime
    systemctl "$@" </dev/null
    lvsctl_status=$?
    read -r lvsctl_now rest </proc/uptime
    lvsctl_asked=$((lvsctl_asked + 1))
    if [ "$lvsctl_status" -eq 0 ] || [ "$lvsctl_asked" -eq 3 ] || [ "$((${lvsctl_now%%.*} - ${lvsctl_since%%.*}))" -lt 20 ]; then break; fi
  done
  kill "$lvsctl_teller" 2>/dev/null
  return "$lvsctl_status"
}

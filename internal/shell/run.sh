# lvsctl_find_run sets lvsctl_run: lvsctl's folder where no reboot leaves a file.
lvsctl_find_run() {
  lvsctl_run=/run
  [ -d "$lvsctl_run" ] || lvsctl_run=/var/run
  lvsctl_run=$lvsctl_run/lvsctl
}

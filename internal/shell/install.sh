# lvsctl_install MANAGER PACKAGE installs a package without asking. A package manager
# that is killed half-way leaves a broken system behind: it runs apart from this
# shell, whatever becomes of that and of the connection, and is only waited for. A
# line a second says that it is still at work, for managers that are silent.
# lvsctl_install_seconds is how long it is waited for, 1800 by default.
lvsctl_install() {
  lvsctl_find_run
  install=$lvsctl_run/install
  # One that was begun by an apply which was cut off may still be at work.
  lvsctl_install_wait "what an earlier apply began" || return 1
  rm -f "$install.status"
  (
    trap '' HUP INT TERM PIPE
    lvsctl_install_now "$1" "$2"
    printf '%s\n' "$?" >"$install.status.new" && mv -f "$install.status.new" "$install.status"
  ) </dev/null >"$install.log" 2>&1 9>&- &
  lvsctl_process "$!" >"$install.process"
  lvsctl_install_wait "$2" || return 1
  status=1
  read -r status 2>/dev/null <"$install.status"
  tail -n 20 "$install.log"
  rm -f "$install.process" "$install.log" "$install.status"
  return "$status"
}

# lvsctl_install_wait WHAT waits for the package manager that runs, if one does. It
# fails where that takes too long, and leaves it at work.
lvsctl_install_wait() {
  waited=0
  while lvsctl_runs "$(cat "$install.process" 2>/dev/null)"; do
    if [ "$waited" -ge "${lvsctl_install_seconds:-1800}" ]; then
      echo "installing $1 takes more than $waited s; it goes on, and its output is in $install.log"
      return 1
    fi
    if [ "$waited" -gt 0 ] && [ "$((waited % 20))" -eq 0 ]; then printf 'note: installing %s: %s s\n' "$1" "$waited"; fi
    sleep 1
    waited=$((waited + 1))
    echo "installing $1: $waited s"
  done
}

# lvsctl_install_now MANAGER PACKAGE tries once more with new lists where it fails:
# there may be none yet, or old ones.
lvsctl_install_now() {
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  lvsctl_install_once "$@" && return
  case $1 in
    # Another one may be at work, as unattended-upgrades is after boot.
    apt-get) apt-get -q -o DPkg::Lock::Timeout=600 update ;;
    zypper) zypper --non-interactive refresh ;;
    apk) apk update ;;
    *) "$1" -q clean expire-cache ;;
  esac
  lvsctl_install_once "$@"
}

lvsctl_install_once() {
  case $1 in
    apt-get) apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=600 "$2" ;;
    apk) apk add "$2" ;;
    zypper)
      zypper --non-interactive install --no-recommends "$2"
      # It is installed, and there is something to say (zypper(8), EXIT CODES).
      case $? in 0|10[0-3]|10[67]) ;; *) return 1 ;; esac
      ;;
    *) "$1" -y -q install "$2" ;;
  esac
}

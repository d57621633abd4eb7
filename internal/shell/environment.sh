# lvsctl_environment sets what every script runs with: messages in English, modes that
# others may read, and a PATH that has the folders of tools first. The login's own PATH
# follows, for systems that keep tools elsewhere (NixOS: /run/current-system/sw/bin); of
# it only absolute folders count, so that nobody's current folder is searched. A
# systemd that is busy on a slow node is given more than its clients' 25 s.
lvsctl_environment() {
  LC_ALL=C
  LANGUAGE=
  SYSTEMD_BUS_TIMEOUT=300s
  lvsctl_login=${PATH-}:
  PATH=/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin
  while [ -n "$lvsctl_login" ]; do
    lvsctl_folder=${lvsctl_login%%:*}
    lvsctl_login=${lvsctl_login#*:}
    case :$PATH: in *:"$lvsctl_folder":*) continue ;; esac
    case $lvsctl_folder in /*) PATH=$PATH:$lvsctl_folder ;; esac
  done
  unset lvsctl_login lvsctl_folder
  export LC_ALL LANGUAGE PATH SYSTEMD_BUS_TIMEOUT
  umask 022
}

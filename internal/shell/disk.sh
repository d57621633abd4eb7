# A file counts once it would be there after a power cut: its text, and the entry of
# it in its folder. rename alone may leave an empty file (XFS) or none (ext4).

# lvsctl_sync PATH... returns once files, and what folders have, are on disk, and fails
# where one is not there, or the disk fails. Some file systems cannot do it for a folder
# (EINVAL), and a sync(1) of before coreutils 8.24, or toybox's, knows no names: then all
# that there is gets written.
lvsctl_sync() {
  for lvsctl_synced in "$@"; do
    [ -e "$lvsctl_synced" ] || { printf '%s is not there\n' "$lvsctl_synced" >&2; return 1; }
  done
  command -v sync >/dev/null || return 0
  if lvsctl_said=$(sync "$@" 2>&1); then return 0; fi
  case $lvsctl_said in *'Invalid argument'*|*'not supported'*) sync; return ;; esac
  printf '%s\n' "$lvsctl_said" >&2
  return 1
}

# lvsctl_sync_above FOLDER does it for a folder and all above it: some may be new.
lvsctl_sync_above() {
  set -- "$1"
  lvsctl_upper=$1
  while lvsctl_upper=${lvsctl_upper%/*} && [ -n "$lvsctl_upper" ]; do set -- "$@" "$lvsctl_upper"; done
  lvsctl_sync "$@" /
}

# lvsctl_sync_units is for what the node's own tools change below /etc.
lvsctl_sync_units() { sync -f /etc 2>/dev/null || sync; }

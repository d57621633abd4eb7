# Makes the image of a whole Debian out of its root folder, $1: run by mmdebstrap
# with SYSTEM, the network system. MKE2FS is mke2fs.
set -eu
root=$1

# What would run beside the tests, or wait for a screen. redis-server is started
# by the host's own answers.
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target serial-getty@ttyS0.service \
    getty@tty1.service redis-server.service
if [ "$SYSTEM" = networkd ]; then
    chroot "$root" systemctl --quiet enable systemd-networkd.service
fi

# An emulated processor among many takes its time, and nothing is wrong with that.
mkdir -p "$root"/etc/systemd/system.conf.d
printf '[Manager]\nDefaultTimeoutStartSec=10min\nDefaultDeviceTimeoutSec=10min\n' >"$root"/etc/systemd/system.conf.d/lab.conf
patience() { # UNIT LINE...
    mkdir -p "$root/etc/systemd/system/$1.service.d"
    (shift && printf '%s\n' '[Service]' "$@") >"$root/etc/systemd/system/$1.service.d/lab.conf"
}
if [ "$SYSTEM" = networkmanager ]; then
    patience NetworkManager-wait-online Environment=NM_ONLINE_TIMEOUT=600
fi
patience systemd-networkd-wait-online ExecStart= 'ExecStart=/lib/systemd/systemd-networkd-wait-online --timeout=600'

# Every host gets its own of these, or none.
rm -rf "$root"/etc/ssh/ssh_host_* "$root"/etc/hostname "$root"/etc/resolv.conf "$root"/var/log/journal \
    "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
: >"$root"/etc/resolv.conf
: >"$root"/etc/machine-id
# systemd rebuilds its databases at boot if /usr is newer than these.
touch "$root"/etc/.updated "$root"/var/.updated

# The image is made of a mount of the folder alone: without /proc and the others
# that are mounted in it, and with another /tmp than the one that the image itself
# is in meanwhile. It leaves by descriptor 3, its holes left out.
only=$(mktemp -d -p "$root"/tmp)
export root only
unshare --mount sh -euc '
    mount --bind "$root" "$only"
    mount -t tmpfs -o mode=1777 tmpfs "$only/tmp"
    truncate -s 2G "$root/tmp/image"
    "$MKE2FS" -q -F -t ext4 -L root -E lazy_itable_init=0,lazy_journal_init=0 -d "$only" "$root/tmp/image"'
dd if="$root"/tmp/image bs=1M conv=sparse status=none >&3
rm -r "$root"/tmp/image "$only"

# Boots a whole Debian with systemd in namespaces of this machine, by its own kernel:
# FOLDER is the disk of a host, which keeps what differs from IMAGE from one boot to
# the next. Its eth0 and eth1 lead to wall0 and wall1 in a namespace beside it. With DHCP
# true, eth0 leads to a server that gives it 10.1.0.2.
set -e
folder=$1 image=$2 dhcp=$3
if [ "$4" != inside ]; then
  mkdir -p "$folder/disk" "$folder/work" "$folder/mnt" "$folder/cgroup"
  # A control group of its own, which its systemd may part.
  mount -t cgroup2 cgroup "$folder/cgroup"
  mkdir -p "$folder/cgroup/lvsctl-test-$$"
  echo $$ >"$folder/cgroup/lvsctl-test-$$/cgroup.procs"
  exec unshare --net --mount --pid --uts --ipc --cgroup --fork --kill-child bash "$0" "$folder" "$image" "$dhcp" inside
fi
root=$folder/mnt/root
mount -t tmpfs tmpfs "$folder/mnt"
mkdir "$folder/mnt/image" "$root"
mount -o loop,ro,noload "$image" "$folder/mnt/image"
mount -t overlay -o "lowerdir=$folder/mnt/image,upperdir=$folder/disk,workdir=$folder/work" overlay "$root"
mount -t proc proc "$root/proc"
# Where /sys cannot be written, nobody waits for udev. netplan has its rules run again
# for each device.
mount -t sysfs sysfs "$root/sys"
mount --bind "$root/sys" "$root/sys"
mount -o remount,bind,ro "$root/sys"
mount -t sysfs sysfs "$folder/mnt/image/sys"
mount --bind "$folder/mnt/image/sys/devices/virtual/net" "$root/sys/devices/virtual/net"
mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
for d in dev run tmp; do mount -t tmpfs -o mode=755 tmpfs "$root/$d"; done
for n in null zero full random urandom tty; do
  touch "$root/dev/$n"
  mount --bind "/dev/$n" "$root/dev/$n"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
# What has nothing to do with the network.
mkdir -p "$root/etc/systemd/system"
for u in systemd-logind.service systemd-udevd.service dev-hugepages.mount dev-mqueue.mount sys-kernel-tracing.mount \
  sys-kernel-debug.mount sys-kernel-config.mount sys-fs-fuse-connections.mount modprobe@.service systemd-timesyncd.service ssh.service \
  keepalived.service ipvsadm.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-journal-flush.service \
  systemd-tmpfiles-setup-dev.service systemd-remount-fs.service getty-pre.target; do
  ln -sf /dev/null "$root/etc/systemd/system/$u"
done
for d in all default; do echo 0 >"$root/proc/sys/net/ipv6/conf/$d/accept_dad"; done # an address is there at once
mount -t tmpfs tmpfs /run
ip netns add wall
for n in 0 1; do
  ip link add "eth$n" type veth peer name "wall$n" netns wall
  ip -n wall link set "wall$n" up
done
touch "$root/run/wall"
mount --bind /run/netns/wall "$root/run/wall"
if [ "$dhcp" = true ]; then
  ip link set eth0 address 02:00:00:00:00:02
  ip -n wall addr add 10.1.0.254/24 dev wall0
  printf '%s\n' 'start 10.1.0.2' 'end 10.1.0.2' 'static_lease 02:00:00:00:00:02 10.1.0.2' 'interface wall0' "lease_file $folder/leases" 'option subnet 255.255.255.0' 'option router 10.1.0.254' >"$folder/udhcpd"
  ip netns exec wall busybox udhcpd "$folder/udhcpd" >/dev/null 2>&1 # it goes to the background once it is ready
fi
cd "$root"
pivot_root . mnt
exec env -i container=lvsctl PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c 'umount -l /mnt; exec /sbin/init' >/dev/null 2>&1 </dev/null

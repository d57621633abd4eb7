package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A tool is a program of this machine, and the Debian package it comes in.
type tool struct{ name, pkg string }

// buildTools are the programs of this machine that every lab needs.
var buildTools = []tool{
	{"qemu-system-x86_64", "qemu-system-x86"}, {"ssh", "openssh-client"}, {"depmod", "kmod"},
}

// systemTools are needed to run whole Debians too, and debianTools to make their
// images.
var (
	systemTools = []tool{{"qemu-img", "qemu-utils"}, {"modprobe", "kmod"}, {"ip", "iproute2"}}
	debianTools = []tool{{"mmdebstrap", "mmdebstrap"}, {"mke2fs", "e2fsprogs"}, {"unshare", "util-linux"}, {"tar", "tar"}}
)

// hostTools are on every host that is a namespace. A lab of such hosts cannot be made
// without them.
var hostTools = []tool{
	{"bash", "bash"}, {"busybox", "busybox-static"}, {"ip", "iproute2"}, {"ipvsadm", "ipvsadm"},
	{"sshd", "openssh-server"}, {"kmod", "kmod"}, {"modprobe", "kmod"}, {"insmod", "kmod"}, {"rmmod", "kmod"},
	{"lsmod", "kmod"}, {"modinfo", "kmod"}, {"depmod", "kmod"},
	{"iptables", "iptables"}, {"iptables-save", "iptables"}, {"iptables-restore", "iptables"},
	{"ip6tables", "iptables"}, {"ip6tables-save", "iptables"}, {"ip6tables-restore", "iptables"},
	{"iptables-legacy", "iptables"}, {"ip6tables-legacy", "iptables"}, {"iptables-nft", "iptables"}, {"ip6tables-nft", "iptables"},
	{"curl", "curl"}, {"ping", "iputils-ping"}, {"arping", "iputils-arping"},
}

// spareTools are on the hosts only if they are on this machine.
var spareTools = strings.Fields(`
	ipvsadm-save ipvsadm-restore iptables-legacy-save iptables-legacy-restore iptables-nft-save iptables-nft-restore
	ip6tables-legacy-save ip6tables-legacy-restore ip6tables-nft-save ip6tables-nft-restore arptables ebtables
	tc bridge ss nstat conntrack nft ipset tcpdump redis-server redis-cli redis-benchmark
	keepalived genhash start-stop-daemon service dash sysctl ps flock setsid timeout nsenter unshare getent scp ssh ssh-keygen tracepath ethtool iperf3`)

// spareFiles are further files and folders that those programs read.
var spareFiles = []string{
	"/usr/lib/x86_64-linux-gnu/xtables", "/usr/lib/openssh/sshd-session", "/usr/lib/openssh/sshd-auth",
	"/usr/lib/openssh/sftp-server", "/etc/iproute2", "/usr/share/iproute2", "/etc/ld.so.cache",
	"/etc/init.d/ipvsadm", "/etc/default/ipvsadm", "/etc/init.d/keepalived", "/etc/default/keepalived", "/usr/lib/lsb/init-functions",
}

// toolDirs are searched after PATH, because the PATH of a user may lack the sbin
// folders.
var toolDirs = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// findTool returns a program's absolute path.
func findTool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil && filepath.IsAbs(path) {
		return path, nil
	}
	for _, dir := range toolDirs {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode()&0o111 != 0 {
			return filepath.Join(dir, name), nil
		}
	}
	return "", fmt.Errorf("cannot find %s", name)
}

// Missing is the error if this machine lacks programs that a lab needs.
type Missing struct {
	Programs, Packages []string // sorted
}

func (m Missing) Error() string {
	return fmt.Sprintf("cannot run a lab without %s\nInstall what is missing: apt-get install %s",
		strings.Join(m.Programs, ", "), strings.Join(m.Packages, " "))
}

// CheckTools returns a [Missing] if this machine lacks programs for a lab with o.
func CheckTools(o Options) error {
	needed := slices.Concat(buildTools, hostTools)
	if o.whole() {
		needed = slices.Concat(buildTools, systemTools)
	}
	if o.whole() && !o.cached() {
		needed = append(needed, debianTools...)
	}
	if o.Kernel == "" && !kernelCached() {
		needed = append(needed, tool{"apt-get", "apt"}, tool{"dpkg", "dpkg"})
	}
	var m Missing
	for _, t := range needed {
		if _, err := findTool(t.name); err != nil {
			m.Programs = append(m.Programs, t.name)
			m.Packages = append(m.Packages, t.pkg)
		}
	}
	if len(m.Programs) == 0 {
		return nil
	}
	slices.Sort(m.Programs)
	slices.Sort(m.Packages)
	m.Programs, m.Packages = slices.Compact(m.Programs), slices.Compact(m.Packages)
	return m
}

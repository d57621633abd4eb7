package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// privateDirs are the folders of which every host has its own copy.
var privateDirs = []string{"etc", "home", "root", "run", "tmp", "var"}

// A guestHost is a host that is being made. Its namespaces belong to a thread that
// never ends, so they stay when its sshd is stopped.
type guestHost struct {
	hostBlueprint
	thread chan int      // the thread in the host's namespaces
	wired  chan struct{} // closed when its network devices are there
	ready  chan error    // gets one value when the host is up or has failed
}

func newGuestHost(p hostBlueprint) *guestHost {
	return &guestHost{hostBlueprint: p, thread: make(chan int, 1), wired: make(chan struct{}), ready: make(chan error, 1)}
}

// entered waits for the host's namespaces and returns a thread in them.
func (h *guestHost) entered() (int, error) {
	select {
	case tid := <-h.thread:
		return tid, nil
	case err := <-h.ready:
		return 0, fmt.Errorf("make host %s: %w", h.Name, err)
	}
}

// run makes the host on a thread of its own and stays on it.
func (h *guestHost) run() {
	runtime.LockOSThread()
	if unix.Gettid() == os.Getpid() {
		// /proc/1 and the wiring mean the namespaces of the process's first thread by
		// the machine's own, so that thread must not become a host's.
		go h.run()
		select {}
	}
	h.ready <- h.make()
	select {}
}

func (h *guestHost) make() error {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	h.thread <- unix.Gettid()
	if err := unix.Sethostname([]byte(h.Name)); err != nil {
		return fmt.Errorf("set the hostname: %w", err)
	}
	if err := h.files(); err != nil {
		return err
	}
	// With -r sshd does not execute itself again for every connection, which saves a
	// quarter of the time of a login here. Since OpenSSH 9.8 the option does nothing.
	sshd := exec.Command("/usr/sbin/sshd", "-D", "-r", "-E", "/var/log/sshd.log")
	sshd.Env = []string{guestPath}
	sshd.Dir = "/"
	sshd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := sshd.Start(); err != nil {
		return fmt.Errorf("start sshd: %w", err)
	}
	if err := h.answer(); err != nil {
		return err
	}
	<-h.wired
	if err := command(h.Batch, "ip", "-batch", "-"); err != nil {
		return err
	}
	if h.servesRedis() {
		if err := h.nameRedis(); err != nil {
			return err
		}
	}
	if err := awaitSSHD(); err != nil {
		return err
	}
	return awaitPath(h.Outside)
}

// files gives the host its own mounts: a writable copy of each private folder,
// and a sysfs that shows its own network devices.
func (h *guestHost) files() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	const stage = "/mnt"
	if err := unix.Mount("tmpfs", stage, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount %s: %w", stage, err)
	}
	for _, dir := range privateDirs {
		if err := copyTree("/"+dir, filepath.Join(stage, dir)); err != nil {
			return fmt.Errorf("copy /%s: %w", dir, err)
		}
		if err := unix.Mount(filepath.Join(stage, dir), "/"+dir, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount /%s: %w", dir, err)
		}
	}
	// The folders stay mounted at their final places.
	if err := unix.Unmount(stage, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", stage, err)
	}
	if err := unix.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return fmt.Errorf("mount /sys: %w", err)
	}
	if err := os.Mkdir("/run/sshd", 0o755); err != nil {
		return fmt.Errorf("make /run/sshd: %w", err)
	}
	for _, f := range []struct {
		path, text string
		perm       fs.FileMode
	}{
		{"/etc/hostname", h.Name + "\n", 0o644},
		{"/etc/hosts", hostsText(h.Name), 0o644},
		{"/etc/ssh/ssh_host_ecdsa_key", h.HostKey, 0o600},
	} {
		if err := os.WriteFile(f.path, []byte(f.text), f.perm); err != nil {
			return fmt.Errorf("write %s: %w", f.path, err)
		}
	}
	return nil
}

// copyTree copies a file or a folder. It adds to a folder that is there, and replaces
// a file that is there. Owners are not copied: every file is root's.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := to + path[len(from):]
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			if err := os.Mkdir(target, 0o700); err != nil {
				if errors.Is(err, fs.ErrExist) {
					return nil
				}
				return err
			}
			return os.Chmod(target, info.Mode()) // with the sticky bit, which Mkdir drops
		}
		if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, info.Mode().Perm())
	})
}

// awaitPath returns when QEMU's end of the management network has answered an
// ARP request. Before that the network may lose frames, and QEMU repeats a lost SYN
// of a forwarded port only after six seconds.
func awaitPath(outside netip.Addr) error {
	for range 300 {
		// QEMU drops the datagram. To send it, the kernel asks for QEMU's MAC address.
		conn, err := net.Dial("udp4", netip.AddrPortFrom(outside, 9).String())
		if err != nil {
			return fmt.Errorf("wait for the management network: %w", err)
		}
		_, _ = conn.Write([]byte{0})
		conn.Close()
		text, err := os.ReadFile("/proc/thread-self/net/arp")
		if err != nil {
			return fmt.Errorf("wait for the management network: %w", err)
		}
		// IP address       HW type     Flags       HW address            Mask     Device
		// 198.18.0.2       0x1         0x2         52:55:c6:12:00:02     *        mgmt0
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 2 && f[0] == outside.String() && f[2] == "0x2" {
				return nil
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("wait for the management network: nobody is there")
}

// awaitSSHD returns when something listens on port 22 of the calling thread's
// network. A connection to it would cost sshd a process.
func awaitSSHD() error {
	// A listener on 0.0.0.0:22 in /proc/net/tcp, state 0A:
	//    0: 00000000:0016 00000000:0000 0A ...
	listening := []byte(" 00000000:0016 00000000:0000 0A ")
	for range 3000 {
		text, err := os.ReadFile("/proc/thread-self/net/tcp")
		if err != nil {
			return fmt.Errorf("wait for sshd: %w", err)
		}
		if bytes.Contains(text, listening) {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	log, _ := os.ReadFile("/var/log/sshd.log") // there is none if sshd did not start
	return fmt.Errorf("wait for sshd: it does not listen\n%s", log)
}

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// guestPath is the PATH of every program in the guest. Sessions have it from sshd.
const guestPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Guest is /init of a lab's machine. Where hosts are namespaces it makes them, answers
// for them and reaps orphaned processes. In a whole Debian it is /init until it hands
// over to systemd, and later the service that answers. As /init it returns only after
// an error; then the kernel has no init and ends the machine. The result is an exit
// code.
func Guest() int {
	if os.Args[0] == answerProgram {
		if err := guestAnswer(); err != nil {
			fmt.Println(err) // for the journal
			return 1
		}
		return 0
	}
	run, end := guest, unix.LINUX_REBOOT_CMD_RESTART
	if _, err := os.Stat(devicesFile); err == nil {
		run, end = guestSystem, unix.LINUX_REBOOT_CMD_POWER_OFF // a restart would be another boot
	}
	if err := run(); err != nil {
		fmt.Printf("%s %v\n", failedLine, err)
		// The kernel's panic would push the reason out of the console's last lines.
		time.Sleep(100 * time.Millisecond)
		_ = unix.Reboot(end)
	}
	return 1
}

func guest() error {
	mark("init")
	if err := mountAll(); err != nil {
		return err
	}
	text, err := os.ReadFile(blueprintFile)
	if err != nil {
		return fmt.Errorf("read the blueprint: %w", err)
	}
	var b blueprint
	if err := json.Unmarshal(text, &b); err != nil {
		return fmt.Errorf("read the blueprint: %w", err)
	}
	if err := os.Remove(blueprintFile); err != nil { // the hosts' private keys are in it
		return fmt.Errorf("remove the blueprint: %w", err)
	}
	if err := stampPackets(); err != nil {
		return err
	}
	// A namespace starts with the kernel's defaults, not with copies of the first
	// one's settings: Documentation/admin-guide/sysctl/net.rst.
	if err := os.WriteFile("/proc/sys/net/core/devconf_inherit_init_net", []byte("2"), 0o644); err != nil {
		return fmt.Errorf("set the namespaces' defaults: %w", err)
	}
	for _, family := range []string{"all", "default"} { // the bridges need no IPv6
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+family+"/disable_ipv6", []byte("1"), 0o644); err != nil {
			return fmt.Errorf("keep IPv6 off the bridges: %w", err)
		}
	}
	mark("mounts")

	hosts := make([]*guestHost, len(b.Hosts))
	for n, print := range b.Hosts {
		hosts[n] = newGuestHost(print)
		go hosts[n].run()
	}
	if err := command("", "modprobe", "-a", "virtio_pci", "virtio_net", "veth", "bridge"); err != nil {
		return err
	}
	mark("modules")
	var names []string
	for n, h := range hosts {
		tid, err := h.entered()
		if err != nil {
			return err
		}
		names = append(names, fmt.Sprintf("@%d@", n), fmt.Sprint(tid))
	}
	mark("namespaces")
	if err := command(strings.NewReplacer(names...).Replace(b.Wiring), "ip", "-batch", "-"); err != nil {
		return err
	}
	mark("wiring")
	for _, h := range hosts {
		close(h.wired)
	}
	for _, h := range hosts {
		if err := <-h.ready; err != nil {
			return fmt.Errorf("make host %s: %w", h.Name, err)
		}
	}
	mark("hosts")
	fmt.Printf("%s: %d hosts\n", readyLine, len(hosts))
	return reap()
}

// stampPackets makes the kernel record the arrival time of every packet as long as the
// machine runs. Otherwise each ping would turn that on and off again, and the kernel
// does so by rewriting code that every packet runs through (net_enable_timestamp,
// net/core/dev.c). Under QEMU before 8.1 another processor may then loop for ever in
// the code that stood there during the change.
func stampPackets() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a socket: %w", err)
	}
	// The socket is never closed, so the option stays in force.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMP, 1); err != nil {
		return fmt.Errorf("ask for the packets' times: %w", err)
	}
	return nil
}

// mark writes on the console that a stage was reached, and the time since power-on.
func mark(stage string) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err == nil {
		fmt.Printf("lab: %6.2fs %s\n", time.Duration(ts.Nano()).Seconds(), stage)
	}
}

// mountAll mounts /proc, /sys, /dev and the other file systems of any Linux.
func mountAll() error {
	for _, m := range []struct{ kind, at, data string }{
		{"proc", "/proc", ""}, {"sysfs", "/sys", ""}, {"devtmpfs", "/dev", "mode=0755"},
		{"devpts", "/dev/pts", "mode=0620,ptmxmode=0666,gid=5"}, {"tmpfs", "/dev/shm", "mode=1777"},
	} {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return fmt.Errorf("make %s: %w", m.at, err)
		}
		if err := unix.Mount(m.kind, m.at, m.kind, 0, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(target, "/dev/"+name); err != nil {
			return fmt.Errorf("link /dev/%s: %w", name, err)
		}
	}
	return nil
}

// command runs a program in the namespaces of the calling thread.
func command(stdin, name string, args ...string) error {
	cmd := exec.Command("/usr/sbin/"+name, args...)
	if _, err := os.Stat(cmd.Path); err != nil {
		cmd.Path = "/usr/bin/" + name
	}
	cmd.Env = []string{guestPath}
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// reap waits for the orphaned processes that init inherits, for ever. It must not
// start while other code of this process waits for its own children.
func reap() error {
	for {
		_, err := unix.Wait4(-1, nil, 0, nil)
		switch {
		case err == nil, errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECHILD):
			// There is no child: every sshd was stopped. The hosts stay.
			time.Sleep(time.Second)
		default:
			return fmt.Errorf("collect orphans: %w", err)
		}
	}
}

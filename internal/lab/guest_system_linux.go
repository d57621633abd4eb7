package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// diskRoot is where the first root file system mounts the host's disk.
const diskRoot = "/sysroot"

// guestSystem is /init of a whole Debian. It names the devices, copies the host's own
// files to the disk at the first boot, and hands over to systemd.
func guestSystem() error {
	if err := mountAll(); err != nil {
		return err
	}
	mark("init")
	if err := command("", "modprobe", append([]string{"-a"}, rootModules...)...); err != nil {
		return err
	}
	mark("modules")
	if err := nameDevices(); err != nil {
		return err
	}
	mark("devices")
	if err := mountDisk(); err != nil {
		return err
	}
	if _, err := os.Stat(diskRoot + madeFile); errors.Is(err, fs.ErrNotExist) {
		if err := fillDisk(); err != nil {
			return fmt.Errorf("furnish the host: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("look at the host's disk: %w", err)
	}
	mark("disk")
	return switchRoot()
}

// nameDevices gives every NIC the name that the topology has for it. All get
// temporary names first, because two may have to swap theirs.
func nameDevices() error {
	text, err := os.ReadFile(devicesFile)
	if err != nil {
		return fmt.Errorf("read the devices: %w", err)
	}
	var names map[string]string
	if err := json.Unmarshal(text, &names); err != nil {
		return fmt.Errorf("read the devices: %w", err)
	}
	found, err := filepath.Glob("/sys/class/net/*/address")
	if err != nil {
		return fmt.Errorf("list the devices: %w", err)
	}
	var spare, final strings.Builder
	for n, file := range found {
		mac, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read a device's address: %w", err)
		}
		if name := names[strings.TrimSpace(string(mac))]; name != "" {
			fmt.Fprintf(&spare, "link set dev %s name lab-%d\n", filepath.Base(filepath.Dir(file)), n)
			fmt.Fprintf(&final, "link set dev lab-%d name %s\n", n, name)
			delete(names, strings.TrimSpace(string(mac)))
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("name the devices: there is none for %v", names)
	}
	return command(spare.String()+final.String(), "ip", "-batch", "-")
}

func mountDisk() error {
	if err := os.MkdirAll(diskRoot, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", diskRoot, err)
	}
	var err error
	for range 250 { // the kernel may not have found the disk yet
		if err = unix.Mount("/dev/vda", diskRoot, "ext4", 0, ""); !errors.Is(err, unix.ENOENT) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("mount the host's disk: %w", err)
	}
	return nil
}

// fillDisk copies the host's own files to its disk. It writes madeFile last: after a
// power cut before that, the next boot copies all of them again.
func fillDisk() error {
	for from, to := range map[string]string{ownFilesDir: "", "/usr/lib/modules": "/usr/lib/modules", "/init": "/init"} {
		if err := copyTree(from, diskRoot+to); err != nil {
			return err
		}
	}
	unix.Sync()
	if err := os.WriteFile(diskRoot+madeFile, nil, 0o644); err != nil {
		return err
	}
	unix.Sync()
	return nil
}

// switchRoot makes the disk the root file system and systemd its first process.
func switchRoot() error {
	for _, dir := range []string{"/dev", "/proc", "/sys"} {
		if err := os.MkdirAll(diskRoot+dir, 0o755); err != nil {
			return fmt.Errorf("make %s: %w", dir, err)
		}
		if err := unix.Mount(dir, diskRoot+dir, "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move %s: %w", dir, err)
		}
	}
	// The initramfs stays in memory, so what it holds is removed.
	for _, name := range []string{ownFilesDir, "/usr", "/init"} {
		if err := os.RemoveAll(name); err != nil {
			return fmt.Errorf("remove %s: %w", name, err)
		}
	}
	if err := os.Chdir(diskRoot); err != nil {
		return fmt.Errorf("enter the host's disk: %w", err)
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the host's disk: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("enter the host's disk: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return fmt.Errorf("enter the host's disk: %w", err)
	}
	return fmt.Errorf("run systemd: %w", unix.Exec("/sbin/init", []string{"/sbin/init"}, []string{guestPath, "HOME=/", "TERM=linux"}))
}

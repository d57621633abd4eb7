package lab

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// hostsDir holds a folder for the machine of every whole Debian.
const hostsDir = "hosts"

// The files of such a host's folder, beside those of a lab's.
const (
	diskFile    = "disk.qcow2"
	monitorFile = "monitor"
)

// A vm is what QEMU is started with for a whole Debian. QEMU starts in the lab's
// folder, so the paths of files there are relative.
type vm struct {
	id     string // of the lab's folder
	name   string // the lab's
	host   string
	kernel string
	accel  string
	memory int // MiB
	cpus   int
	mgmt   netip.Prefix
	addr   netip.Addr // in mgmt
	port   int        // of this machine
	mac    string     // of the management NIC
	cables []cable
}

// A cable is one NIC of a host and the segment that it is on.
type cable struct {
	mac     string
	segment int
	// plug is the socket that leads to the segment's hub. It is "" for the host that
	// has the hub.
	plug string
	// sockets are those of the hub, one for each other host's plug. Only the first
	// cable of a segment has any.
	sockets []string
}

// lay returns the cables of each host. The QEMU of the first host on a segment has the
// segment's hub, which works on while that guest reboots. The QEMUs of the other hosts
// connect to the hub by sockets in the lab's folder.
func lay(hosts []Host) [][]cable {
	of, count := segments(hosts)
	type end struct{ host, cable int }
	hubs := make([]*end, count)
	out := make([][]cable, len(hosts))
	for h, host := range hosts {
		for i := range host.Interfaces {
			segment := of[h][i]
			if segment < 0 {
				continue
			}
			c := cable{mac: hostMAC(h, i), segment: segment}
			switch hub := hubs[segment]; {
			case hub == nil:
				hubs[segment] = &end{h, len(out[h])}
			case hub.host != h:
				c.plug = fmt.Sprintf("lan%d-%d-%d", segment, h, i)
				first := &out[hub.host][hub.cable]
				first.sockets = append(first.sockets, c.plug)
			}
			out[h] = append(out[h], c)
		}
	}
	return out
}

// dir is the host's folder in the lab's folder, and file a file in it.
func (m vm) dir() string { return filepath.Join(hostsDir, m.host) }

func (m vm) file(name string) string { return filepath.Join(m.dir(), name) }

// label is the part of the machine's name that follows the lab's id.
func (m vm) label() string { return m.name + "-" + m.host }

func (m vm) args() []string {
	// cache=unsafe does not wait for this machine's disk. What a guest has written is
	// kept after the guest's power cut, though not after a crash of this machine.
	args := append([]string{
		"-name", optionValue(machineName(m.id, m.label())),
		"-m", strconv.Itoa(m.memory), "-smp", strconv.Itoa(m.cpus),
		"-pidfile", m.file(pidFile), "-daemonize",
		"-chardev", "file,id=console,path=" + optionValue(m.file(consoleFile)), "-serial", "chardev:console",
		"-qmp", "unix:" + optionValue(m.file(monitorFile)) + ",server=on,wait=off",
		"-kernel", m.kernel, "-initrd", m.file(imageFile), "-append", kernelArgs + " systemd.show_status=false",
		"-drive", "if=none,id=root,format=qcow2,cache=unsafe,discard=unmap,file=" + optionValue(m.file(diskFile)), "-device", "virtio-blk-pci,drive=root",
	}, bareArgs()...)
	for n, c := range m.cables {
		args = append(args, c.args(n)...)
	}
	args = append(args, "-netdev", fmt.Sprintf("user,id=mgmt,restrict=on,ipv6=off,net=%s,host=%s,hostfwd=tcp:127.0.0.1:%d-%s:22", m.mgmt, outside(m.mgmt), m.port, m.addr),
		"-device", "virtio-net-pci,netdev=mgmt,romfile=,status=off,mac="+m.mac)
	return append(args, m.accelArgs()...)
}

// accelArgs are those of [accelArgs] with a small cache of translated code. With a
// large cache the boot after a reset takes twice as long.
func (m vm) accelArgs() []string {
	args := accelArgs(m.accel)
	if m.accel == "tcg" {
		args[1] += ",tb-size=64"
	}
	return args
}

// args are the options for a host's nth cable.
func (c cable) args(n int) []string {
	var args []string
	if c.plug != "" {
		args = append(args, "-netdev", fmt.Sprintf("stream,id=nic%d,server=off,addr.type=unix,addr.path=%s", n, c.plug))
	} else {
		args = append(args, "-netdev", fmt.Sprintf("hubport,id=nic%d,hubid=%d", n, c.segment))
	}
	for _, socket := range c.sockets {
		args = append(args, "-netdev", fmt.Sprintf("stream,id=%s,server=on,addr.type=unix,addr.path=%s", socket, socket),
			"-netdev", fmt.Sprintf("hubport,id=hub-%s,hubid=%d,netdev=%s", socket, c.segment, socket))
	}
	return append(args, "-device", fmt.Sprintf("virtio-net-pci,netdev=nic%d,romfile=,mac=%s", n, c.mac))
}

// checkQEMU refuses a QEMU before 7.2. It lacks -netdev stream, which connects the
// machines.
func checkQEMU(ctx context.Context) error {
	path, err := findTool(qemu)
	if err != nil {
		return err
	}
	out, err := output(ctx, "", path, "--version")
	if err != nil {
		return err
	}
	if old := tooOld(string(out)); old != "" {
		return fmt.Errorf("cannot run whole Debians with QEMU %s: they take 7.2 or later, which Debian has since release 12\nOr leave out --systemd", old)
	}
	return nil
}

// tooOld reads the output of qemu --version. It returns the version if that is before
// 7.2, and "" if it is not, or if the output has no version:
//
//	QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)
func tooOld(text string) string {
	_, text, _ = strings.Cut(text, "version ")
	var major, minor int
	if _, err := fmt.Sscanf(text, "%d.%d", &major, &minor); err != nil || major > 7 || major == 7 && minor >= 2 {
		return ""
	}
	return fmt.Sprintf("%d.%d", major, minor)
}

// start runs the machine in the background. It returns once QEMU holds its port
// and its sockets.
func (m vm) start(ctx context.Context, f folder) error {
	err := newConsole(f.Root, m.dir())
	if err == nil {
		err = startQEMU(ctx, f, m.args())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.host, err)
	}
	return nil
}

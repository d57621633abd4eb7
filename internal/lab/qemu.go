package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const qemu = "qemu-system-x86_64"

// A machine is what QEMU is started with. QEMU starts in the lab's folder, so the
// paths of files there are relative.
type machine struct {
	id     string // of the lab's folder
	name   string
	kernel string // image
	accel  string
	memory int // MiB
	cpus   int
	mgmt   netip.Prefix
	ports  []int // of this machine, one a host
}

// accelArgs are the options for the accelerator and the processor that fits it.
func accelArgs(accel string) []string {
	if accel == "kvm" {
		return []string{"-accel", "kvm", "-cpu", "host"}
	}
	// Emulated, page tables of five levels are slower than those of four, and a copy
	// by one instruction (erms, fsrm) is slower than a loop. Without AVX and XSAVE each
	// switch of processes has fewer registers to save: a login costs a fifth less.
	return []string{"-accel", "tcg,thread=multi", "-cpu", "max,-la57,-erms,-fsrm,-xsave,-avx"}
}

// bareArgs leave out every device that is not named.
func bareArgs() []string {
	return []string{"-nodefaults", "-no-user-config", "-display", "none"}
}

// kernelArgs are the kernel's command line. Expedited RCU saves seconds, because every
// namespace, bridge and module waits for grace periods. Fixed addresses of kernel and
// programs (nokaslr, norandmaps) halve the time of a boot: QEMU can use code again that
// it has translated. init_on_alloc=0 leaves out that the kernel clears memory.
const kernelArgs = "console=ttyS0 quiet net.ifnames=0 nowatchdog mitigations=off rcupdate.rcu_expedited=1 no_timer_check tsc=reliable nokaslr norandmaps init_on_alloc=0"

func (m machine) args() []string {
	args := append([]string{
		"-name", optionValue(machineName(m.id, m.name)),
		"-m", strconv.Itoa(m.memory), "-smp", strconv.Itoa(m.cpus),
		"-pidfile", pidFile, "-daemonize",
		"-chardev", "file,id=console,path=" + consoleFile, "-serial", "chardev:console",
		"-kernel", m.kernel, "-initrd", imageFile, "-append", kernelArgs + " panic=-1", "-no-reboot",
	}, bareArgs()...)
	for n := range nics(len(m.ports)) {
		// With status=off the device has a carrier from the start.
		args = append(args, "-netdev", m.netdev(n), "-device", fmt.Sprintf("virtio-net-pci,netdev=mgmt%d,romfile=,status=off", n))
	}
	return append(args, accelArgs(m.accel)...)
}

// netdev is one of QEMU's user networks. With restrict=on the hosts can only answer
// what comes in through the forwarded ports.
func (m machine) netdev(nic int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "user,id=mgmt%d,restrict=on,ipv6=off,net=%s,host=%s", nic, m.mgmt, outside(m.mgmt))
	for n, port := range m.ports {
		if n/hostsPerNIC == nic {
			fmt.Fprintf(&b, ",hostfwd=tcp:127.0.0.1:%d-%s:22", port, managementAddr(m.mgmt, n))
		}
	}
	return b.String()
}

// optionValue quotes a value for one of QEMU's comma separated options.
func optionValue(s string) string { return strings.ReplaceAll(s, ",", ",,") }

// errPortTaken is the error if another process took a port after it was found free and
// before QEMU listened on it.
var errPortTaken = errors.New("a forwarded port was taken")

// start runs the machine in the background. It returns once QEMU holds its ports.
func (m machine) start(ctx context.Context, f folder) error {
	if err := newConsole(f.Root, "."); err != nil {
		return err
	}
	return startQEMU(ctx, f, m.args())
}

// newConsole makes an empty console file with mode 0600. QEMU would make one that
// others can read.
func newConsole(root *os.Root, dir string) error {
	name := filepath.Join(dir, consoleFile)
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot make a console: %w", err)
	}
	return writeNew(root, name, nil)
}

// startQEMU runs QEMU in the lab's folder until it has gone into the background.
func startQEMU(ctx context.Context, f folder, args []string) error {
	path, err := findTool(qemu)
	if err != nil {
		return err
	}
	dir, done, err := f.inside()
	if err != nil {
		return err
	}
	defer done()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	// Ctrl-C must reach lvsctl alone, which then ends QEMU.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		if strings.Contains(said.String(), "host forwarding") {
			err = errPortTaken
		}
		return fmt.Errorf("cannot start QEMU: %w\n%s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// onFreePorts starts a machine on n free ports. If another process takes one of them
// first, it tries others, five times at most.
func onFreePorts(n int, start func(ports []int) error) error {
	var err error
	for range 5 {
		var ports []int
		if ports, err = freePorts(n); err != nil {
			return err
		}
		if err = start(ports); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// freePorts finds n free TCP ports of the loopback. It listens on each until it has
// found the last one, so no port is returned twice.
func freePorts(n int) ([]int, error) {
	var open []io.Closer
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	var ports []int
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("cannot find a free port: %w", err)
		}
		open = append(open, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

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

// A machine is what QEMU is started with. It starts in the lab's folder: every
// path of a file there is relative.
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

// accelArgs chooses the processor along with the accelerator.
func accelArgs(accel string) []string {
	if accel == "kvm" {
		return []string{"-accel", "kvm", "-cpu", "host"}
	}
	// Page tables of five levels, and copies that the kernel leaves to one
	// instruction, are slower than their forerunners where they are emulated.
	return []string{"-accel", "tcg,thread=multi", "-cpu", "max,-la57,-erms,-fsrm"}
}

// bareArgs are a machine with nothing in it that was not asked for.
func bareArgs() []string {
	return []string{"-nodefaults", "-no-user-config", "-display", "none"}
}

// kernelArgs boot quietly. Expedited RCU saves seconds: every namespace, bridge
// and module waits for grace periods. A kernel and programs that are always at the
// same addresses start in half the time: what QEMU made of their code serves
// again. Memory is not wiped before it is used.
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
		// Without a status bit the carrier is there from the start.
		args = append(args, "-netdev", m.netdev(n), "-device", fmt.Sprintf("virtio-net-pci,netdev=mgmt%d,romfile=,status=off", n))
	}
	return append(args, accelArgs(m.accel)...)
}

// netdev is one of QEMU's user networks. restrict keeps the hosts from everything
// but answering what comes in through the forwarded ports.
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

// optionValue is a value inside one of QEMU's comma separated options.
func optionValue(s string) string { return strings.ReplaceAll(s, ",", ",,") }

// errPortTaken says that somebody took a port between finding it free and QEMU's
// listening on it.
var errPortTaken = errors.New("a forwarded port was taken")

// start runs the machine in the background. It returns once QEMU holds its ports.
func (m machine) start(ctx context.Context, f folder) error {
	if err := newConsole(f.Root, "."); err != nil {
		return err
	}
	return startQEMU(ctx, f, m.args())
}

// newConsole makes the file of a console that is to begin: QEMU's own would have
// another mode.
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
	// Ctrl-C is for lvsctl: it takes QEMU down by itself.
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

// onFreePorts starts a machine on n free ports, on others if one was snatched
// away.
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

// freePorts finds n ports of the loopback that nobody listens on. All are held
// until the last is found, so none comes twice.
func freePorts(n int) ([]int, error) {
	var held []io.Closer
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	var ports []int
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("cannot find a free port: %w", err)
		}
		held = append(held, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

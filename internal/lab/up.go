package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Options say how a lab is made; the zero value is the usual way.
type Options struct {
	// Dir is the lab's folder; "" is Dir(Spec.Name).
	Dir string
	// Accel is auto (""), kvm or tcg.
	Accel string
	// Memory is the machine's memory in MiB; 0 goes by the number of hosts.
	Memory int
	// Kernel and Modules name a kernel image and its /lib/modules/VERSION; both ""
	// for Debian's cloud kernel.
	Kernel, Modules string
	// Binary is the lvsctl to run inside; "" is this very program.
	Binary string
	// Timeout is how long the hosts may take to come up; 0 goes by their number.
	Timeout time.Duration
	// Progress is told what is being done; nil for nobody.
	Progress func(string)
}

// ErrUp is the error of a lab that is up already.
var ErrUp = errors.New("the lab is up already")

// Up makes a lab and returns when every host answers SSH. What is left of one
// whose machine is dead is cleared away first. On an error, a cancelled ctx
// included, nothing stays behind.
func Up(ctx context.Context, s Spec, o Options) (*Lab, error) {
	say := o.Progress
	if say == nil {
		say = func(string) {}
	}
	if o.Dir == "" {
		o.Dir = Dir(s.Name)
	}
	if err := errors.Join(s.check(), checkAccel(o.Accel)); err != nil {
		return nil, err
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("cannot run a lab on %s/%s: it takes Linux on x86-64", runtime.GOOS, runtime.GOARCH)
	}
	if err := CheckTools(o); err != nil {
		return nil, err
	}
	dir, unlock, err := claim(o.Dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	l, err := build(ctx, dir, s, o, say)
	if err != nil {
		return nil, errors.Join(err, remove(dir))
	}
	return l, nil
}

// claim makes the lab's folder, empty but for a lock against a second Up.
func claim(dir string) (abs string, unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, fmt.Errorf("cannot make the lab's folder: %w", err)
	}
	if abs, err = canonical(dir); err != nil {
		return "", nil, err
	}
	lock, err := os.OpenFile(filepath.Join(abs, lockFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", nil, fmt.Errorf("cannot lock the lab: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return "", nil, fmt.Errorf("cannot bring up the lab in %s: another lvsctl is at it", dir)
	}
	unlock = func() { lock.Close() }
	if len(machines(abs)) > 0 {
		unlock()
		return "", nil, ErrUp
	}
	entries, err := os.ReadDir(abs)
	if err != nil {
		unlock()
		return "", nil, fmt.Errorf("cannot clear a stale lab: %w", err)
	}
	for _, e := range entries {
		if e.Name() == lockFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(abs, e.Name())); err != nil {
			unlock()
			return "", nil, fmt.Errorf("cannot clear a stale lab: %w", err)
		}
	}
	return abs, unlock, nil
}

func build(ctx context.Context, dir string, s Spec, o Options, say func(string)) (*Lab, error) {
	k, done, err := findKernel(ctx, o, say)
	if err != nil {
		return nil, err
	}
	defer done()
	accel, err := chooseAccel(ctx, o.Accel, k.Image, say)
	if err != nil {
		return nil, err
	}
	mgmt, err := managementNet(s)
	if err != nil {
		return nil, err
	}
	plan := draw(s, mgmt)
	keys := make([]keyPair, len(s.Hosts))
	for n, h := range s.Hosts {
		if keys[n], err = newKeyPair(h.Name); err != nil {
			return nil, err
		}
		plan.Hosts[n].HostKey = string(keys[n].private)
	}
	authorised, err := authorise(dir)
	if err != nil {
		return nil, err
	}
	if o.Binary == "" {
		if o.Binary, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("cannot find lvsctl itself: %w", err)
		}
	}
	say("packing the hosts' programs")
	if err := packImage(filepath.Join(dir, imageFile), k, o.Binary, plan, authorised); err != nil {
		return nil, err
	}

	m := machine{dir: dir, name: s.Name, kernel: k.Image, accel: accel, memory: memory(o.Memory, len(s.Hosts)), cpus: min(max(runtime.NumCPU(), 1), 4), mgmt: mgmt}
	say(fmt.Sprintf("booting %d hosts (%s)", len(s.Hosts), accel))
	if err := m.boot(ctx, len(s.Hosts)); err != nil {
		return nil, err
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = time.Minute + time.Duration(len(s.Hosts))*3*time.Second
	}
	if err := awaitReady(ctx, dir, timeout); err != nil {
		return nil, err
	}
	// QEMU has read it all, and it holds the hosts' private keys.
	if err := os.Remove(filepath.Join(dir, imageFile)); err != nil {
		return nil, fmt.Errorf("cannot clean up after booting: %w", err)
	}
	if err := writeSSH(dir, s.Hosts, keys, m.ports); err != nil {
		return nil, err
	}
	l := &Lab{Name: s.Name, Accel: accel, Started: time.Now().UTC().Truncate(time.Second), Spec: s.digest(), dir: dir}
	for n, h := range s.Hosts {
		e := Endpoint{Name: h.Name, Role: h.Role, Port: m.ports[n]}
		for _, nic := range h.Interfaces {
			e.Addresses = append(e.Addresses, nic.Addresses...)
		}
		l.Hosts = append(l.Hosts, e)
	}
	return l, l.write()
}

// memory is the machine's in MiB: the root file system and the kernel, and for
// each host its sshd, sessions and tables. What is not touched costs nothing.
func memory(asked, hosts int) int {
	if asked > 0 {
		return asked
	}
	return 1024 + 48*hosts
}

// boot starts QEMU on free ports, on others if one was snatched away.
func (m *machine) boot(ctx context.Context, hosts int) error {
	var err error
	for range 5 {
		if m.ports, err = freePorts(hosts); err != nil {
			return err
		}
		if err = m.start(ctx); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// The lines by which the guest says on its console how it went.
const (
	readyLine  = "lab: ready"
	failedLine = "lab: cannot"
)

// awaitReady watches the console until the guest is ready or has failed.
func awaitReady(ctx context.Context, dir string, timeout time.Duration) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		text, err := os.ReadFile(filepath.Join(dir, consoleFile))
		if err != nil {
			return fmt.Errorf("cannot read the lab's console: %w", err)
		}
		if bytes.Contains(text, []byte(readyLine)) {
			return nil
		}
		why := ""
		switch {
		case bytes.Contains(text, []byte(failedLine)):
			why = "its machine failed"
		// Looking through every process is not for each tick.
		case n%20 == 19 && len(machines(dir)) == 0:
			why = "its machine ended"
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			why = fmt.Sprintf("its hosts did not answer within %s", timeout)
		case <-tick.C:
		}
		if why != "" {
			return fmt.Errorf("cannot bring up the lab: %s\n%s", why, lastLines(string(text), 15))
		}
	}
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r", "")), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

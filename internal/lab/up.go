package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Options say how a lab is made. The zero value makes one machine with Debian's kernel,
// by the best accelerator that works.
type Options struct {
	// Dir is the lab's folder; "" is Dir(Spec.Name).
	Dir string
	// Accel is auto (""), kvm or tcg.
	Accel string
	// Memory is the memory of a machine in MiB. 0 derives it from the number of hosts.
	Memory int
	// CPUs is how many processors a machine has. 0 is as many as this one has, shared
	// among the machines, at most 4 each, and at most 2 for a whole Debian. Emulated
	// ones wait for each other: labs that run beside each other are quickest with one.
	CPUs int
	// System makes every host a whole Debian with systemd in a machine of its own, and
	// names what sets up its network. "" makes the hosts namespaces of one machine.
	// Systems names another system for single hosts, by the host's name. If only
	// Systems is given, System is [Ifupdown].
	System  System
	Systems map[string]System
	// Kernel and Modules name a kernel image and its /lib/modules/VERSION; both ""
	// for Debian's cloud kernel.
	Kernel, Modules string
	// Binary is the lvsctl to run inside; "" is this very program.
	Binary string
	// Timeout is how long the hosts may take to come up. 0 derives it from their
	// number.
	Timeout time.Duration
	// Progress is called with each step that begins, in words. It may be nil.
	Progress func(string)
}

// ErrUp is the error of a lab that is up already.
var ErrUp = errors.New("the lab is up already")

// Up makes a lab and returns when every host answers SSH. It first clears the folder of
// a lab whose machine has ended. If it returns an error, also that of a cancelled ctx,
// no machine runs and no folder is left. The error is [ErrUp] if the lab runs already,
// and a [Missing] if programs are missing.
func Up(ctx context.Context, s Spec, o Options) (*Lab, error) {
	labs, err := UpAll(ctx, []Spec{s}, o)
	if err != nil {
		return nil, err
	}
	return labs[0], nil
}

// UpAll is [Up] for several labs in one machine, which boots once. In all else each is
// a lab of its own. The machine ends with the last of them.
func UpAll(ctx context.Context, specs []Spec, o Options) ([]*Lab, error) {
	say := o.Progress
	if say == nil {
		say = func(string) {}
	}
	all := join(specs)
	errs := []error{checkAccel(o.Accel), o.checkSystems(all)}
	if o.CPUs < 0 {
		errs = append(errs, fmt.Errorf("cannot make a machine with %d processors", o.CPUs))
	}
	seen := map[string]bool{}
	for _, s := range specs {
		if seen[s.Name] {
			return nil, fmt.Errorf("cannot bring up two labs called %s", s.Name)
		}
		seen[s.Name] = true
		errs = append(errs, s.check())
	}
	if err := errors.Join(append(errs, all.checkHosts())...); err != nil {
		return nil, err
	}
	if len(specs) > 1 && o.whole() {
		return nil, errors.New("cannot run several labs of whole Debians in one machine: bring them up one by one")
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return nil, fmt.Errorf("cannot run a lab on %s/%s: it takes Linux on x86-64", runtime.GOOS, runtime.GOARCH)
	}
	if err := CheckTools(o); err != nil {
		return nil, err
	}
	var folders []folder
	var dirs []string
	for _, s := range specs {
		dir := o.Dir
		switch {
		case dir == "":
			dir = Dir(s.Name)
		case len(specs) > 1:
			dir = filepath.Join(dir, s.Name)
		}
		f, unlock, err := lockFolder(dir)
		if err != nil {
			if len(specs) > 1 {
				err = fmt.Errorf("%s: %w", s.Name, err)
			}
			return nil, errors.Join(err, removeAll(dirs))
		}
		defer unlock()
		folders, dirs = append(folders, f), append(dirs, dir)
	}
	labs, err := build(ctx, folders, specs, all, o, say)
	if err != nil {
		return nil, errors.Join(err, kill(folders[0].id), removeAll(dirs))
	}
	return labs, nil
}

// removeAll removes the folders of labs that could not be made.
func removeAll(dirs []string) error {
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, DownDir(dir))
	}
	return errors.Join(errs...)
}

// lockFolder makes the lab's folder, or empties that of a lab whose machine has ended,
// and locks it against another lvsctl's Up.
func lockFolder(dir string) (f folder, unlock func(), err error) {
	fail := func(err error) (folder, func(), error) {
		return folder{}, nil, fmt.Errorf("cannot bring up the lab: %w", err)
	}
	c, err := walk(dir, makeOwn)
	if err != nil {
		return fail(err)
	}
	defer c.close()
	if err := makeOwn(c.parent(), c.name); err != nil {
		return fail(err)
	}
	root, err := enter(c.parent(), c.name)
	if err != nil {
		return fail(err)
	}
	lock, err := root.Open(".")
	if err != nil {
		root.Close()
		return fail(err)
	}
	unlock = func() { lock.Close(); root.Close() }
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		unlock()
		return folder{}, nil, fmt.Errorf("cannot bring up the lab in %s: another lvsctl is at it", dir)
	}
	if err = putMarker(root); err == nil {
		f, err = readMarker(root)
	}
	if err != nil {
		unlock()
		return fail(err)
	}
	if l, err := OpenDir(dir); err == nil && l.Running() || len(machines(f.id)) > 0 {
		unlock()
		return folder{}, nil, ErrUp
	}
	if err := f.clear(); err != nil {
		unlock()
		return fail(err)
	}
	return f, unlock, nil
}

// A construction is what is known of a lab while it is made: what both kinds of hosts
// need.
type construction struct {
	folder     folder // of the machine
	spec       Spec
	options    Options
	kernel     kernel
	accel      string
	mgmt       netip.Prefix
	keys       []keyPair // one a host
	authorised string    // root's authorized_keys on every host
	say        func(string)
}

// build boots the hosts of all specs and fills the labs' folders. The machine's files
// are in the first one's.
func build(ctx context.Context, folders []folder, specs []Spec, all Spec, o Options, say func(string)) ([]*Lab, error) {
	k, done, err := findKernel(ctx, o, say)
	if err != nil {
		return nil, err
	}
	defer done()
	accel, err := chooseAccel(ctx, o.Accel, k.Image, say)
	if err != nil {
		return nil, err
	}
	mgmt, err := managementNet(all)
	if err != nil {
		return nil, err
	}
	keys := make([]keyPair, len(all.Hosts))
	for n, h := range all.Hosts {
		if keys[n], err = newKeyPair(h.Name); err != nil {
			return nil, err
		}
	}
	authorised, err := authorise(folders)
	if err != nil {
		return nil, err
	}
	if o.Binary == "" {
		if o.Binary, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("cannot find lvsctl itself: %w", err)
		}
	}
	b := construction{folder: folders[0], spec: all, options: o, kernel: k, accel: accel, mgmt: mgmt, keys: keys, authorised: authorised, say: say}
	boot := b.bootNamespaces
	if o.whole() {
		boot = b.bootSystems
	}
	ports, err := boot(ctx)
	if err != nil {
		return nil, err
	}
	begun := time.Now().UTC().Truncate(time.Second)
	var labs []*Lab
	for n, s := range specs {
		count := len(s.Hosts)
		if err := writeSSH(folders[n], s.Hosts, keys[:count], ports[:count]); err != nil {
			return nil, err
		}
		l := &Lab{Name: s.Name, Accel: accel, Started: begun, Spec: s.digest(), Machine: folders[0].id, dir: folders[n].path}
		l.Hosts = endpoints(s, o, ports[:count])
		if err := l.write(folders[n]); err != nil {
			return nil, err
		}
		labs = append(labs, l)
		keys, ports = keys[count:], ports[count:]
	}
	return labs, nil
}

// endpoints describes the hosts of a lab. ports are those of their sshds.
func endpoints(s Spec, o Options, ports []int) []Endpoint {
	var out []Endpoint
	for n, h := range s.Hosts {
		e := Endpoint{Name: h.Name, Role: h.Role, Port: ports[n]}
		if o.whole() {
			e.System = o.system(h.Name)
		}
		for _, nic := range h.Interfaces {
			e.Addresses = append(e.Addresses, nic.Addresses...)
		}
		out = append(out, e)
	}
	return out
}

// bootNamespaces boots the machine whose namespaces are the hosts, and returns the ports
// of their sshds.
func (b construction) bootNamespaces(ctx context.Context) ([]int, error) {
	plan := draw(b.spec, b.mgmt)
	for n := range plan.Hosts {
		plan.Hosts[n].HostKey = string(b.keys[n].private)
	}
	b.say("packing the hosts' programs")
	if err := packImage(b.folder.Root, b.kernel, b.options.Binary, plan, b.authorised); err != nil {
		return nil, err
	}
	hosts := len(b.spec.Hosts)
	m := machine{id: b.folder.id, name: b.spec.Name, kernel: b.kernel.Image, accel: b.accel, memory: memory(b.options.Memory, hosts), cpus: b.options.cpus(1, 4), mgmt: b.mgmt}
	b.say(fmt.Sprintf("booting %d hosts (%s)", hosts, b.accel))
	if err := onFreePorts(hosts, func(ports []int) error { m.ports = ports; return m.start(ctx, b.folder) }); err != nil {
		return nil, err
	}
	timeout := b.options.Timeout
	if timeout == 0 {
		timeout = time.Minute + time.Duration(hosts)*3*time.Second
	}
	alive := func() bool { return len(machines(b.folder.id)) > 0 }
	if _, err := (console{folder: b.folder.Root, file: consoleFile}).await(ctx, timeout, alive); err != nil {
		return nil, fmt.Errorf("cannot bring up the lab: %w", err)
	}
	// QEMU has read the image. It is removed because the hosts' private keys are in it.
	if err := b.folder.Remove(imageFile); err != nil {
		return nil, fmt.Errorf("cannot clean up after booting: %w", err)
	}
	return m.ports, nil
}

// cpus is how many processors each of so many machines has.
func (o Options) cpus(machines, most int) int {
	if o.CPUs > 0 {
		return o.CPUs
	}
	return min(max(runtime.NumCPU()/machines, 1), most)
}

// memory is how much memory a machine of namespaces has, in MiB: some for the kernel
// and the root file system, and some for each host's sshd, sessions and tables. Memory
// that the guest does not use costs this machine nothing.
func memory(asked, hosts int) int {
	if asked > 0 {
		return asked
	}
	return 1024 + 48*hosts
}

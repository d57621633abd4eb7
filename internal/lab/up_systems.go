package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// systemMemory is the memory of a whole Debian in MiB. bootTime is how long its boot
// may take on an emulated processor while no other machine runs.
const (
	systemMemory = 512
	bootTime     = 2 * time.Minute
)

// bootLimit is how long a host may take to boot while hosts of them boot.
func bootLimit(hosts int) time.Duration { return bootTime * time.Duration(hosts+1) }

// bootSystems boots a machine for every host, all at the same time, and returns the
// ports of their sshds.
func (b construction) bootSystems(ctx context.Context) ([]int, error) {
	if err := checkQEMU(ctx); err != nil {
		return nil, err
	}
	images, err := b.images(ctx)
	if err != nil {
		return nil, err
	}
	b.say("packing the hosts' disks")
	machines := make([]vm, len(b.spec.Hosts))
	cables := lay(b.spec.Hosts)
	for n, h := range b.spec.Hosts {
		machines[n] = vm{
			id: b.folder.id, name: b.spec.Name, host: h.Name, kernel: b.kernel.Image, accel: b.accel,
			memory: systemMemory, cpus: b.options.cpus(len(b.spec.Hosts), 2),
			mgmt: b.mgmt, addr: managementAddr(b.mgmt, n), mac: hostMAC(n, managementNIC), cables: cables[n],
		}
		if b.options.Memory > 0 {
			machines[n].memory = b.options.Memory
		}
		if err := b.prepare(ctx, machines[n], n, images[b.options.system(h.Name)]); err != nil {
			return nil, err
		}
	}
	b.say("starting QEMU")
	ports := make([]int, len(machines))
	// The first host on a segment has its hub, so it must start before the others.
	for n := range machines {
		m := &machines[n]
		if err := onFreePorts(1, func(free []int) error { m.port = free[0]; return m.start(ctx, b.folder) }); err != nil {
			return nil, err
		}
		ports[n] = m.port
	}
	timeout := b.options.Timeout
	if timeout == 0 {
		timeout = bootLimit(len(machines))
	}
	return ports, b.awaitSystems(ctx, machines, timeout)
}

// awaitSystems returns when all machines have booted, or one has failed.
func (b construction) awaitSystems(ctx context.Context, machines []vm, timeout time.Duration) error {
	all, ctx := errgroup.WithContext(ctx)
	type booted struct{ host, said string }
	up := make(chan booted, len(machines))
	left := make([]string, len(machines))
	for n, m := range machines {
		left[n] = m.host
	}
	for _, m := range machines {
		all.Go(func() error {
			words, err := m.await(ctx, b.folder, 0, timeout)
			if err != nil {
				return fmt.Errorf("cannot bring up the lab: %s: %w", m.host, err)
			}
			up <- booted{m.host, state(m.host, words)}
			return nil
		})
	}
	done := make(chan error, 1)
	go func() {
		done <- all.Wait()
		close(up)
	}()
	b.say(fmt.Sprintf("booting %d whole Debians (%s): waiting for %s", len(machines), b.accel, strings.Join(left, ", ")))
	for one := range up {
		left = slices.DeleteFunc(left, func(host string) bool { return host == one.host })
		text := fmt.Sprintf("%d of %d: %s", len(machines)-len(left), len(machines), one.said)
		if len(left) > 0 {
			text += "; waiting for " + strings.Join(left, ", ")
		}
		b.say(text)
	}
	return <-done
}

// images returns the paths of the images that the hosts need, by network system.
func (b construction) images(ctx context.Context) (map[System]string, error) {
	cache, err := openCache(debianDir)
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	if missing := b.kernel.lacks(rootModules); len(missing) > 0 {
		return nil, fmt.Errorf("cannot boot whole hosts with kernel %s: it has no %s\nTake Debian's: leave out --kernel and --modules", b.kernel.Version, strings.Join(missing, ", "))
	}
	out := map[System]string{}
	for _, h := range b.spec.Hosts {
		system := b.options.system(h.Name)
		if out[system] != "" {
			continue
		}
		if out[system], err = (debianCache{cache, b.say}).image(ctx, system); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// prepare makes the folder of host n's machine, with its initramfs and its disk. The
// disk holds what differs from the image.
func (b construction) prepare(ctx context.Context, m vm, n int, image string) error {
	if err := b.folder.MkdirAll(m.dir(), 0o700); err != nil {
		return fmt.Errorf("cannot make the folder of %s: %w", m.host, err)
	}
	// The file exists with mode 0600 before qemu-img writes it, so that no other user
	// can read it.
	if err := writeNew(b.folder.Root, m.file(diskFile), nil); err != nil {
		return err
	}
	dir, done, err := b.folder.inside()
	if err != nil {
		return err
	}
	defer done()
	if _, err := output(ctx, dir, "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image, m.file(diskFile)); err != nil {
		return err
	}
	h := b.spec.Hosts[n]
	list, err := devices(h, n, managementName(b.spec.Hosts), b.mgmt)
	if err != nil {
		return err
	}
	files, err := ownFiles(h, b.options.system(h.Name), list, b.keys[n], b.authorised)
	if err != nil {
		return err
	}
	return packSystem(b.folder.Root, m.file(imageFile), b.kernel, b.options.Binary, list, files)
}

// await reads the machine's console from a certain byte on until a boot has ended. It
// returns the boot's id and how it ended.
func (m vm) await(ctx context.Context, f folder, from int64, timeout time.Duration) (string, error) {
	alive := func() bool { return slices.Contains(slices.Collect(maps.Values(machines(m.id))), m.label()) }
	return console{f.Root, m.file(consoleFile), from}.await(ctx, timeout, alive)
}

// state says for people how a boot ended: "rs-1 is running", "lb is degraded:
// keepalived.service".
func state(host, words string) string {
	_, words, _ = strings.Cut(words, " ")
	words, failed, degraded := strings.Cut(words, " ")
	if degraded {
		return fmt.Sprintf("%s is %s: %s", host, words, failed)
	}
	return fmt.Sprintf("%s is %s", host, words)
}

package lab

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// release is the Debian that whole hosts run.
const release = "bookworm"

// basePackages are on every whole host: what a Debian server has, and what LVS
// and the lab's answers take.
const basePackages = "systemd-sysv,udev,dbus,iproute2,ipvsadm,iptables,conntrack,kmod,procps,openssh-server,curl,iputils-ping,iputils-arping,redis-server,tcpdump,keepalived"

// systemPackages make a base one of the network systems: a host has one alone.
var systemPackages = map[System]string{Ifupdown: "ifupdown", Netplan: "netplan.io", NetworkManager: "network-manager"}

//go:embed debian/customise.sh
var customise string

// baseOptions leave out what nobody reads on a lab's host, and spare the disk.
var baseOptions = []string{
	"--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/info/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=force-unsafe-io",
}

// recipe identifies how an image is made: of another recipe, it is another image.
func recipe(system System) string {
	return digest(baseRecipe(), string(system), systemPackages[system], customise)
}

func baseRecipe() string { return digest(append([]string{release, basePackages}, baseOptions...)...) }

func digest(parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "\n"))))[:12]
}

// A debianCache is the folder in which the images of whole Debians are kept:
// SYSTEM-RECIPE.img, a raw disk with a root file system and nothing before it,
// and base-RECIPE.tar, what they have in common.
type debianCache struct {
	dir string
	say func(string)
}

// debiansIn is the folder of whole Debians' images in the user's cache folder.
func debiansIn(cache string) string { return filepath.Join(cache, "debian") }

func (c debianCache) file(system System) string {
	return filepath.Join(c.dir, fmt.Sprintf("%s-%s.img", system, recipe(system)))
}

// cached reports whether the images of all systems that are asked for are there.
func (o Options) cached(cache string) bool {
	c := debianCache{dir: debiansIn(cache)}
	for _, system := range append(slices.Collect(maps.Values(o.Systems)), o.system("")) {
		if modified(c.file(system)) == 0 {
			return false
		}
	}
	return true
}

// image returns the file of a system's image, which it makes if there is none.
// Whoever else makes one at the time is waited for.
func (c debianCache) image(ctx context.Context, system System) (string, error) {
	file := c.file(system)
	if modified(file) != 0 {
		return file, nil
	}
	unlock, err := c.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	if modified(file) != 0 {
		return file, nil
	}
	base, err := c.base(ctx)
	if err != nil {
		return "", err
	}
	c.say(fmt.Sprintf("making the image of a Debian with %s", system))
	return file, c.make(file, func(work string) error {
		args := []string{
			"--variant=custom", "--skip=update", "--setup-hook=tar-in " + shellWord(base) + " /",
			"--customize-hook=" + filepath.Join(work, "customise"),
		}
		if pkg, ok := systemPackages[system]; ok {
			args = append(args, "--include="+pkg)
		}
		return mmdebstrap(ctx, []string{"SYSTEM=" + string(system)}, work, append(args, "", "/dev/null"))
	})
}

// base returns the tar file of what the images have in common.
func (c debianCache) base(ctx context.Context) (string, error) {
	file := filepath.Join(c.dir, "base-"+baseRecipe()+".tar")
	if modified(file) != 0 {
		return file, nil
	}
	c.say(fmt.Sprintf("fetching Debian %s", release))
	sources, err := aptSources(ctx)
	if err != nil {
		return "", err
	}
	return file, c.make(file, func(work string) error {
		args := append([]string{"--variant=minbase", "--format=tar", "--include=" + basePackages, "--skip=output/dev,cleanup/apt/lists"}, baseOptions...)
		args = append(args, release, filepath.Join(work, "image"))
		return mmdebstrap(ctx, nil, work, append(args, sources...))
	})
}

// make lets fill write a file in a folder of its own, which its process may
// reach under another user's id, and puts the file into the cache when it is
// whole.
func (c debianCache) make(file string, fill func(work string) error) error {
	fail := func(err error) error { return fmt.Errorf("cannot make %s: %w", file, err) }
	work, err := os.MkdirTemp("", "lvsctl-debian-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(work)
	image := filepath.Join(work, "image")
	err = errors.Join(os.Chmod(work, 0o711), os.WriteFile(image, nil, 0o644), os.Chmod(image, 0o666),
		os.WriteFile(filepath.Join(work, "customise"), []byte("#!/bin/sh\n"+customise), 0o755))
	if err != nil {
		return fail(err)
	}
	if err := fill(work); err != nil {
		return err
	}
	// The two may be on different file systems; what is empty stays a hole.
	part := file + ".part"
	defer os.Remove(part)
	if out, err := exec.Command("cp", "--sparse=always", image, part).CombinedOutput(); err != nil {
		return fail(fmt.Errorf("%w\n%s", err, out))
	}
	if err := os.Rename(part, file); err != nil {
		return fail(err)
	}
	return nil
}

// lock keeps others from making images in the cache meanwhile.
func (c debianCache) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the folder of the hosts' images: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(c.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the hosts' images: %w", err)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("cannot lock the hosts' images: %w", err)
		}
		if !told {
			c.say("waiting for another lvsctl to make the hosts' images")
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// mmdebstrap runs it; env is further environment of its hooks, which find the
// file to fill in IMAGE.
func mmdebstrap(ctx context.Context, env []string, work string, args []string) error {
	path, err := findTool("mmdebstrap")
	if err != nil {
		return err
	}
	mke2fs, err := findTool("mke2fs")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, append(proxyOptions(ctx), args...)...)
	cmd.Env = append(os.Environ(), append(env, "IMAGE="+filepath.Join(work, "image"), "MKE2FS="+mke2fs)...)
	// It cleans up after itself when it is asked to end.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("cannot make a Debian: mmdebstrap: %w\n%s\n%s", err, lastLines(string(out), 8), debianRemedy())
	}
	return nil
}

// debianRemedy is what mostly stands in the way: the archive, or without root
// the user namespace.
func debianRemedy() string {
	if os.Geteuid() == 0 {
		return "Check that `apt-get update` works here, and that there are 3 GB free in " + os.TempDir()
	}
	return "Without root it takes user namespaces: install uidmap, and give the user ids in /etc/subuid and /etc/subgid\nOr run lvsctl as root"
}

// shellWord is a word for the shell that splits mmdebstrap's hooks.
func shellWord(s string) string { return quote([]string{s}) }

package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// release is the Debian release that whole Debians run.
const release = "bookworm"

// basePackages are on every whole Debian: what a Debian server has, what LVS needs,
// and what the lab needs to answer requests.
const basePackages = "systemd-sysv,udev,dbus,iproute2,ipvsadm,iptables,conntrack,kmod,procps,openssh-server,curl,iputils-ping,iputils-arping,redis-server,tcpdump,keepalived"

// systemPackages are added to the base by network system. A host has one of them.
var systemPackages = map[System]string{Ifupdown: "ifupdown", Netplan: "netplan.io", NetworkManager: "network-manager"}

//go:embed debian/customise.sh
var customise string

// baseOptions leave documentation and translations out, and let dpkg not wait for
// the disk.
var baseOptions = []string{
	"--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/info/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=force-unsafe-io",
}

// recipe is the digest of all that decides what is in an image. It is part of the
// image's name, so an image made in another way is never used.
func recipe(system System) string {
	return digest(baseRecipe(), string(system), systemPackages[system], customise)
}

func baseRecipe() string { return digest(append([]string{release, basePackages}, baseOptions...)...) }

func digest(parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "\n"))))[:12]
}

// A debianCache is the folder in which the images of whole Debians are kept:
// SYSTEM-RECIPE.img is a raw disk that holds one root file system and no partition
// table; base-RECIPE.tar holds what all of them have in common.
type debianCache struct {
	*os.Root
	say func(string)
}

// debianDir is that folder's name in the cache.
const debianDir = "debian"

func imageName(system System) string { return fmt.Sprintf("%s-%s.img", system, recipe(system)) }

// cached reports whether the cache has the image of each system that o asks for.
func (o Options) cached() bool {
	root, err := openCache(debianDir)
	if err != nil {
		return false
	}
	defer root.Close()
	for _, system := range append(slices.Collect(maps.Values(o.Systems)), o.system("")) {
		if _, err := root.Lstat(imageName(system)); err != nil {
			return false
		}
	}
	return true
}

// Image returns the path of the image of a whole Debian with a network system: a disk
// with one ext4 file system and nothing before it. It makes the image if the cache has
// none. say is told what takes time.
func Image(ctx context.Context, system System, say func(string)) (string, error) {
	cache, err := openCache(debianDir)
	if err != nil {
		return "", err
	}
	defer cache.Close()
	return debianCache{cache, say}.image(ctx, system)
}

// image returns the path of a system's image. It makes the image if the cache has
// none, or one that was changed. It waits for another lvsctl that makes one.
func (c debianCache) image(ctx context.Context, system System) (string, error) {
	name := imageName(system)
	path := filepath.Join(c.Name(), name)
	if checkSealed(c.Root, name) == nil {
		return path, nil
	}
	unlock, err := lockCache(ctx, c.Root, c.say)
	if err != nil {
		return "", err
	}
	defer unlock()
	if ok, err := c.sealed(name); ok || err != nil {
		return path, err
	}
	base, err := c.base(ctx)
	if err != nil {
		return "", err
	}
	c.say(fmt.Sprintf("making the image of a Debian with %s", system))
	return path, c.make(name, func(out *os.File, work string) error {
		args := []string{
			"--variant=custom", "--skip=update", "--setup-hook=tar-in " + shellWord(base) + " /",
			"--customize-hook=" + customise,
		}
		if pkg, ok := systemPackages[system]; ok {
			args = append(args, "--include="+pkg)
		}
		return mmdebstrap(ctx, out, work, []string{"SYSTEM=" + string(system)}, append(args, "", "/dev/null"))
	})
}

// base returns the path of the tar file with what all images have in common. It
// makes the file if the cache has none.
func (c debianCache) base(ctx context.Context) (string, error) {
	name := "base-" + baseRecipe() + ".tar"
	path := filepath.Join(c.Name(), name)
	if ok, err := c.sealed(name); ok || err != nil {
		return path, err
	}
	c.say(fmt.Sprintf("fetching Debian %s", release))
	sources, err := aptSources(ctx)
	if err != nil {
		return "", err
	}
	return path, c.make(name, func(out *os.File, work string) error {
		args := append([]string{"--variant=minbase", "--format=tar", "--include=" + basePackages, "--skip=output/dev,cleanup/apt/lists"}, baseOptions...)
		return mmdebstrap(ctx, out, work, nil, append(append(args, release, "-"), sources...))
	})
}

// sealed reports whether a file of the cache is there and unchanged. If it is not,
// the caller makes it again. A file that another user owns or can write is an error.
func (c debianCache) sealed(name string) (bool, error) {
	err := checkSealed(c.Root, name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err == nil, nil
	}
	if _, own := openOwn(c.Root, name); own != nil {
		return false, own
	}
	c.say(name + " is not as it was made, and is made again")
	return false, nil
}

// make calls fill to write a file, and moves the file into the cache when it is
// finished. fill may use the folder work. From the beginning only this user can read
// the file and work.
func (c debianCache) make(name string, fill func(out *os.File, work string) error) error {
	fail := func(err error) error { return fmt.Errorf("cannot make %s: %w", name, err) }
	if err := newWork(c.Root); err != nil {
		return fail(err)
	}
	defer c.RemoveAll(workDir)
	part := filepath.Join(workDir, "part")
	out, err := c.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fail(err)
	}
	defer out.Close()
	if err := fill(out, filepath.Join(c.Name(), workDir)); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return fail(err)
	}
	if err := errors.Join(unseal(c.Root, name), c.Rename(part, name)); err != nil {
		return fail(err)
	}
	return seal(c.Root, name)
}

// mmdebstrap runs the program of that name. Its temporary files are below work. out
// is its standard output, and descriptor 3 of its hooks; one of the two writes what
// is wanted there. env is added to the environment of the hooks.
func mmdebstrap(ctx context.Context, out *os.File, work string, env, args []string) error {
	path, err := findTool("mmdebstrap")
	if err != nil {
		return err
	}
	mke2fs, err := findTool("mke2fs")
	if err != nil {
		return err
	}
	words := slices.Concat([]string{path}, proxyOptions(ctx), args)
	if os.Geteuid() != 0 {
		// It runs in a user namespace whose root is this user. The namespace that
		// mmdebstrap makes has another root, who could use work only if everybody could.
		unshare, err := findTool("unshare")
		if err != nil {
			return err
		}
		words = slices.Concat([]string{unshare, "--user", "--map-auto", "--map-root-user", "--mount", path, "--mode=root"}, words[1:])
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Env = append(os.Environ(), append(env, "TMPDIR="+work, "MKE2FS="+mke2fs)...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = out, &said, []*os.File{out}
	// SIGTERM lets mmdebstrap remove its temporary files.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("cannot make a Debian: mmdebstrap: %w\n%s\n%s", err, lastLines(said.String(), 8), debianRemedy(work))
	}
	return nil
}

// debianRemedy says what to do after mmdebstrap failed. Mostly it could not reach the
// archive, or could not make a user namespace.
func debianRemedy(work string) string {
	if os.Geteuid() == 0 {
		return "Check that `apt-get update` works here, and that there are 3 GB free in " + filepath.Dir(work)
	}
	return "Without root it takes user namespaces: install uidmap, and give the user ids in /etc/subuid and /etc/subgid\nOr run lvsctl as root"
}

// shellWord quotes a word for the shell that runs mmdebstrap's hooks.
func shellWord(s string) string { return quote([]string{s}) }

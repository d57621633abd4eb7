package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A kernel is what the machine boots: the file Image, and the modules in
// Base/lib/modules/Version.
type kernel struct {
	Image, Base, Version string
}

// kernelPackage is the Debian package whose dependency is the newest kernel
// built for virtual machines: small, quick to boot, and IPVS among its modules.
const kernelPackage = "linux-image-cloud-amd64"

// findKernel returns the kernel that the options name, or else the cached one. If
// there is none in the cache, it fetches one. done removes temporary files.
func findKernel(ctx context.Context, o Options, say func(string)) (k kernel, done func(), err error) {
	done = func() {}
	if (o.Kernel == "") != (o.Modules == "") {
		return kernel{}, done, errors.New("cannot use a kernel without its modules: give both --kernel and --modules")
	}
	if o.Kernel != "" {
		return ownKernel(o.Kernel, o.Modules)
	}
	cache, err := openCache(kernelDir())
	if err != nil {
		return kernel{}, done, err
	}
	defer cache.Close()
	k, why, err := cachedKernel(cache)
	if err != nil || k.Image != "" {
		return k, done, err
	}
	unlock, err := lockCache(ctx, cache, say)
	if err != nil {
		return kernel{}, done, err
	}
	defer unlock()
	// Another lvsctl may have fetched it meanwhile.
	if k, _, err = cachedKernel(cache); err != nil || k.Image != "" {
		return k, done, err
	}
	say("fetching " + kernelPackage + why)
	if err := fetchKernel(ctx, cache); err != nil {
		return kernel{}, done, err
	}
	k, why, err = cachedKernel(cache)
	if err == nil && k.Image == "" {
		err = fmt.Errorf("cannot find the kernel in %s after fetching it%s", cache.Name(), why)
	}
	return k, done, err
}

func ownKernel(image, modules string) (kernel, func(), error) {
	none := func() {}
	base, err := os.MkdirTemp("", "lvsctl-modules-")
	if err != nil {
		return kernel{}, none, fmt.Errorf("cannot stage the kernel's modules: %w", err)
	}
	done := func() { os.RemoveAll(base) }
	k := kernel{Image: image, Base: base, Version: filepath.Base(filepath.Clean(modules))}
	if err := stageModules(modules, base, k.Version); err != nil {
		done()
		return kernel{}, none, err
	}
	return k, done, nil
}

// kernelDir is the name of the cache's folder for kernels. A digest of the module list
// in modules.go is part of it, so a change of that list takes a new folder.
func kernelDir() string {
	modules := sha256.Sum256([]byte(strings.Join(slices.Concat(vitalModules, hostModules), " ")))
	return fmt.Sprintf("kernel-%x", modules[:4])
}

// kernelCached reports whether there is a kernel in the cache, sound or not.
func kernelCached() bool {
	cache, err := openCache(kernelDir())
	if err != nil {
		return false
	}
	defer cache.Close()
	names, err := kernelNames(cache)
	return err == nil && len(names) > 0
}

// kernelNames are the kernels of the cache, the newest first: PACKAGE/ of kernelDir
// holds vmlinuz and lib/modules/VERSION.
func kernelNames(cache *os.Root) ([]string, error) {
	names, err := fs.Glob(cache.FS(), "linux-image-*/lib/modules/*")
	if err != nil {
		return nil, fmt.Errorf("cannot list the kernels in %s: %w", cache.Name(), err)
	}
	slices.SortFunc(names, func(a, b string) int {
		return modified(filepath.Join(cache.Name(), b)) - modified(filepath.Join(cache.Name(), a))
	})
	return names, nil
}

// cachedKernel returns the newest unchanged kernel in the cache. If there is none, the
// kernel is zero and why says what is wrong with one that is there.
func cachedKernel(cache *os.Root) (k kernel, why string, err error) {
	names, err := kernelNames(cache)
	if err != nil {
		return kernel{}, "", err
	}
	for _, name := range names {
		entry, _, _ := strings.Cut(name, "/")
		if err := checkSealed(cache, entry); err != nil {
			why = ": " + entry + " in the cache is not as it was made"
			continue
		}
		base := filepath.Join(cache.Name(), entry)
		return kernel{Image: filepath.Join(base, "vmlinuz"), Base: base, Version: filepath.Base(name)}, "", nil
	}
	return kernel{}, why, nil
}

func modified(path string) int {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return int(info.ModTime().Unix())
}

// fetchKernel downloads the package and unpacks it into the cache, which the caller
// has locked. After an error nothing new is in the cache.
func fetchKernel(ctx context.Context, cache *os.Root) error {
	if err := newWork(cache); err != nil {
		return fmt.Errorf("cannot cache the lab's kernel: %w", err)
	}
	defer cache.RemoveAll(workDir)
	work := filepath.Join(cache.Name(), workDir)

	depends, err := output(ctx, work, "apt-cache", "depends", "--important", kernelPackage)
	if err != nil {
		return err
	}
	name := dependency(depends)
	if name == "" {
		return fmt.Errorf("cannot find the package %s: run `apt-get update`, or name a kernel with --kernel and --modules", kernelPackage)
	}
	if _, err := output(ctx, work, "apt-get", "-qq", "download", name); err != nil {
		return fmt.Errorf("%w\nRun `apt-get update` and try again, or name a kernel with --kernel and --modules", err)
	}
	debs, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("cannot find the package that apt-get downloaded to %s", work)
	}
	full := filepath.Join(work, "full")
	if _, err := output(ctx, work, "dpkg", "-x", debs[0], full); err != nil {
		return err
	}
	return cacheKernel(cache, full, strings.TrimSuffix(filepath.Base(debs[0]), ".deb"))
}

// lacks returns those of the modules that are neither below Base nor built in.
func (k kernel) lacks(modules []string) []string {
	dir := filepath.Join(k.Base, "lib/modules", k.Version)
	dep, _ := os.ReadFile(filepath.Join(dir, "modules.dep"))
	builtin, _ := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	// A file that cannot be read counts as empty.
	_, missing := moduleClosure(string(dep), string(builtin), modules)
	return missing
}

// cacheKernel makes an entry of the cache out of the unpacked package.
func cacheKernel(cache *os.Root, full, entry string) error {
	images, err := filepath.Glob(filepath.Join(full, "boot/vmlinuz-*"))
	if err != nil || len(images) != 1 {
		return fmt.Errorf("cannot find the kernel in its package: %d images", len(images))
	}
	version := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	modules := ""
	for _, dir := range []string{"lib/modules", "usr/lib/modules"} {
		if path := filepath.Join(full, dir, version); modified(path) != 0 {
			modules = path
		}
	}
	if modules == "" {
		return fmt.Errorf("cannot find the modules of %s in its package", version)
	}
	if err := depmod(strings.TrimSuffix(modules, filepath.Join("lib/modules", version)), version); err != nil {
		return err
	}
	made := filepath.Join(workDir, "base")
	base := filepath.Join(cache.Name(), made)
	if err := copyFile(images[0], filepath.Join(base, "vmlinuz")); err != nil {
		return err
	}
	if err := stageModules(modules, base, version); err != nil {
		return err
	}
	if err := keepPrivate(base); err != nil {
		return err
	}
	// An entry that is there already was changed, or it would have been used.
	err = errors.Join(unseal(cache, entry), cache.RemoveAll(entry), cache.Rename(made, entry))
	if err != nil {
		return fmt.Errorf("cannot cache the lab's kernel: %w", err)
	}
	return seal(cache, entry)
}

// keepPrivate takes the rights of other users to all below a folder away.
func keepPrivate(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode()&0o700)
	})
	if err != nil {
		return fmt.Errorf("cannot keep the lab's kernel from others: %w", err)
	}
	return nil
}

// dependency finds the real kernel in what apt-cache 2.6 prints:
//
//	linux-image-cloud-amd64
//	  Depends: linux-image-6.1.0-56-cloud-amd64
func dependency(depends string) string {
	for line := range strings.Lines(depends) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), "Depends: "); ok && strings.HasPrefix(name, "linux-image-") {
			return name
		}
	}
	return ""
}

// output runs a command in dir and returns its standard output. The error holds the
// command's standard error.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot run %s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), nil
}

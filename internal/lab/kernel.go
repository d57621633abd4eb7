package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A kernel is what the machine boots: an image, and the modules for it below
// Base/lib/modules/Version.
type kernel struct {
	Image, Base, Version string
}

// kernelPackage is the Debian package whose dependency is the newest kernel
// built for virtual machines: small, quick to boot, and IPVS among its modules.
const kernelPackage = "linux-image-cloud-amd64"

// findKernel returns the kernel the options name, or the cached one, fetching it
// first if there is none. done removes what was made for this run alone.
func findKernel(ctx context.Context, o Options, say func(string)) (k kernel, done func(), err error) {
	done = func() {}
	if (o.Kernel == "") != (o.Modules == "") {
		return kernel{}, done, errors.New("cannot use a kernel without its modules: give both --kernel and --modules")
	}
	if o.Kernel != "" {
		return ownKernel(o.Kernel, o.Modules)
	}
	cache, err := cacheDir()
	if err != nil {
		return kernel{}, done, err
	}
	k, ok, err := cachedKernel(cache)
	if err != nil || ok {
		return k, done, err
	}
	say("fetching " + kernelPackage)
	if err := fetchKernel(ctx, cache); err != nil {
		return kernel{}, done, err
	}
	k, ok, err = cachedKernel(cache)
	if err == nil && !ok {
		err = fmt.Errorf("cannot find the kernel in %s after fetching it", cache)
	}
	return k, done, err
}

func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a folder to cache the lab's kernel in: %w", err)
	}
	return filepath.Join(dir, "lvsctl"), nil
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

// kernelDir is where kernels are cached with the modules of modules.go: with
// others, they are other kernels.
func kernelDir(cache string) string {
	modules := sha256.Sum256([]byte(strings.Join(slices.Concat(vitalModules, hostModules), " ")))
	return filepath.Join(cache, fmt.Sprintf("kernel-%x", modules[:4]))
}

// cachedKernel is the newest kernel in the cache: PACKAGE/ of kernelDir holds
// vmlinuz and lib/modules/VERSION.
func cachedKernel(cache string) (kernel, bool, error) {
	found, err := filepath.Glob(filepath.Join(kernelDir(cache), "linux-image-*", "lib/modules/*"))
	if err != nil || len(found) == 0 {
		return kernel{}, false, err
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return modified(a) - modified(b) })
	base := filepath.Dir(filepath.Dir(filepath.Dir(newest)))
	return kernel{Image: filepath.Join(base, "vmlinuz"), Base: base, Version: filepath.Base(newest)}, true, nil
}

func modified(path string) int {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return int(info.ModTime().Unix())
}

// fetchKernel downloads and unpacks the package below cache. It appears there
// whole or not at all, whoever else is fetching at the time.
func fetchKernel(ctx context.Context, cache string) error {
	if err := os.MkdirAll(kernelDir(cache), 0o755); err != nil {
		return fmt.Errorf("cannot cache the lab's kernel: %w", err)
	}
	work, err := os.MkdirTemp(kernelDir(cache), ".fetch-")
	if err != nil {
		return fmt.Errorf("cannot cache the lab's kernel: %w", err)
	}
	defer os.RemoveAll(work)

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
	return cacheKernel(full, work, filepath.Join(kernelDir(cache), strings.TrimSuffix(filepath.Base(debs[0]), ".deb")))
}

// lacks are those of the modules that are neither staged nor in the kernel.
func (k kernel) lacks(modules []string) []string {
	dir := filepath.Join(k.Base, "lib/modules", k.Version)
	dep, _ := os.ReadFile(filepath.Join(dir, "modules.dep"))
	builtin, _ := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	// What could not be read has nothing in it.
	_, missing := moduleClosure(string(dep), string(builtin), modules)
	return missing
}

// cacheKernel makes the cache's entry out of the unpacked package.
func cacheKernel(full, work, entry string) error {
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
	base := filepath.Join(work, "base")
	if err := copyFile(images[0], filepath.Join(base, "vmlinuz")); err != nil {
		return err
	}
	if err := stageModules(modules, base, version); err != nil {
		return err
	}
	// Someone else may have got there first; theirs is as good.
	if err := os.Rename(base, entry); err != nil && modified(entry) == 0 {
		return fmt.Errorf("cannot cache the lab's kernel: %w", err)
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

// output runs a command in dir; its error carries what the command said.
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

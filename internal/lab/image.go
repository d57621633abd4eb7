package lab

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed update-rc.d
var updateRC []byte

//go:embed etc
var etc embed.FS

// blueprintFile holds the blueprint, as JSON, in the guest.
const blueprintFile = "/lab.json"

// An image is the root file system that is being put together. Its paths have no
// leading slash. Folders are added for the files in them.
type image struct {
	entries map[string]imageEntry
	dirs    []string // the folders to search for libraries
}

type imageEntry struct {
	mode   uint32
	source string // a file of this machine; "" if data holds the content
	data   []byte
	device [2]uint32
}

// packImage writes the initramfs of a lab into its folder.
func packImage(root *os.Root, k kernel, binary string, b blueprint, authorised string) error {
	i := &image{entries: map[string]imageEntry{}, dirs: loaderDirs()}
	i.skeleton(authorised)
	if err := i.programs(binary); err != nil {
		return err
	}
	if err := i.tree(filepath.Join(k.Base, "lib/modules", k.Version), "usr/lib/modules/"+k.Version); err != nil {
		return err
	}
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("cannot pack the lab: %w", err)
	}
	i.put(blueprintFile, 0o600, text)
	return i.write(root, imageFile)
}

// skeleton adds the folders that every Debian has, with a merged /usr.
func (i *image) skeleton(authorised string) {
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		i.link(dir, "usr/"+dir)
		i.dir("usr/"+dir, 0o755)
	}
	for _, dir := range []string{"dev", "etc", "home", "proc", "run", "sys", "opt", "srv", "mnt", "var/lib", "var/log", "var/cache",
		"var/spool", "var/empty", "etc/default", "etc/keepalived", "etc/sysctl.d", "etc/modules-load.d", "etc/modprobe.d", "etc/network/interfaces.d", "etc/network/if-up.d", "etc/rc2.d", "etc/rc3.d", "etc/rc4.d", "etc/rc5.d"} {
		i.dir(dir, 0o755)
	}
	i.dir("tmp", 0o1777)
	i.dir("var/tmp", 0o1777)
	i.dir("root", 0o700)
	i.dir("root/.ssh", 0o700)
	i.link("var/run", "/run")
	i.link("etc/mtab", "/proc/self/mounts")
	i.put("root/.ssh/authorized_keys", 0o600, []byte(authorised))
	i.console()

	i.put("usr/sbin/update-rc.d", 0o755, updateRC)
	i.put("etc/rc.local", 0o755, []byte("#!/bin/sh\n"))

	// The tree is embedded in this program, so reading it cannot fail.
	_ = fs.WalkDir(etc, "etc", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := etc.ReadFile(name)
		mode := uint32(0o644)
		if name == "etc/shadow" {
			mode = 0o640
		}
		i.put(name, mode, data)
		return err
	})
}

// console packs /dev/console, which /init needs before a devtmpfs is mounted.
func (i *image) console() {
	i.entries["dev/console"] = imageEntry{mode: modeChar | 0o600, device: [2]uint32{5, 1}}
	i.entries["dev/null"] = imageEntry{mode: modeChar | 0o666, device: [2]uint32{1, 3}}
}

// programs packs this machine's tools, and lvsctl itself as /init.
func (i *image) programs(binary string) error {
	var names []string
	for _, t := range hostTools {
		names = append(names, t.name)
	}
	for _, name := range slices.Concat(names, spareTools) {
		path, err := findTool(name)
		if err != nil {
			continue // one of spareTools: CheckTools has found the others
		}
		if err := i.program(path); err != nil {
			return err
		}
	}
	if err := i.executable(binary, "init"); err != nil {
		return err
	}
	for _, path := range spareFiles {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if err := i.tree(path, merged(path)); err != nil {
			return err
		}
	}
	i.link("usr/bin/sh", "bash")
	if _, ok := i.entries["usr/bin/dash"]; ok {
		i.link("usr/bin/sh", "dash")
	}
	return i.applets()
}

// notApplets are names that busybox does not get. A busybox shell would run its own
// applets before the programs in PATH, for example ip. A host with dpkg or ifup would
// look like one with that package manager or network system. And poweroff on one
// host would end the machine of all.
var notApplets = strings.Fields(`busybox linuxrc init sh ash hush dpkg dpkg-deb rpm ifup ifdown udhcpc udhcpd
	halt poweroff reboot run-init switch_root pivot_root`)

// applets links to busybox every name of an applet that no packed program has.
func (i *image) applets() error {
	busybox, err := findTool("busybox")
	if err != nil {
		return err
	}
	list, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return fmt.Errorf("cannot list the applets of %s: %w", busybox, err)
	}
	have := map[string]bool{}
	for _, name := range notApplets {
		have[name] = true
	}
	for name := range i.entries {
		have[path.Base(name)] = true
	}
	for name := range strings.FieldsSeq(string(list)) {
		if !have[name] {
			i.link("usr/bin/"+name, "busybox")
		}
	}
	return nil
}

// program packs a program under the path that it has here. A link, for example one of
// the alternatives system, becomes a link to the program itself.
func (i *image) program(file string) error {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return fmt.Errorf("cannot pack %s: %w", file, err)
	}
	if merged(file) != merged(real) {
		i.link(merged(file), "/"+merged(real))
	}
	return i.executable(real, merged(real))
}

// executable packs a file under a name, with the libraries it loads.
func (i *image) executable(file, name string) error {
	libraries, err := closure(i.dirs, file)
	if err != nil {
		return err
	}
	i.entries[name] = imageEntry{mode: modeFile | 0o755, source: file}
	for _, lib := range libraries {
		if _, ok := i.entries[merged(lib)]; ok {
			continue
		}
		real, err := filepath.EvalSymlinks(lib)
		if err != nil {
			return fmt.Errorf("cannot pack %s: %w", lib, err)
		}
		i.entries[merged(real)] = imageEntry{mode: modeFile | 0o755, source: real}
		if merged(lib) != merged(real) {
			i.link(merged(lib), "/"+merged(real))
		}
	}
	return nil
}

// tree packs a file, or a folder with all that is in it, and the libraries they load.
func (i *image) tree(from, to string) error {
	return filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("cannot pack %s: %w", file, err)
		}
		rel, err := filepath.Rel(from, file)
		if err != nil {
			return fmt.Errorf("cannot pack %s: %w", file, err)
		}
		name := path.Join(to, filepath.ToSlash(rel))
		switch {
		case d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(file)
			if err != nil {
				return fmt.Errorf("cannot pack %s: %w", file, err)
			}
			i.link(name, target)
			return nil
		case strings.HasPrefix(name, "usr/lib/") && !strings.HasPrefix(name, "usr/lib/modules/"):
			return i.executable(file, name)
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("cannot pack %s: %w", file, err)
		}
		// A script that is executable here is executable on the hosts.
		i.entries[name] = imageEntry{mode: modeFile | 0o644 | uint32(info.Mode()&0o111), source: file}
		return nil
	})
}

func (i *image) dir(name string, perm uint32) {
	i.entries[name] = imageEntry{mode: modeDir | perm}
}

func (i *image) link(name, target string) {
	i.entries[name] = imageEntry{mode: modeSymlink | 0o777, data: []byte(target)}
}

func (i *image) put(name string, perm uint32, data []byte) {
	i.entries[strings.TrimPrefix(name, "/")] = imageEntry{mode: modeFile | perm, data: data}
}

// merged returns the path in the image of a file of this machine. /bin and /lib are
// links into /usr there, as they are on a Debian of today: /sbin/ip -> usr/sbin/ip.
func merged(file string) string {
	name := strings.TrimPrefix(filepath.ToSlash(file), "/")
	top, _, _ := strings.Cut(name, "/")
	if slices.Contains([]string{"bin", "sbin", "lib", "lib64"}, top) {
		return "usr/" + name
	}
	return name
}

// write writes the archive, each folder before the files in it.
func (i *image) write(root *os.Root, name string) error {
	for entry := range maps.Clone(i.entries) {
		for dir := path.Dir(entry); dir != "."; dir = path.Dir(dir) {
			if _, ok := i.entries[dir]; !ok {
				i.dir(dir, 0o755)
			}
		}
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot pack the lab: %w", err)
	}
	defer out.Close()
	buffer := bufio.NewWriterSize(out, 1<<20)
	archive := &cpioWriter{w: buffer}
	for _, entry := range slices.Sorted(maps.Keys(i.entries)) {
		if err := i.entries[entry].pack(archive, entry); err != nil {
			return err
		}
	}
	if err := archive.close(); err != nil {
		return fmt.Errorf("cannot pack the lab: %w", err)
	}
	if err := buffer.Flush(); err != nil {
		return fmt.Errorf("cannot pack the lab: %w", err)
	}
	return out.Close()
}

func (e imageEntry) pack(c *cpioWriter, name string) error {
	entry := cpioEntry{name: name, mode: e.mode, major: e.device[0], minor: e.device[1]}
	var data io.Reader = bytes.NewReader(e.data)
	entry.size = int64(len(e.data))
	if e.source != "" {
		f, err := os.Open(e.source)
		if err != nil {
			return fmt.Errorf("cannot pack %s: %w", e.source, err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return fmt.Errorf("cannot pack %s: %w", e.source, err)
		}
		data, entry.size = f, info.Size()
	}
	entry.data = data
	return c.add(entry)
}

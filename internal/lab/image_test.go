package lab

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCPIO(t *testing.T) {
	var have bytes.Buffer
	w := &cpioWriter{w: &have}
	for _, e := range []cpioEntry{
		{name: "d", mode: modeDir | 0o755},
		{name: "d/file", mode: modeFile | 0o600, size: 5, data: strings.NewReader("hello")},
		{name: "dev", mode: modeChar | 0o600, major: 5, minor: 1},
	} {
		if err := w.add(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	//      magic ino     mode    uid     gid     nlink   mtime   size    dev             rdev            name    check
	const want = "070701" + "00000001" + "000041ED" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000" + "0000000000000000" + "0000000000000000" + "00000002" + "00000000" + "d\x00" +
		"070701" + "00000002" + "00008180" + "00000000" + "00000000" + "00000001" + "00000000" + "00000005" + "0000000000000000" + "0000000000000000" + "00000007" + "00000000" + "d/file\x00\x00\x00\x00" + "hello\x00\x00\x00" +
		"070701" + "00000003" + "00002180" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000" + "0000000000000000" + "0000000500000001" + "00000004" + "00000000" + "dev\x00\x00\x00" +
		"070701" + "00000004" + "00000000" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000" + "0000000000000000" + "0000000000000000" + "0000000B" + "00000000" + "TRAILER!!!\x00\x00\x00\x00"
	if diff := cmp.Diff(want, have.String()); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
	if err := (&cpioWriter{w: &have}).add(cpioEntry{name: "short", size: 9, data: strings.NewReader("x")}); err == nil {
		t.Error("a file that shrank was packed")
	}
}

func TestClosure(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh here to look into")
	}
	have, err := closure(loaderDirs(), sh)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range have {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	e, ok, err := readELF(sh)
	if err != nil || !ok {
		t.Fatalf("%s is no ELF file: %v", sh, err)
	}
	if e.interp != "" && !slices.Contains(have, e.interp) {
		t.Errorf("no loader among %v", have)
	}
	for _, lib := range e.needed {
		if !slices.ContainsFunc(have, func(path string) bool { return filepath.Base(path) == lib }) {
			t.Errorf("no %s among %v", lib, have)
		}
	}
	if len(e.needed) > 0 {
		if _, err := closure(nil, sh); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no library folders: %v", err)
		}
	}
}

func TestClosureOfScript(t *testing.T) {
	file := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if have, err := closure(loaderDirs(), file); err != nil || len(have) != 0 {
		t.Errorf("a script needs %v, %v", have, err)
	}
	if _, err := closure(nil, filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestMerged(t *testing.T) {
	for path, want := range map[string]string{
		"/sbin/ip": "usr/sbin/ip", "/lib64/ld.so": "usr/lib64/ld.so", "/usr/bin/curl": "usr/bin/curl", "/library/x": "library/x", "/etc/a": "etc/a",
	} {
		if have := merged(path); have != want {
			t.Errorf("%s: want %s, have %s", path, want, have)
		}
	}
}

// TestProgramLink packs a program that is a link of the alternatives system. The image
// holds the program under its own name and a link to it.
func TestProgramLink(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "real"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "name")); err != nil {
		t.Fatal(err)
	}
	i := &image{entries: map[string]imageEntry{}}
	if err := i.program(filepath.Join(dir, "name")); err != nil {
		t.Fatal(err)
	}
	link, real := i.entries[merged(dir+"/name")], i.entries[merged(dir+"/real")]
	if string(link.data) != dir+"/real" || link.mode&modeSymlink != modeSymlink || real.source != dir+"/real" || real.mode != modeFile|0o755 {
		t.Errorf("packed as %+v and %+v", link, real)
	}
}

func TestModuleClosure(t *testing.T) {
	const dep = "kernel/a/ip_vs.ko: kernel/b/nf_conntrack.ko kernel/c/libcrc32c.ko\n" +
		"kernel/a/ip_vs_rr.ko.xz: kernel/a/ip_vs.ko kernel/b/nf_conntrack.ko kernel/c/libcrc32c.ko\n" +
		"kernel/b/nf_conntrack.ko: kernel/c/libcrc32c.ko\nkernel/c/libcrc32c.ko:\nkernel/d/other.ko:\nkernel/e/xt-mark.ko:\n"
	files, missing := moduleClosure(dep, "kernel/f/virtio_net.ko\n", []string{"ip_vs_rr", "nf_conntrack", "virtio_net", "ip_vs_twos", "xt_mark"})
	if diff := cmp.Diff([]string{"kernel/a/ip_vs.ko", "kernel/a/ip_vs_rr.ko.xz", "kernel/b/nf_conntrack.ko", "kernel/c/libcrc32c.ko", "kernel/e/xt-mark.ko"}, files); diff != "" {
		t.Errorf("files (-want +have):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ip_vs_twos"}, missing); diff != "" {
		t.Errorf("missing (-want +have):\n%s", diff)
	}
}

func TestDependency(t *testing.T) {
	for text, want := range map[string]string{
		"linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-56-cloud-amd64\n": "linux-image-6.1.0-56-cloud-amd64",
		"linux-image-cloud-amd64\n  Depends: <linux-initramfs-tool>\n":           "",
		"": "",
	} {
		if have := dependency(text); have != want {
			t.Errorf("%q: want %q, have %q", text, want, have)
		}
	}
}

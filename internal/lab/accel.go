package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// probeTime is how long KVM may take to boot a kernel that has no root file
// system. Where KVM works, that takes about a second.
const probeTime = 8 * time.Second

// probeAge is how long a probe's outcome is believed. After a reboot of this
// machine KVM is tried again earlier.
const probeAge = 24 * time.Hour

// A probe is the remembered outcome of trying KVM.
type probe struct {
	BootID string    `json:"boot_id"`
	At     time.Time `json:"at"`
	Works  bool      `json:"works"`
}

// checkAccel refuses a name that is not an accelerator's.
func checkAccel(want string) error {
	switch want {
	case "", "auto", "kvm", "tcg":
		return nil
	}
	return fmt.Errorf("cannot use accelerator %q: it is auto, kvm or tcg", want)
}

// chooseAccel decides what "auto" means on this machine. It tries KVM before it
// uses it: a guest may hang although /dev/kvm is there and can be opened.
func chooseAccel(ctx context.Context, want, kernel string, say func(string)) (string, error) {
	if want == "kvm" || want == "tcg" {
		return want, nil
	}
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return "tcg", nil
	}
	f.Close()

	cache, err := openCache()
	if err != nil {
		return "", err
	}
	defer cache.Close()
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("cannot tell one boot from another: %w", err)
	}
	p := probe{BootID: strings.TrimSpace(string(boot)), At: time.Now()}
	if old, ok := readProbe(cache); ok && old.BootID == p.BootID && p.At.Sub(old.At) < probeAge {
		p = old
	} else {
		say("trying KVM")
		if p.Works = kvmBoots(ctx, kernel); ctx.Err() != nil {
			return "", ctx.Err()
		}
		// If the outcome cannot be stored, the next run tries KVM again.
		if text, err := json.Marshal(p); err == nil {
			_ = cache.Remove(probeFile)
			_ = writeNew(cache, probeFile, text)
		}
	}
	if p.Works {
		return "kvm", nil
	}
	return "tcg", nil
}

// probeFile holds the outcome of the last probe, in the cache folder.
const probeFile = "kvm.json"

func readProbe(cache *os.Root) (probe, bool) {
	var p probe
	f, err := openOwn(cache, probeFile)
	if err != nil {
		return p, false
	}
	defer f.Close()
	return p, json.NewDecoder(f).Decode(&p) == nil
}

// kvmBoots boots the kernel without a root file system. A kernel that gets as
// far as to panic over that has working timers, memory and console.
func kvmBoots(ctx context.Context, kernel string) bool {
	path, err := findTool(qemu)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	args := append([]string{"-m", "256", "-serial", "stdio", "-kernel", kernel, "-append", "console=ttyS0 panic=-1", "-no-reboot"}, bareArgs()...)
	cmd := exec.CommandContext(ctx, path, append(args, accelArgs("kvm")...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.WaitDelay = time.Second
	var console bytes.Buffer
	cmd.Stdout = &console
	err = cmd.Run()
	return err == nil && bytes.Contains(console.Bytes(), []byte("Kernel panic"))
}

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

// probeTime is how long KVM has to boot a kernel without any root file system;
// a working one needs about a second.
const probeTime = 8 * time.Second

// probeAge is how long a probe's outcome holds. A reboot ends it earlier.
const probeAge = 24 * time.Hour

// A probe is the remembered outcome of trying KVM.
type probe struct {
	BootID string    `json:"boot_id"`
	At     time.Time `json:"at"`
	Works  bool      `json:"works"`
}

// checkAccel refuses what is no accelerator.
func checkAccel(want string) error {
	switch want {
	case "", "auto", "kvm", "tcg":
		return nil
	}
	return fmt.Errorf("cannot use accelerator %q: it is auto, kvm or tcg", want)
}

// chooseAccel settles what "auto" means on this machine. KVM has to prove
// itself: /dev/kvm may be there, even openable, and the guest still hang.
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
		// An outcome that cannot be remembered is only found out again.
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

// probeFile is where the cache remembers it.
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

// kvmBoots boots the kernel with nothing to run: one that reaches the panic
// over its missing root file system has had its timers, its memory and its
// console working.
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

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Reboot lets a host's systemd reboot it, and returns when the new boot is over and
// sshd answers. The result is what systemd says of the boot: "running", or "degraded"
// with the units that failed. The host must be a whole Debian.
func (l *Lab) Reboot(ctx context.Context, host string) (string, error) {
	return l.again(ctx, host, func() error {
		// The connection may end before the command does.
		cmd, err := l.Command(ctx, host, []string{"sh", "-c", "echo gone && systemctl reboot"})
		if err != nil {
			return err
		}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if out, err := cmd.Output(); string(out) != "gone\n" {
			return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(stderr.Bytes()))
		}
		return nil
	})
}

// PowerCut resets a host without warning and boots it again. As after a power failure,
// what the host has not written to its disk is lost. The result is as of [Lab.Reboot].
func (l *Lab) PowerCut(ctx context.Context, host string) (string, error) {
	return l.again(ctx, host, func() error { return reset(ctx, filepath.Join(l.dir, vm{host: host}.dir())) })
}

// again calls begin to start another boot of a host, and waits for its end.
func (l *Lab) again(ctx context.Context, host string, begin func() error) (string, error) {
	h, ok := l.Host(host)
	switch {
	case !ok:
		return "", fmt.Errorf("cannot reboot %s: lab %s has no such host", host, l.Name)
	case h.System == "":
		return "", fmt.Errorf("cannot reboot %s: it is a namespace of the lab's one machine\nBring the lab up with: lvsctl lab up --systemd", host)
	}
	fail := func(err error) (string, error) { return "", fmt.Errorf("cannot reboot %s: %w", host, err) }
	f, err := openFolder(l.dir)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	m := vm{id: f.id, name: l.Name, host: host}
	text, err := console{folder: f.Root, file: m.file(consoleFile)}.read()
	if err != nil {
		return fail(err)
	}
	before, _ := ready(string(text))
	if err := begin(); err != nil {
		return fail(err)
	}
	words, err := m.await(ctx, f, int64(len(text)), bootLimit(len(l.Hosts)))
	if err != nil {
		return fail(err)
	}
	boot, outcome, _ := strings.Cut(words, " ")
	if old, _, _ := strings.Cut(before, " "); old == boot {
		return fail(errors.New("it did not go down"))
	}
	return outcome, l.awaitGreeting(ctx, h)
}

// awaitGreeting returns when the host's sshd answers.
func (l *Lab) awaitGreeting(ctx context.Context, h Endpoint) error {
	for range 10 {
		greeting, cancel := context.WithTimeout(ctx, greetingTime)
		up := greeted(greeting, h.Port)
		cancel()
		if up {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s: it has booted, but its sshd does not answer", h.Name)
}

// reset resets the machine whose folder is dir, by a command to QEMU's monitor:
// https://www.qemu.org/docs/master/interop/qmp-spec.html.
func reset(ctx context.Context, dir string) error {
	// A socket's path has at most 107 bytes (UNIX_PATH_MAX), a folder's may have more.
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("cannot reach QEMU: %w", err)
	}
	defer folder.Close()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), monitorFile))
	if err != nil {
		return fmt.Errorf("cannot reach QEMU: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	answers := json.NewDecoder(conn)
	for _, command := range []string{"qmp_capabilities", "system_reset"} {
		if _, err := fmt.Fprintf(conn, `{"execute": %q}`, command); err != nil {
			return fmt.Errorf("cannot tell QEMU to reset: %w", err)
		}
		if err := awaitReturn(answers); err != nil {
			return fmt.Errorf("cannot tell QEMU to reset: %w", err)
		}
	}
	return nil
}

// awaitReturn reads QEMU's messages up to the answer to a command. It skips the
// greeting and events.
//
//	{"QMP": {"version": {...}, "capabilities": ["oob"]}}
//	{"timestamp": {...}, "event": "RESET", "data": {"guest": false, "reason": "host-qmp-system-reset"}}
//	{"return": {}}
func awaitReturn(answers *json.Decoder) error {
	for {
		var m struct {
			Return *json.RawMessage
			Error  *struct{ Desc string }
		}
		switch err := answers.Decode(&m); {
		case err != nil:
			return err
		case m.Error != nil:
			return errors.New(m.Error.Desc)
		case m.Return != nil:
			return nil
		}
	}
}

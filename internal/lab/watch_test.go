package lab

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"
)

// checkWatch stops QEMU by a signal, so that the machine answers as little as one that
// hangs.
func checkWatch(t *testing.T, l *Lab) {
	for pid := range machines(l.Machine) {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	}
	said := ""
	l.watch(t.Context(), 200*time.Millisecond, time.Second, func(text string) { said = text })
	if !strings.Contains(said, "the machine of lab lan has not answered for 1s") || !strings.Contains(said, "lvsctl lab down, then lvsctl lab up") {
		t.Errorf("of a machine that stands still: %q", said)
	}
}

// TestWatch has a machine that has ended, which is reported in other words, and one that
// answers, of which nothing is said.
func TestWatch(t *testing.T) {
	l := &Lab{Name: "x", Machine: strings.Repeat("5e", 16), Hosts: []Endpoint{{Name: "lb", Port: 1}}}
	said := ""
	l.watch(t.Context(), time.Millisecond, 20*time.Millisecond, func(text string) { said = text })
	if !strings.HasPrefix(said, "the machine of lab x has ended; ") {
		t.Errorf("%q", said)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	l.watch(ctx, time.Millisecond, time.Hour, func(text string) { t.Error(text) })
}

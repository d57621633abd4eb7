package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestWaiting waits for minutes where standard error is no terminal: every half minute a line
// says what for.
func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w := newApp(nil, io.Discard, &out).waiting()
		w.step("waiting for lvs, web-1")
		time.Sleep(65 * time.Second)
		w.step("waiting for lvs")
		time.Sleep(29 * time.Second)
		w.end()
		want := "waiting for lvs, web-1\nwaiting for lvs, web-1 (30s)\nwaiting for lvs, web-1 (60s)\nwaiting for lvs\n"
		if d := cmp.Diff(want, out.String()); d != "" {
			t.Error(d)
		}
	})
}

// TestWaitingOnTerminal shows the seconds in place, and leaves nothing.
func TestWaitingOnTerminal(t *testing.T) {
	a, shown := terminal(t)
	w := a.waiting()
	w.step("waiting for lvs")
	w.mu.Lock()
	w.began = w.began.Add(-12 * time.Second)
	w.mu.Unlock()
	w.tick()
	w.end()
	text := shown()
	if !strings.Contains(text, "waiting for lvs (12s)") || left(text) != "" {
		t.Errorf("shown: %q", text)
	}
}

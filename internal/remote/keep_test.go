package remote

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

func testKeep(t *testing.T, r Runner) {
	s, err := r.Keep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before := runtime.NumGoroutine()
	pid := ""
	for i := range 20 {
		have, err := s.Run(t.Context(), Script{Body: fmt.Sprintf("echo $$; printf 'no newline'; echo complaint >&2; exit %d", i)})
		if err != nil {
			t.Fatal(err)
		}
		first, rest, _ := strings.Cut(have.Stdout, "\n")
		have.Stdout = rest
		if pid == "" {
			pid = first
		}
		if d := cmp.Diff(Output{Stdout: "no newline", Stderr: "complaint\n", Status: i}, have); d != "" {
			t.Error(d)
		}
		if first != pid {
			t.Errorf("script %d runs in another shell", i)
		}
	}
	for start := time.Now(); runtime.NumGoroutine() > before+2; time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("%d goroutines before 20 scripts and %d after them", before, runtime.NumGoroutine())
		}
	}
	// Much output, other scripts meanwhile, and what a script leaves behind.
	big, err := s.Run(t.Context(), Script{Body: "i=0; while [ $i -lt 20000 ]; do echo a line of some length; i=$((i + 1)); done; X=1; cd /"})
	if err != nil || len(big.Stdout) != 20000*22 {
		t.Errorf("have %d bytes, %v", len(big.Stdout), err)
	}
	if have, err := r.Run(t.Context(), Script{Body: "echo other"}); err != nil || have.Stdout != "other\n" {
		t.Errorf("another script: %+v, %v", have, err)
	}
	if have, err := s.Run(t.Context(), Script{Body: `echo "$X"`}); err != nil || have.Stdout != "\n" {
		t.Errorf("a script sees what one before it set: %+v, %v", have, err)
	}
	// A script that cannot be parsed ends the shell, and that is said of later ones.
	_, err = s.Run(t.Context(), Script{Body: "echo 'a"})
	wantError(t, err, KindScript, "cannot parse")
	_, err = s.Run(t.Context(), Script{Body: "echo b"})
	wantError(t, err, KindTruncated, "its shell has ended")
	s.Close()
	s.Close()

	s, err = r.Keep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	go func() { time.Sleep(50 * time.Millisecond); stop() }()
	begin := time.Now()
	if _, err := s.Run(ctx, Script{Body: "sleep 30"}); err == nil || time.Since(begin) > 10*time.Second {
		t.Errorf("an interrupt ends it after %s with %v", time.Since(begin), err)
	}
}

func TestKeepHere(t *testing.T) {
	eachShell(t, func(t *testing.T, r *localRunner) { testKeep(t, r) })
}

func TestKeepOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, ""), target(s))
	testKeep(t, r)

	kept, err := r.Keep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = kept.Run(t.Context(), Script{Body: "echo a"})
	wantError(t, err, KindLost, "")
	kept.Close()
}

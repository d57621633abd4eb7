package remote

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// free waits until nobody holds a lock on file.
func free(t *testing.T, file string) {
	t.Helper()
	for start := time.Now(); exec.Command("flock", "-n", file, "true").Run() != nil; {
		if time.Since(start) > 10*time.Second {
			t.Fatal("the lock is still held")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func testHold(t *testing.T, r Runner) {
	if _, err := exec.LookPath("flock"); err != nil {
		t.Skip(err)
	}
	lock := filepath.Join(t.TempDir(), "lock")
	take := Script{Body: "exec 9>" + lock + "\nflock -n 9 || return 6\necho mine; cat"}
	have, release, err := r.Hold(t.Context(), take)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if d := cmp.Diff(Output{Stdout: "mine\n"}, have); d != "" {
		t.Error(d)
	}
	// It is held while other scripts run, and against another one who wants it.
	second, releaseSecond, err := r.Hold(t.Context(), take)
	if err != nil {
		t.Fatal(err)
	}
	releaseSecond()
	if d := cmp.Diff(Output{Status: 6}, second); d != "" {
		t.Error(d)
	}
	other, err := r.Run(t.Context(), Script{Body: "flock -n " + lock + " true"})
	if err != nil || other.Status != 1 {
		t.Errorf("want the lock held, have %+v, %v", other, err)
	}
	release()
	release()
	free(t, lock)

	_, release, err = r.Hold(t.Context(), Script{Body: "echo 'a"})
	wantError(t, err, KindScript, "cannot parse")
	release()
	_, release, err = r.Hold(t.Context(), Script{Body: "exit 3"})
	wantError(t, err, KindTruncated, "exit status 3")
	release()
}

func TestHoldHere(t *testing.T) {
	eachShell(t, func(t *testing.T, r *localRunner) { testHold(t, r) })
}

func TestHoldOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, ""), target(s))
	testHold(t, r)

	// The connection's end is the lock's end, whatever becomes of us.
	lock := filepath.Join(t.TempDir(), "lock")
	_, release, err := r.Hold(t.Context(), Script{Body: "exec 9>" + lock + "; flock -n 9"})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	free(t, lock)
}

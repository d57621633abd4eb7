package remote

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A script larger than any pipe, that answers while it is still being sent,
// must not wait for itself.
func TestLargeScriptLargeOutput(t *testing.T) {
	const size = 10 << 20
	line := ": " + strings.Repeat("x", 1000) + "\n"
	body := strings.Repeat(line, size/len(line)) + "head -c " + fmt.Sprint(size) + " /dev/zero; head -c 1000000 /dev/zero >&2"
	r := newLocal(Target{Name: "node-1"}, 60*time.Second, 5*time.Minute)
	have, err := r.Run(t.Context(), Script{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	if len(have.Stdout) != size || len(have.Stderr) != 1000000 || have.Status != 0 {
		t.Errorf("want %d and 1000000 bytes, have %d and %d", size, len(have.Stdout), len(have.Stderr))
	}
}

func TestEndlessOutput(t *testing.T) {
	r := newLocal(Target{Name: "node-1"}, 60*time.Second, 5*time.Minute)
	for _, c := range []struct {
		script Script
		want   string
	}{
		{Script{Body: "cat /dev/zero"}, "it printed more than 64 MiB"},
		{Script{Body: "cat /dev/zero >&2"}, "it printed more than 64 MiB"},
		{Script{Body: "yes ''"}, "it printed more than 2097152 lines"},
		{Script{Body: "yes note", Line: func(string) {}}, "it printed more than 65536 lines"},
		{Script{Body: "cat /dev/zero", Line: func(string) {}}, "it printed more than 8 MiB"},
	} {
		_, err := r.Run(t.Context(), c.script)
		wantError(t, err, KindTruncated, c.want)
	}
}

// A node that says a byte now and then is not listened to for ever.
func TestLimit(t *testing.T) {
	r := newLocal(Target{Name: "node-1"}, time.Second, 2*time.Second)
	drip := "while :; do printf x; sleep 0.1; done"
	_, err := r.Run(t.Context(), Script{Body: drip})
	wantError(t, err, KindLost, "its script did not end within 2s")
	_, release, err := r.Hold(t.Context(), Script{Body: drip, Limit: 500 * time.Millisecond})
	wantError(t, err, KindLost, "its script did not end within 500ms")
	release()

	// One that has a limit of its own may take longer.
	have, err := r.Run(t.Context(), Script{Body: "for i in 1 2 3 4 5; do sleep 0.5; echo $i; done", Limit: time.Minute})
	if err != nil || have.Status != 0 {
		t.Errorf("have %v, %v", have, err)
	}
}

func TestSilence(t *testing.T) {
	r := newLocal(Target{Name: "node-1"}, time.Second, time.Minute)
	_, err := r.Run(t.Context(), Script{Body: "sleep 20"})
	wantError(t, err, KindLost, "said nothing for 1s")

	// One that speaks now and then may take as long as it likes.
	have, err := r.Run(t.Context(), Script{Body: "for i in 1 2 3 4 5 6; do sleep 0.3; echo $i; done"})
	if err != nil || have.Status != 0 {
		t.Errorf("have %v, %v", have, err)
	}
}

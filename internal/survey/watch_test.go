package survey

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
	"github.com/lvsctl/lvsctl/plan"
)

// TestWatch reads a director over SSH again and again, over one connection, and over
// another one once that is lost. One that cannot be reached keeps it from nothing.
func TestWatch(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	d, err := remote.NewDialer(remote.Config{SSHConfig: s.ConfigPath})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var runners []remote.Runner
	dial := func(ctx context.Context) (remote.Runner, error) {
		r, err := d.Dial(ctx, remote.Target{Name: "lvs", Address: "node"})
		mu.Lock()
		defer mu.Unlock()
		runners = append(runners, r)
		return r, err
	}
	lost := errors.New("no route to host")
	all := []Node{
		{Input: plan.Input{Name: "lvs", Role: "director"}, Dial: dial},
		{Input: plan.Input{Name: "lost", Role: "director", Err: lost}, Dial: func(context.Context) (remote.Runner, error) { return nil, lost }},
		{Input: plan.Input{Name: "web", Role: "real_server"}},
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if all[0].Runner, err = dial(ctx); err != nil {
		t.Fatal(err)
	}
	w := watch(ctx, all[:2], openActivity, 10*time.Millisecond, 10*time.Millisecond)
	until := func(what string, holds func(Activity) bool) Activity {
		t.Helper()
		for late := time.After(time.Minute); ; {
			readings, newer := w.Readings()
			if r := readings["lvs"]; holds(r) {
				return r
			}
			select {
			case <-newer:
			case <-late:
				t.Fatal("not within a minute: " + what)
			}
		}
	}
	r := until("two readings", func(r Activity) bool { return r.Before != nil })
	if r.Err != nil || len(r.Now.State.Addresses) == 0 || r.Now.Traffic.Clock < r.Before.Traffic.Clock {
		t.Errorf("have %+v", r)
	}
	if readings, _ := w.Readings(); len(readings) != 2 || !errors.Is(readings["lost"].Err, lost) {
		t.Errorf("readings are of %v", readings)
	}
	mu.Lock()
	dialled := len(runners)
	mu.Unlock()
	if dialled != 1 {
		t.Errorf("it dialled %d times", dialled)
	}
	before := r.At
	if err := runners[0].Close(); err != nil {
		t.Fatal(err)
	}
	until("a reading over a new connection", func(r Activity) bool {
		mu.Lock()
		defer mu.Unlock()
		return r.Err == nil && r.At.After(before) && len(runners) > 1
	})
	stop()
	w.Wait()
}

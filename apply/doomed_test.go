package apply_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/remote"
)

// These environment variables make the test's program a doomed process: it applies to a
// host and kills itself at a place. They are the place, the ssh config and the timeout.
const (
	doomedPlace  = "LVSCTL_TEST_DOOMED_PLACE"
	doomedBefore = "LVSCTL_TEST_DOOMED_BEFORE"
	doomedConfig = "LVSCTL_TEST_DOOMED_CONFIG"
	// doomedTimeout is how long the host waits to be confirmed.
	doomedTimeout = "LVSCTL_TEST_DOOMED_TIMEOUT"
)

// TestKilledEverywhere kills the whole program that applies between any two statements on
// the host. The host goes on, and must put itself back or be as wanted.
func TestKilledEverywhere(t *testing.T) {
	needNodes(t)
	everyPlace(t, 10, hostOptions{}, func(t *testing.T, p *passage, place int) {
		p.sh(": >/run/go")
		// The last places come after the confirmation, for which a busy machine must have time.
		kill(t, p.node, where{number: place}, 8*time.Second)
		p.awaitRest()
		p.sh("rm /run/go")
		p.finish()
	})
}

// doomed is the doomed process: it applies to the host "web" and is killed at its gate.
func doomed() int {
	place, err := strconv.Atoi(os.Getenv(doomedPlace))
	if err != nil {
		return complain(err)
	}
	n := &node{name: "web", config: os.Getenv(doomedConfig)}
	if n.dialer, err = remote.NewDialer(remote.Config{SSHConfig: n.config}); err != nil {
		return complain(err)
	}
	g := &gates{where: where{place, os.Getenv(doomedBefore)}, text: waiting, reached: func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}}
	s, err := take(context.Background(), job{node: n, want: newState(), wrap: g.wrap})
	if err != nil {
		return complain(err)
	}
	g.open()
	rollback, err := time.ParseDuration(os.Getenv(doomedTimeout))
	if err != nil {
		return complain(err)
	}
	r := s.apply(context.Background(), func(o *apply.Options) { o.Rollback, o.Owner = rollback, "doomed@here" })
	return complain(errors.New("it survived: " + explain(r)))
}

func complain(err error) int {
	fmt.Println(err)
	return 1
}

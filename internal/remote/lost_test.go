package remote

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

func TestServerKilledDuringScript(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, ""), target(s))
	_, err := r.Run(t.Context(), Script{Body: "echo a; kill -9 $PPID; sleep 30"})
	wantError(t, err, KindLost, "the connection broke")
	_, err = r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindLost, "connection")
}

func TestSilenceOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, "", func(c *Config) { c.Silence = 2 * time.Second }), target(s))
	_, err := r.Run(t.Context(), Script{Body: "sleep 20 >&- 2>&-"})
	wantError(t, err, KindLost, "said nothing for 2s")
	_, err = r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindLost, "said nothing for 2s") // it is not waited for twice
	r = dial(t, dialer(t, "", func(c *Config) { c.Silence = 2 * time.Second }), target(s))
	have, err := r.Run(t.Context(), Script{Body: "for i in 1 2 3 4 5 6; do sleep 0.5; echo $i >&2; done"})
	if err != nil || have.Status != 0 {
		t.Errorf("want a script that speaks to run on, have %v, %v", have, err)
	}
}

func TestLimitOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, "", func(c *Config) { c.Silence = 400 * time.Millisecond }), target(s))
	_, err := r.Run(t.Context(), Script{Body: "while :; do printf x; sleep 0.1; done"})
	wantError(t, err, KindLost, "its script did not end within 2s")
	_, err = r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindLost, "did not end within 2s") // nobody waits for it again
}

func TestInterruptedOverSSH(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	r := dial(t, dialer(t, ""), target(s))
	ctx, cancel := context.WithCancel(t.Context())
	start := time.Now()
	_, err := r.Run(ctx, Script{Body: "echo a; sleep 3", Line: func(string) { cancel() }})
	wantError(t, err, KindInterrupted, "stopped")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
	// The connection is still good: whoever was interrupted may want to tidy up.
	if out, err := r.Run(t.Context(), Script{Body: "echo tidy"}); err != nil || out.Stdout != "tidy\n" {
		t.Errorf("have %v, %v", out, err)
	}
}

// A peer that vanishes without a word, as behind a firewall that forgot us.
func TestDeadPeer(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{})
	w := newWire(t, s.Addr)
	to := target(s)
	to.Port = w.port
	d := dialer(t, fmt.Sprintf("Host *\n  HostKeyAlias %s\n", "wired"), func(c *Config) { c.Silence = 2 * time.Second })
	key, err := os.ReadFile(s.HostKey("ed25519") + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	to.HostKey = string(key)
	r := dial(t, d, to)
	if _, err := r.Run(t.Context(), Script{Body: "echo"}); err != nil {
		t.Fatal(err)
	}
	w.cut()
	<-r.(*sshRunner).link.done // noticed without anything running
	_, err = r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindLost, "no answer for 2s")
}

// wire is a TCP connection's way that can be cut without either side hearing
// of it.
type wire struct {
	port int
	mu   sync.Mutex
	dead bool
}

func newWire(t *testing.T, to string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{port: l.Addr().(*net.TCPAddr).Port}
	var all sync.WaitGroup
	var conns []net.Conn
	all.Go(func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", to)
			if err != nil {
				_ = a.Close()
				return
			}
			w.mu.Lock()
			conns = append(conns, a, b)
			w.mu.Unlock()
			all.Go(func() { w.carry(a, b) })
			all.Go(func() { w.carry(b, a) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		all.Wait()
	})
	return w
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
}

func (w *wire) carry(from, to net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		w.mu.Lock()
		dead := w.dead
		w.mu.Unlock()
		if !dead {
			_, _ = io.Copy(to, bytes.NewReader(buf[:n]))
			if err != nil {
				_ = to.Close()
			}
		}
		if err != nil {
			return
		}
	}
}

package apply_test

import (
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// wire carries the connections between an apply and a host, and can cut them.
type wire struct {
	addr string
	dial func() (net.Conn, error)

	mu    sync.Mutex
	pairs map[*pair]bool
	dead  bool // new connections are refused
}

// pair is the two halves of one connection. If it is silent it carries nothing more, and
// neither end notices.
type pair struct {
	near, far net.Conn
	mu        sync.RWMutex // held for reading while bytes may pass
	silent    bool
}

func newWire(t testing.TB, dial func() (net.Conn, error)) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	w := &wire{addr: l.Addr().String(), dial: dial, pairs: map[*pair]bool{}}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { w.carry(near) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.cut()
		group.Wait()
	})
	return w
}

func (w *wire) carry(near net.Conn) {
	defer near.Close()
	w.mu.Lock()
	dead := w.dead
	w.mu.Unlock()
	if dead {
		return
	}
	far, err := w.dial()
	if err != nil {
		return
	}
	defer far.Close()
	p := &pair{near: near, far: far}
	w.mu.Lock()
	if w.dead {
		w.mu.Unlock()
		return
	}
	w.pairs[p] = true
	w.mu.Unlock()
	var group sync.WaitGroup
	group.Go(func() { p.copy(near, far) })
	group.Go(func() { p.copy(far, near) })
	group.Wait()
	w.mu.Lock()
	delete(w.pairs, p)
	w.mu.Unlock()
}

func (p *pair) copy(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.RLock()
		silent := p.silent
		if !silent && n > 0 {
			_, _ = to.Write(buf[:n]) // the copy in the other direction sees the error
		}
		p.mu.RUnlock()
		if err != nil {
			p.close()
			return
		}
	}
}

// close ends both halves, so that both ends notice.
func (p *pair) close() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.silent {
		return
	}
	_ = p.near.Close()
	_ = p.far.Close()
}

// cut ends every connection, so that both ends notice.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range w.pairs {
		_ = p.near.Close()
		_ = p.far.Close()
	}
}

// silence makes every connection silent for good. New ones are carried.
func (w *wire) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range w.pairs {
		p.mu.Lock()
		p.silent = true
		p.mu.Unlock()
	}
}

// refuse cuts every connection, and carries no new one until allow is called.
func (w *wire) refuse() {
	w.mu.Lock()
	w.dead = true
	w.mu.Unlock()
	w.cut()
}

func (w *wire) allow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = false
}

// dialIn connects from a host's network namespace.
func dialIn(n *node, addr string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		// The thread ends with the goroutine, so no other one runs in that namespace.
		runtime.LockOSThread()
		ns, err := os.Open("/proc/" + n.id() + "/ns/net")
		if err != nil {
			done <- result{nil, err}
			return
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{nil, err}
			return
		}
		conn, err := net.DialTimeout("tcp", addr, 3*time.Second)
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

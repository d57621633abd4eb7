package remote

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// link is one authenticated connection: a node's, or a jump host's.
type link struct {
	client  *ssh.Client
	done    chan struct{} // closed when the connection is gone
	release func()        // gives the jump host back

	once   sync.Once
	closed atomic.Bool // by us
	mu     sync.Mutex
	why    string // why we gave it up, if we did
}

func newLink(client *ssh.Client, release func(), silence time.Duration) *link {
	l := &link{client: client, release: release, done: make(chan struct{})}
	go func() {
		_ = client.Wait()
		close(l.done)
	}()
	go l.watch(silence)
	return l
}

// watch asks for a sign of life now and then: a peer that vanished without a
// word would otherwise be waited for until TCP gives up, a quarter of an hour.
func (l *link) watch(silence time.Duration) {
	every := time.NewTicker(min(15*time.Second, silence/4))
	defer every.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-every.C:
		}
		lost := time.AfterFunc(silence, func() {
			l.drop(fmt.Sprintf("the connection is dead: no answer for %s", silence))
		})
		_, _, _ = l.client.SendRequest("keepalive@openssh.com", true, nil)
		lost.Stop()
	}
}

// drop closes the connection; why is what is said of it from then on.
func (l *link) drop(why string) {
	l.mu.Lock()
	if l.why == "" {
		l.why = why
	}
	l.mu.Unlock()
	l.close()
}

func (l *link) close() {
	l.once.Do(func() {
		l.closed.Store(true)
		_ = l.client.Close()
		l.release()
	})
}

// gone is whether the connection is of no more use.
func (l *link) gone() bool {
	select {
	case <-l.done:
		return true
	default:
		return l.closed.Load()
	}
}

// lost says why the connection is gone.
func (l *link) lost() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why != "" {
		return l.why
	}
	return "the connection broke"
}

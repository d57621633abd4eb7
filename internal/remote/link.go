package remote

import (
	"context"
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

// jumps holds the connections to jump hosts, one for each way to log in to one,
// for as long as somebody uses it.
type jumps struct {
	mu sync.Mutex
	by map[string]*jump
}

type jump struct {
	ready  chan struct{} // closed when link or failed is set
	link   *link
	failed *Error
	users  int
}

// borrow is the connection to e, made if there is none. release must be called
// once.
func (j *jumps) borrow(ctx context.Context, e *endpoint, connect func(context.Context, *endpoint) (*link, *Error)) (*link, func(), *Error) {
	key := e.key()
	for {
		j.mu.Lock()
		c := j.by[key]
		mine := c == nil
		if mine {
			if j.by == nil {
				j.by = map[string]*jump{}
			}
			c = &jump{ready: make(chan struct{})}
			j.by[key] = c
		}
		c.users++
		j.mu.Unlock()
		if mine {
			c.link, c.failed = connect(ctx, e)
			if c.failed == nil {
				go func() {
					<-c.link.done
					j.forget(key, c)
					c.link.close()
				}()
			} else {
				j.forget(key, c)
			}
			close(c.ready)
		}
		select {
		case <-c.ready:
		case <-ctx.Done():
			j.leave(key, c)
			return nil, nil, interrupted(ctx)
		}
		if c.failed == nil {
			return c.link, sync.OnceFunc(func() { j.leave(key, c) }), nil
		}
		if c.failed.Kind == KindInterrupted && ctx.Err() == nil {
			continue // the one who dialled was interrupted, not we
		}
		failed := *c.failed
		failed.Summary = "jump host " + e.address() + ": " + failed.Summary
		return nil, nil, failed.as(e.user)
	}
}

// leave drops the connection when its last user goes.
func (j *jumps) leave(key string, c *jump) {
	j.mu.Lock()
	c.users--
	last := c.users == 0
	if last && j.by[key] == c {
		delete(j.by, key)
	}
	j.mu.Unlock()
	if !last {
		return
	}
	go func() {
		<-c.ready
		if c.link != nil {
			c.link.close()
		}
	}()
}

// forget keeps new users from a connection that is gone.
func (j *jumps) forget(key string, c *jump) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.by[key] == c {
		delete(j.by, key)
	}
}

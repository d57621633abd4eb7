package remote

import (
	"context"
	"sync"
)

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

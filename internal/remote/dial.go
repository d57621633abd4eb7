package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// Tries and the longest pauses between them: sshd drops connections at random
	// while more than ten are not logged in yet (MaxStartups 10:30:100).
	mostTries = 4
	firstWait = 300 * time.Millisecond
	// loginsAtOnce is how many logins to one sshd may be under way at once, for the
	// same reason. Only its own count: connections through it do not.
	loginsAtOnce = 8
)

var errTimeout = errors.New("timed out")

// loginSlots keeps the number of simultaneous logins to one server small.
type loginSlots struct {
	mu sync.Mutex
	by map[string]chan struct{} // by server: a buffer with room for each login
}

// enter waits for a place at a server; leave gives it back.
func (d *loginSlots) enter(ctx context.Context, server string) (leave func(), err error) {
	d.mu.Lock()
	slots := d.by[server]
	if slots == nil {
		if d.by == nil {
			d.by = map[string]chan struct{}{}
		}
		slots = make(chan struct{}, loginsAtOnce)
		d.by[server] = slots
	}
	d.mu.Unlock()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// server is what MaxStartups is counted at: one sshd, by whichever way it is reached.
func (e *endpoint) server() string {
	if e.via != nil {
		return e.via.server() + " " + e.dial()
	}
	return e.dial()
}

// connect logs in to e, by way of its jump hosts, and tries again where sshd
// hung up before it said who it is.
func (d *Dialer) connect(ctx context.Context, e *endpoint) (*link, *Error) {
	var via *link
	release := func() {}
	for try := 1; ; try++ {
		if e.via != nil && (via == nil || via.gone()) {
			release()
			var failed *Error
			if via, release, failed = d.jumps.borrow(ctx, e.via, d.connect); failed != nil {
				return nil, failed
			}
		}
		client, again, failed := d.login(ctx, e, via)
		if failed == nil {
			return newLink(client, release, d.silence), nil
		}
		if !again || try == mostTries || ctx.Err() != nil {
			release()
			if e.via != nil && failed.Kind != KindInterrupted {
				failed.Summary += " (through jump host " + e.via.address() + ")"
			}
			return nil, failed
		}
		wait := firstWait << (try - 1)
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-ctx.Done():
		}
	}
}

// login is one TCP connection, key exchange and authentication, all within the
// endpoint's timeout. again is true for what may be chance.
func (d *Dialer) login(ctx context.Context, e *endpoint, via *link) (client *ssh.Client, again bool, failed *Error) {
	leave, err := d.loginSlots.enter(ctx, e.server())
	if err != nil {
		return nil, false, interrupted(ctx)
	}
	defer func() {
		if client == nil {
			leave()
			return
		}
		// sshd counts us among the newcomers until its child is past the login;
		// that child's first answer says so.
		go func() {
			_, _, _ = client.SendRequest("keepalive@openssh.com", true, nil)
			leave()
		}()
	}()
	hostKeys, err := d.hostKeyCheck(e)
	if err != nil {
		return nil, false, configError(err)
	}

	caller := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clock := time.AfterFunc(e.timeout, func() { cancel(errTimeout) })
	defer clock.Stop()

	var raw net.Conn
	if via == nil {
		raw, err = e.connect(ctx)
	} else {
		raw, err = via.client.DialContext(ctx, "tcp", e.dial())
	}
	if err != nil {
		if caller.Err() != nil {
			return nil, false, interrupted(caller)
		}
		if context.Cause(ctx) == errTimeout {
			err = errTimeout
		}
		return nil, via != nil && via.gone(), e.noConnection(err, via)
	}
	conn := &firstBytes{Conn: raw}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })

	var refusedKey *Error
	var shown bool // the server showed its host key
	a := &attempt{e: e, ring: &d.keys, pause: func() func() {
		clock.Stop()
		return func() { clock.Reset(e.timeout) }
	}}
	config := &ssh.ClientConfig{
		Config:            ssh.Config{KeyExchanges: e.algorithms.keyExchanges, Ciphers: e.algorithms.ciphers, MACs: e.algorithms.macs},
		User:              e.user,
		HostKeyAlgorithms: hostKeys.algorithmsFor(),
		HostKeyCallback: func(_ string, from net.Addr, key ssh.PublicKey) error {
			shown = true
			if refusedKey = hostKeys.check(key, from); refusedKey != nil {
				return refusedKey
			}
			return nil
		},
		AuthCallback: a.next,
	}
	type result struct {
		client *ssh.Client
		err    error
	}
	done := make(chan result, 1)
	go func() {
		defer a.close()
		c, chans, reqs, err := ssh.NewClientConn(conn, e.dial(), config)
		if err != nil {
			done <- result{err: err}
			return
		}
		done <- result{client: ssh.NewClient(c, chans, reqs)}
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		// A prompt or a dead jump host may hold the handshake up for longer than the
		// caller waits; whatever it makes of the closed connection is thrown away.
		go func() {
			if r := <-done; r.client != nil {
				_ = r.client.Close()
			}
		}()
		if caller.Err() != nil {
			return nil, false, interrupted(caller)
		}
		return nil, false, e.tooSlow(conn.text())
	}
	if r.err == nil && stop() {
		return r.client, false, nil
	}
	_ = conn.Close()
	switch {
	case caller.Err() != nil:
		return nil, false, interrupted(caller)
	case context.Cause(ctx) == errTimeout:
		return nil, false, e.tooSlow(conn.text())
	case refusedKey != nil:
		return nil, false, refusedKey
	case shown && a.ready && hungUp(r.err) && a.asked:
		// LoginGraceTime ran out while a person typed; the key is open by now.
		return nil, true, a.failure(r.err)
	case errors.Is(r.err, errNoKey), shown && (a.ready || len(a.allowed) > 0):
		return nil, false, a.failure(r.err)
	}
	// A server that keeps an address out for a while (PerSourcePenalties) says so,
	// and counts every further try.
	again = !shown && hungUp(r.err) && !strings.Contains(conn.text(), "Not allowed at this time")
	return nil, again, e.noHandshake(r.err, conn.text())
}

// connect opens the connection itself.
func (e *endpoint) connect(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	if e.bind != "" {
		from, err := net.ResolveTCPAddr(e.network, net.JoinHostPort(e.bind, "0"))
		if err != nil {
			return nil, fmt.Errorf("the ssh config's BindAddress %s: %w", e.bind, err)
		}
		dialer.LocalAddr = from
	}
	return dialer.DialContext(ctx, e.network, e.dial())
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		// x/crypto loses the cause where it reports the first error of several.
		err != nil && (strings.HasSuffix(err.Error(), "EOF") || strings.HasSuffix(err.Error(), "connection reset by peer"))
}

// firstBytes keeps the first bytes a server sends: "Exceeded MaxStartups", or
// "HTTP/1.1 400", say more than the error that follows.
type firstBytes struct {
	net.Conn
	mu    sync.Mutex
	words []byte
}

func (c *firstBytes) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if room := 256 - len(c.words); room > 0 {
		c.words = append(c.words, p[:min(n, room)]...)
	}
	return n, err
}

func (c *firstBytes) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.words)
}

package remote

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// listen is a server that does one thing with each connection.
func listen(t *testing.T, serve func(net.Conn)) (port int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var conns []net.Conn
	var mu sync.Mutex
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			all.Go(func() { serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port
}

func TestUnreachable(t *testing.T) {
	silent := listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) })
	stalled := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n")) })
	web := listen(t, func(c net.Conn) {
		_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n" + strings.Repeat("x", 300)))
	})
	for name, c := range map[string]struct {
		to      Target
		summary string
		remedy  string
	}{
		"refused":      {Target{Address: "127.0.0.1", Port: sshtest.FreePort(t)}, "connection refused", "is sshd running"},
		"silent":       {Target{Address: "127.0.0.1", Port: silent}, "no SSH server spoke within 1s", "does sshd listen"},
		"stalled":      {Target{Address: "127.0.0.1", Port: stalled}, "not through within 1s", "connect_timeout"},
		"no SSH":       {Target{Address: "127.0.0.1", Port: web}, "no SSH server: it says HTTP/1.1 400", "right port"},
		"unknown name": {Target{Address: "no-such-host.invalid"}, "name no-such-host.invalid does not resolve", "write an IP"},
		"no route":     {Target{Address: "255.255.255.255"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.to.Name, c.to.ConnectTimeout = "web", time.Second
			if name == "unknown name" {
				c.to.ConnectTimeout = 10 * time.Second
			}
			_, err := dialer(t, "").Dial(t.Context(), c.to)
			e := wantError(t, err, KindUnreachable, c.summary)
			if !strings.Contains(e.Remedy, c.remedy) {
				t.Errorf("want remedy ...%s..., have %s", c.remedy, e.Remedy)
			}
		})
	}
}

func TestServerThatAlwaysHangsUp(t *testing.T) {
	var mu sync.Mutex
	count := 0
	port := listen(t, func(c net.Conn) {
		mu.Lock()
		count++
		mu.Unlock()
		_, _ = c.Write([]byte("Exceeded MaxStartups\r\n"))
		_ = c.Close()
	})
	_, err := dialer(t, "").Dial(t.Context(), Target{Name: "web", Address: "127.0.0.1", Port: port})
	wantError(t, err, KindUnreachable, "hung up before it showed its key: Exceeded MaxStartups")
	if count != mostTries {
		t.Errorf("want %d tries, have %d", mostTries, count)
	}
}

// A server that drops at random while others are logging in is tried again.
func TestMaxStartups(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{Config: "MaxStartups 2:100:3"})
	var idle []net.Conn
	for range 2 {
		c, err := net.Dial("tcp", s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 3)); err != nil { // sshd counts it by now
			t.Fatal(err)
		}
		idle = append(idle, c)
	}
	done := make(chan error, 1)
	go func() { done <- greet(t.Context(), dialer(t, ""), target(s)) }()
	for !strings.Contains(s.Log(), "drop connection") {
		time.Sleep(10 * time.Millisecond)
	}
	for _, c := range idle {
		_ = c.Close()
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Sixty at once to one sshd of default settings: half of them used to fail.
func TestManyAtOnce(t *testing.T) {
	s := sshtest.Start(t, sshtest.Options{Config: "MaxStartups 10:30:100"})
	d := dialer(t, "")
	var g errgroup.Group
	for i := range 40 {
		g.Go(func() error {
			to := target(s)
			to.Name = fmt.Sprint("web-", i)
			return greet(t.Context(), d, to)
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if strings.Contains(s.Log(), "drop connection") {
		t.Error("more logins at once than sshd likes")
	}
}

func TestDialInterrupted(t *testing.T) {
	port := listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := dialer(t, "").Dial(ctx, Target{Name: "web", Address: "127.0.0.1", Port: port})
	wantError(t, err, KindInterrupted, "out of time")
}

func TestDialLocal(t *testing.T) {
	wantHello(t, dialer(t, ""), Target{Name: "web", Address: "local", Sudo: false})
}

package remote

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lvsctl/lvsctl/internal/remote/sshtest"
)

// through is a config for web behind jump host gw.
func through(gw, web *sshtest.Server) string {
	return web.HostBlock("web") + "  ProxyJump gw\n" + gw.HostBlock("gw")
}

func logins(s *sshtest.Server) int { return strings.Count(s.Log(), "Accepted publickey") }

// ends waits until a server has seen n connections end.
func ends(t *testing.T, s *sshtest.Server, n int) {
	t.Helper()
	ended := func() (sum int) {
		for _, said := range []string{"Closing connection to", "Read error from remote host", "Connection reset by"} {
			sum += strings.Count(s.Log(), said)
		}
		return sum
	}
	for start := time.Now(); ended() < n; {
		if time.Since(start) > 10*time.Second {
			t.Fatalf("want %d ended connections:\n%s", n, s.Log())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestJump(t *testing.T) {
	gw, web := sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{})
	d := dialer(t, through(gw, web))
	wantHello(t, d, Target{Name: "node-1", Address: "web"})
	ends(t, gw, 1) // nobody needs it any more

	var g errgroup.Group
	arrived := make(chan struct{}, 20)
	leave := make(chan struct{})
	for i := range 20 {
		g.Go(func() error {
			r, err := d.Dial(t.Context(), Target{Name: fmt.Sprint("node-", i), Address: "web"})
			arrived <- struct{}{}
			if err != nil {
				return err
			}
			<-leave
			_, err = r.Run(t.Context(), Script{Body: "echo"})
			_ = r.Close()
			return err
		})
	}
	for range 20 {
		<-arrived
	}
	close(leave)
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if have := logins(gw); have != 2 {
		t.Errorf("want one more login at the jump host, have %d", have-1)
	}
	if have := logins(web); have != 21 {
		t.Errorf("want 21 logins at the node, have %d", have)
	}
	ends(t, gw, 2)
}

func TestJumpsInARow(t *testing.T) {
	a, b, c := sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{})
	d := dialer(t, a.HostBlock("a")+b.HostBlock("b")+c.HostBlock("c"))
	wantHello(t, d, Target{Name: "node-1", Address: "c", ProxyJump: "a,b"})
	if logins(a) != 1 || logins(b) != 1 || logins(c) != 1 {
		t.Errorf("have %d, %d, %d logins", logins(a), logins(b), logins(c))
	}
}

// A topology that brings its key and known_hosts needs no ssh config for its
// jump hosts either.
func TestJumpWithoutConfig(t *testing.T) {
	gw, web := sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{})
	gw.Authorize(t, read(t, web.Identity+".pub"))
	to := target(web)
	to.ProxyJump = fmt.Sprintf("%s@%s", gw.User, gw.Addr)
	to.KnownHosts = write(t, read(t, gw.KnownHosts)+read(t, web.KnownHosts))
	wantHello(t, dialer(t, ""), to)
}

func TestJumpFails(t *testing.T) {
	gw, web := sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{})
	closed := sshtest.Start(t, sshtest.Options{Config: "AllowTcpForwarding no"})
	port := sshtest.FreePort(t)
	silent := *gw
	silent.Port = listenSilent(t)
	unknown := *gw
	unknown.KnownHosts = os.DevNull
	locked := *gw
	locked.Identity = others(t, 1)[0]
	nobody := *web
	nobody.Port = port
	nowhere := *gw
	nowhere.Port = port
	for title, c := range map[string]struct {
		config  string
		kind    ErrorKind
		summary string
	}{
		"jump host is down":       {through(&nowhere, web), KindUnreachable, fmt.Sprintf("jump host 127.0.0.1:%d: connection refused", port)},
		"jump host is silent":     {through(&silent, web), KindUnreachable, "no SSH server spoke"},
		"jump host is unknown":    {through(&unknown, web), KindHostKey, "jump host " + gw.Addr + ": its host key is not known"},
		"jump host takes no key":  {through(&locked, web), KindAuth, "jump host " + gw.Addr + ": it accepts no key"},
		"jump host does not jump": {through(closed, web), KindUnreachable, "the jump host says: "},
		"node is down":            {through(gw, &nobody), KindUnreachable, "the jump host says: Connection refused (through jump host " + gw.Addr + ")"},
		"node is silent":          {through(gw, &silent), KindUnreachable, "no SSH server spoke"},
		"node is unknown":         {through(gw, web) + "Match all\n", KindHostKey, "its host key is not known"},
	} {
		t.Run(title, func(t *testing.T) {
			config := c.config
			if title == "node is unknown" {
				config = strings.Replace(config, web.KnownHosts, os.DevNull, 1)
			}
			_, err := dialer(t, config).Dial(t.Context(), Target{Name: "node-1", Address: "web", ConnectTimeout: 3 * time.Second})
			wantError(t, err, c.kind, c.summary)
		})
	}
}

func listenSilent(t *testing.T) int {
	return listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) })
}

// The jump host's sshd dies: those behind it hear of it, and the next one dials
// it anew.
func TestJumpDies(t *testing.T) {
	gw, web := sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{})
	d := dialer(t, through(gw, web))
	r := dial(t, d, Target{Name: "node-1", Address: "web"})
	gw.Crash(t)
	_, err := r.Run(t.Context(), Script{Body: "sleep 30"})
	wantError(t, err, KindLost, "the connection broke")
	wantHello(t, d, Target{Name: "node-3", Address: "web"})
}

// One that is interrupted while it dials the jump host for all does not take
// the others with it.
func TestJumpLeaderInterrupted(t *testing.T) {
	gw, web := sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{})
	hold := make(chan struct{})
	calls := 0
	d := dialer(t, through(gw, web))
	e, err := d.resolve(Target{Address: "gw"})
	if err != nil {
		t.Fatal(err)
	}
	first, cancel := context.WithCancel(t.Context())
	connect := func(ctx context.Context, e *endpoint) (*link, *Error) {
		calls++
		if calls == 1 {
			close(hold)
			<-ctx.Done()
			return nil, interrupted(ctx)
		}
		return d.connect(ctx, e)
	}
	var g errgroup.Group
	g.Go(func() error {
		if _, _, failed := d.jumps.borrow(first, e, connect); failed == nil || failed.Kind != KindInterrupted {
			return fmt.Errorf("want the first interrupted, have %v", failed)
		}
		return nil
	})
	<-hold
	g.Go(func() error {
		_, release, failed := d.jumps.borrow(t.Context(), e, connect)
		if failed != nil {
			return failed
		}
		release()
		return nil
	})
	for {
		d.jumps.mu.Lock()
		waiting := d.jumps.by[e.key()].users == 2
		d.jumps.mu.Unlock()
		if waiting {
			break
		}
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// The bastion of a config in which everything goes by way of the bastion: it is
// exempt by ProxyCommand none as well as by ProxyJump none.
func TestBastionForAll(t *testing.T) {
	gw, web := sshtest.Start(t, sshtest.Options{}), sshtest.Start(t, sshtest.Options{})
	for _, exempt := range []string{"ProxyCommand none", "ProxyJump none"} {
		config := gw.HostBlock("gw") + exempt + "\n" + web.HostBlock("web") + "Host *\n  ProxyJump gw\n"
		wantHello(t, dialer(t, config), Target{Name: "node-1", Address: "web"})
	}
	if logins(gw) != 2 || logins(web) != 2 {
		t.Errorf("have %d logins at the bastion and %d at the node", logins(gw), logins(web))
	}
}

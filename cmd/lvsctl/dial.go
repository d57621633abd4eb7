package main

import (
	"context"
	"fmt"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/topology"
)

// dial opens a connection to a node.
type dial func(context.Context) (remote.Runner, error)

// dialing says how nodes are reached: as the topology and the ssh config have
// it, or in the topology's lab.
func (a *app) dialing(t *topology.Topology, sc scope) (func(*topology.Node) dial, error) {
	cfg := remote.Config{SSHConfig: a.sshConfig, Silence: a.timeout, Prompt: passphrase()}
	target := sshTarget
	if sc.lab {
		l, err := lab.Open(t.Name)
		if err != nil || !l.Running() {
			return nil, fmt.Errorf("the lab of topology %s is not up\nBring it up with: lvsctl lab up", t.Name)
		}
		cfg.SSHConfig = l.SSHConfig()
		target = labTarget
	}
	d, err := remote.NewDialer(cfg)
	if err != nil {
		return nil, err
	}
	return func(n *topology.Node) dial {
		to := target(n)
		return func(ctx context.Context) (remote.Runner, error) { return d.Dial(ctx, to) }
	}, nil
}

func sshTarget(n *topology.Node) remote.Target {
	s := n.SSH
	return remote.Target{
		Name: n.Name, Address: n.Address, User: s.User, Port: s.Port,
		IdentityFile: s.IdentityFile, IdentitiesOnly: s.IdentitiesOnly,
		KnownHosts: s.KnownHosts, HostKey: s.HostKey, ProxyJump: s.ProxyJump,
		ConnectTimeout: s.ConnectTimeout, Sudo: s.Sudo,
	}
}

func labTarget(n *topology.Node) remote.Target {
	return remote.Target{Name: n.Name, Address: n.Name}
}

// passphrase asks on the terminal itself, whatever standard input is; it is nil
// where there is none.
func passphrase() func(string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	_ = tty.Close()
	var one sync.Mutex
	return func(question string) ([]byte, error) {
		one.Lock()
		defer one.Unlock()
		tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
		if err != nil {
			return nil, fmt.Errorf("cannot open the terminal: %w", err)
		}
		defer tty.Close()
		fmt.Fprint(tty, visibleLines(question)) // a server may have written it
		answer, err := term.ReadPassword(int(tty.Fd()))
		fmt.Fprintln(tty)
		return answer, err
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/topology"
)

// dialer opens connections to a topology's nodes: by the topology's ssh settings and the
// user's ssh config, or in the topology's lab.
type dialer struct {
	*remote.Dialer
	lab   bool
	hosts map[string]bool // the lab's
}

func (a *app) dialing(ctx context.Context, t *topology.Topology, sc scope) (dialer, error) {
	hosts := map[string]bool{}
	cfg := remote.Config{SSHConfig: a.sshConfig, Silence: a.timeout, Prompt: passphrase()}
	if sc.lab {
		l, err := lab.Open(t.Name)
		if err != nil || !l.Running() {
			return dialer{}, fmt.Errorf("the lab of topology %s is not up\nBring it up with: lvsctl lab up", t.Name)
		}
		cfg.SSHConfig = l.SSHConfig()
		for _, h := range l.Hosts {
			hosts[h.Name] = true
		}
		// Watch ends with the command.
		go l.Watch(ctx, func(text string) { a.warn("%s", text) })
	}
	d, err := remote.NewDialer(cfg)
	return dialer{d, sc.lab, hosts}, err
}

// to returns a function that opens connections to a node.
func (d dialer) to(n *topology.Node) func(context.Context) (remote.Runner, error) {
	t := d.target(n)
	return func(ctx context.Context) (remote.Runner, error) { return d.Dial(ctx, t) }
}

func (d dialer) target(n *topology.Node) remote.Target {
	if d.lab {
		return remote.Target{Name: n.Name, Address: n.Name}
	}
	return sshTarget(n)
}

// access is how a node is reached and which host key it must have, as text for a plan's
// digest. It is "lab" in a lab, which has other ports and keys each time.
func (d dialer) access(n *topology.Node) (string, error) {
	if d.lab {
		return "lab", nil
	}
	id, err := d.Identity(sshTarget(n))
	if err != nil {
		return err.Error(), nil // dialling reports the same error for this node
	}
	text, err := json.Marshal(struct {
		remote.Identity
		SSH topology.SSH
	}{id, n.SSH})
	return string(text), err
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

// passphrase returns a function that asks for a passphrase on the terminal, even if
// standard input is something else. It is nil if there is no terminal.
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
		fmt.Fprint(tty, visibleLines(question)) // the text may come from a server
		answer, err := term.ReadPassword(int(tty.Fd()))
		fmt.Fprintln(tty)
		return answer, err
	}
}

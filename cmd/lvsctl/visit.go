package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
)

// visit opens connections to a host that only records know. They say where it is and as
// whom to log in; keys and known hosts are the topology's and the ssh config's, and
// nothing that a record says leads to this machine itself.
func (k *cases) visit(name string, m state.Member) func(context.Context) (remote.Runner, error) {
	t, err := k.visited(name, m)
	if err != nil {
		return func(context.Context) (remote.Runner, error) { return nil, err }
	}
	return func(ctx context.Context) (remote.Runner, error) {
		r, err := k.dialer.Dial(ctx, t)
		var failed *remote.Error
		if key := fingerprint(m.HostKey); key != "" && errors.As(err, &failed) && failed.Kind == remote.KindHostKey {
			failed.Remedy = strings.TrimLeft(failed.Remedy+"\nrecords say that the topology pinned "+key+" for it", "\n")
		}
		return r, err
	}
}

func (k *cases) visited(name string, m state.Member) (remote.Target, error) {
	switch {
	case k.dialer.lab && !k.dialer.hosts[m.Name]:
		return remote.Target{}, errors.New("the lab has no such host")
	case k.dialer.lab:
		return remote.Target{Name: name, Address: m.Name}, nil
	case strings.EqualFold(m.Host, "local"):
		return remote.Target{}, fmt.Errorf("records say that it is this machine itself (address = \"local\"), and only a topology may say so\n"+
			"Write its block again, run lvsctl destroy --only %s, and delete the block.", m.Name)
	}
	own := k.Topology.SSH
	return remote.Target{
		Name: name, Address: m.Host, Port: m.Port, ProxyJump: m.Jump, User: m.User, Sudo: m.Sudo,
		IdentityFile: own.IdentityFile, IdentitiesOnly: own.IdentitiesOnly, KnownHosts: own.KnownHosts, HostKey: own.HostKey,
		ConnectTimeout: own.ConnectTimeout,
	}, nil
}

// fingerprint is that of a public key, "" for none.
func fingerprint(text string) string {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		return ""
	}
	return ssh.FingerprintSHA256(key)
}

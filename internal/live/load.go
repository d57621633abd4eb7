package live

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Load reads what a director's table carries: one short script, cheap enough for every
// second.
func Load(ctx context.Context, r remote.Runner) (map[state.ServerKey]state.Load, error) {
	text, err := ask(ctx, r, shell.Call(shell.ReadConnections))
	return state.ParseLoad(text), err
}

// Clients reads who has the most open connections to real servers, by address.
func Clients(ctx context.Context, r remote.Runner, servers []netip.Addr) ([]state.Client, error) {
	words := make([]string, len(servers))
	for i, a := range servers {
		words[i] = a.String()
	}
	text, err := ask(ctx, r, shell.Call(shell.ReadClients, words...))
	return state.ParseClients(text), err
}

// ask runs one command and returns what it printed.
func ask(ctx context.Context, r remote.Runner, c shell.Command) (string, error) {
	var s shell.Script
	s.Line(c)
	out, err := r.Run(ctx, remote.Script{Body: s.String()})
	switch {
	case err != nil:
		return "", err
	case out.Status != 0:
		return "", fmt.Errorf("cannot read its connections: exit status %d: %s", out.Status, complaint(out.Stderr))
	}
	return out.Stdout, nil
}

package live

import (
	"context"
	"fmt"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Pulse is what of a director changes by itself, at one moment: the traffic, and which
// addresses it holds. It costs a few processes on the node, where [Read] costs dozens.
type Pulse struct {
	Traffic *state.Traffic
	// State has the addresses and nothing else.
	State *state.State
}

// Heart reads a director's pulse, in one shell that it keeps.
type Heart struct{ sh *remote.Shell }

// OpenHeart opens the shell over a connection. Others may use the connection meanwhile.
func OpenHeart(ctx context.Context, r remote.Runner) (*Heart, error) {
	sh, err := r.Keep(ctx)
	if err != nil {
		return nil, err
	}
	return &Heart{sh}, nil
}

// Close ends the shell.
func (h *Heart) Close() { h.sh.Close() }

// Beat reads the pulse once. After an error the Heart is of no more use.
func (h *Heart) Beat(ctx context.Context) (Pulse, error) {
	nonce := shell.NewMark()
	p := Pulse{state.NewTraffic(), state.New()}
	var s shell.Script
	part := func(name string, read shell.Command) {
		s.Line(shell.Call(shell.Section, nonce, name), " ", read)
	}
	for _, a := range state.AddressSections() {
		part(a.Name, a.Read)
	}
	for _, t := range state.TrafficSections() {
		part(t.Name, t.Read)
	}
	out, err := h.sh.Run(ctx, remote.Script{Body: s.String()})
	if err != nil {
		return p, err
	}
	rest := out.Stdout
	next := func(name string, parse func(string) error) error {
		text, after, status, err := cut(rest, nonce, name)
		if err == nil && status != 0 {
			err = fmt.Errorf("cannot read its %s: exit status %d: %s", name, status, complaint(out.Stderr))
		}
		if err == nil {
			err = parse(text)
		}
		rest = after
		return err
	}
	for _, a := range state.AddressSections() {
		if err := next(a.Name, func(text string) error { return a.Parse(text, p.State) }); err != nil {
			return p, err
		}
	}
	for _, t := range state.TrafficSections() {
		if err := next(t.Name, func(text string) error { return t.Parse(text, p.Traffic) }); err != nil {
			return p, err
		}
	}
	return p, nil
}

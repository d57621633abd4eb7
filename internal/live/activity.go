package live

import (
	"context"
	"fmt"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Activity is what changes on a director without anybody changing it: the traffic, and
// which addresses it holds. It is of one moment. It costs a few processes on the node,
// where [Read] costs dozens.
type Activity struct {
	Traffic *state.Traffic
	// State has the addresses and nothing else.
	State *state.State
}

// ActivityReader reads a director's activity again and again, in one shell that it keeps.
type ActivityReader struct{ sh *remote.Shell }

// OpenActivity opens the shell over a connection. Others may use the connection meanwhile.
func OpenActivity(ctx context.Context, r remote.Runner) (*ActivityReader, error) {
	sh, err := r.Keep(ctx)
	if err != nil {
		return nil, err
	}
	return &ActivityReader{sh}, nil
}

// Close ends the shell.
func (a *ActivityReader) Close() { a.sh.Close() }

// Read reads the activity of now. After an error the reader is of no more use.
func (a *ActivityReader) Read(ctx context.Context) (Activity, error) {
	nonce := shell.NewMark()
	now := Activity{state.NewTraffic(), state.New()}
	var s shell.Script
	part := func(name string, read shell.Command) {
		s.Line(shell.Call(shell.Section, nonce, name), " ", read)
	}
	for _, s := range state.AddressSections() {
		part(s.Name, s.Read)
	}
	for _, t := range state.TrafficSections() {
		part(t.Name, t.Read)
	}
	out, err := a.sh.Run(ctx, remote.Script{Body: s.String()})
	if err != nil {
		return now, err
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
	for _, s := range state.AddressSections() {
		if err := next(s.Name, func(text string) error { return s.Parse(text, now.State) }); err != nil {
			return now, err
		}
	}
	for _, t := range state.TrafficSections() {
		if err := next(t.Name, func(text string) error { return t.Parse(text, now.Traffic) }); err != nil {
			return now, err
		}
	}
	return now, nil
}

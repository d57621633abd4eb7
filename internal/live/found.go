package live

import (
	"context"
	"strings"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
)

// Found is what is read of a node only if nothing is known of it yet.
type Found struct {
	// Host is what the node calls itself.
	Host string
	// Rules are all its netfilter rules.
	Rules []state.ListedRule
}

// ofTopology are the sections that need a topology, or matter only to who changes a node.
var ofTopology = map[string]bool{
	"schedulers": true, "recorded sysctls": true, "holders": true, "boot": true,
	"rules": true, "files": true, "own files": true, "units": true, "packages": true,
}

// Explore reads a node of which no topology is known. The records of all topologies are in
// Record.Others of what it returns.
func Explore(ctx context.Context, r remote.Runner) (Node, Found, error) {
	q := Question{Director: true}
	q.Modules = []string{"ip_vs", "ipip", "ip6_tunnel"}
	s := &Script{nonce: shell.NewMark()}
	s.Lines.Must(shell.HasIP)
	for _, part := range q.sections() {
		if !ofTopology[part.name] {
			s.add(part)
		}
	}
	var f Found
	s.add(section{"host", shell.Cmd("uname", "-n"), func(text string, _ *Node) error {
		f.Host = strings.TrimSpace(text)
		return nil
	}})
	s.add(section{"every rule", state.ReadEveryRule(), func(text string, _ *Node) error {
		f.Rules = state.ParseEveryRule(text)
		return nil
	}})
	out, err := r.Run(ctx, remote.Script{Body: s.Lines.String()})
	if err != nil {
		return Node{}, f, err
	}
	n, err := s.Parse(out)
	return n, f, err
}

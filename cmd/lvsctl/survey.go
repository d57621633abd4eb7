package main

import (
	"context"

	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/roles"
)

// purpose is what a command wants of a node: its roles' share of the topology
// ([everything]), or nothing ([survey.Nothing]).
type purpose func(roles.Want) roles.Want

func everything(w roles.Want) roles.Want { return w }

// survey loads a topology, reads its nodes and plans. Only errors that leave
// nothing to show are returned; a node that cannot be read is part of the plan.
func (a *app) survey(ctx context.Context, args []string, sc scope, want purpose) (*survey.Survey, error) {
	l, err := a.load(args)
	if err != nil {
		return nil, err
	}
	if err := a.refuseUnsupported(l); err != nil {
		return nil, err
	}
	chosen, err := sc.choose(l.Topology)
	if err != nil {
		return nil, err
	}
	dial, err := a.dialing(l.Topology, sc)
	if err != nil {
		return nil, err
	}
	nodes := make([]survey.Node, len(l.wants))
	for i, w := range l.wants {
		in := survey.Input(want(w))
		in.Chosen = chosen(in.Name)
		nodes[i] = survey.Node{Input: in, Dial: dial(w.Node)}
	}
	progress := a.progress("Reading", len(nodes))
	defer progress.end()
	return survey.Take(ctx, l.Name, nodes, survey.Options{Parallelism: a.parallelism, Through: progress.node})
}

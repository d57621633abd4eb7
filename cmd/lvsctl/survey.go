package main

import (
	"context"
	"fmt"

	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
)

// purpose returns what a command wants of a node: everything that its roles want
// ([everything]), or nothing ([survey.Nothing]).
type purpose func(roles.Want) roles.Want

func everything(w roles.Want) roles.Want { return w }

// cases is a topology with every node's case, before any node is read.
type cases struct {
	*loaded
	dialer dialer
	nodes  []survey.Node // as wants
	adopt  []string
	forget []string
	beside beside
	choice choice
}

// cases loads a topology and finds out how its nodes are reached, and which others
// lie beside it.
func (a *app) cases(ctx context.Context, args []string, sc scope, want purpose) (*cases, error) {
	return a.casesBeside(ctx, args, sc, want, a.besides)
}

// nothingBeside is for those who change nothing: what lies beside does not matter.
func nothingBeside(context.Context, []string) beside { return beside{} }

func (a *app) casesBeside(ctx context.Context, args []string, sc scope, want purpose, besides func(context.Context, []string) beside) (*cases, error) {
	l, err := a.load(ctx, args)
	if err != nil {
		return nil, err
	}
	if err := a.refuseUnsupported(l); err != nil {
		return nil, err
	}
	choice, err := sc.choose(l.Topology)
	if err != nil {
		return nil, err
	}
	d, err := a.dialing(ctx, l.Topology, sc)
	if err != nil {
		return nil, err
	}
	k := &cases{
		loaded: l, dialer: d, nodes: make([]survey.Node, len(l.wants)),
		adopt: sc.adopt, forget: sc.forget, beside: besides(ctx, args), choice: choice,
	}
	for i, w := range l.wants {
		in := survey.Input(want(w))
		in.Chosen, in.Beside = choice.chosen(in.Name), k.beside.names(l.Name)
		k.nodes[i] = survey.Node{Input: in, Dial: d.to(w.Node)}
	}
	return k, nil
}

// digest is the topology's digest for a saved plan.
func (k *cases) digest() (string, error) {
	inputs := make([]plan.Input, len(k.nodes))
	for i, n := range k.nodes {
		access, err := k.dialer.access(k.wants[i].Node)
		if err != nil {
			return "", fmt.Errorf("cannot sum up how %s is reached: %w", n.Name, err)
		}
		inputs[i] = n.Input
		inputs[i].Access = access
	}
	return plan.Digest(k.Name, inputs)
}

// look reads all nodes and makes a plan. A node that cannot be read is part of the plan. It
// returns an error only if there is no plan.
func (a *app) look(ctx context.Context, k *cases) (*survey.Survey, error) {
	a.warnOfNobody(k)
	progress := a.progress("Reading", len(k.nodes))
	defer progress.end()
	s, err := survey.Take(ctx, k.Name, k.nodes, survey.Options{
		Parallelism: a.parallelism, Adopt: k.adopt, Through: progress.node, Found: progress.more,
		Visit: k.visit, Chosen: k.choice.chosen, Forget: k.forget, Beside: k.beside.names(k.Name),
	})
	if err != nil {
		return nil, err
	}
	if err := k.missing(s.Nodes); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// warnOfNobody: nodes name each other, but nobody names the last one.
func (a *app) warnOfNobody(k *cases) {
	if len(k.nodes) == 0 {
		a.warn("topology %s has no node to read: what an earlier one may have set somewhere is not known\nTo give it back, write the block of one of its nodes again, which names the others.", k.Name)
	}
}

// lookAll is [app.look] for several topologies.
func (a *app) lookAll(ctx context.Context, cases []survey.Case) ([]*survey.Survey, error) {
	nodes := 0
	for _, c := range cases {
		nodes += len(c.Nodes)
	}
	progress := a.progress("Reading", nodes)
	defer progress.end()
	return survey.TakeAll(ctx, cases, survey.Options{Parallelism: a.parallelism, Through: progress.node, Found: progress.more})
}

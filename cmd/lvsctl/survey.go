package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/lvsctl/lvsctl/apply"
	"github.com/lvsctl/lvsctl/internal/lab"
	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// scope is which nodes of a topology a command is about, and how to reach them.
type scope struct {
	only, except []string
	lab          bool
}

func (s *scope) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&s.only, "only", nil, "change these `NODES` alone")
	f.StringSliceVar(&s.except, "except", nil, "change all nodes but these `NODES`")
	f.BoolVar(&s.lab, "lab", false, "work on the topology's lab instead of the real nodes")
}

// survey is a topology with every node read: all that a plan is made of.
type survey struct {
	plan   *plan.Plan
	inputs []plan.Input
	nodes  map[string]apply.Node
}

// Close drops the connections.
func (s *survey) Close() {
	for _, n := range s.nodes {
		if n.Runner != nil {
			// The work is done or has failed for a better reason.
			_ = n.Runner.Close()
		}
	}
}

// wish says what a command wants of a node: its role's share of the topology, or
// nothing.
type wish func(roles.Want) roles.Want

func everything(w roles.Want) roles.Want { return w }

func nothing(w roles.Want) roles.Want {
	none := roles.Want{Node: w.Node, State: state.New(), Servers: w.Servers}
	none.State.Drain = w.State.Drain // what leaves may take its time
	return none
}

// survey loads a topology, reads its nodes and plans. Only errors that leave
// nothing to show are returned; a node that cannot be read is part of the plan.
func (a *app) survey(ctx context.Context, args []string, sc scope, want wish) (*survey, error) {
	t, err := a.load(args)
	if err != nil {
		return nil, err
	}
	if err := a.refuseUnsupported(t); err != nil {
		return nil, err
	}
	wants, diags := roles.Wants(t)
	a.diagnose(nil, diags)
	if diags.HasErrors() {
		return nil, exitError{code: exitFailed}
	}
	chosen, err := sc.choose(t)
	if err != nil {
		return nil, err
	}
	dialer, target, err := a.dialing(t, sc)
	if err != nil {
		return nil, err
	}

	s := &survey{inputs: make([]plan.Input, len(wants)), nodes: map[string]apply.Node{}}
	for i, w := range wants {
		w = want(w)
		in := input(w)
		in.Chosen = chosen(in.Name)
		s.inputs[i] = in
		tgt := target(w.Node)
		s.nodes[in.Name] = apply.Node{
			Dial:      func(ctx context.Context) (remote.Runner, error) { return dialer.Dial(ctx, tgt) },
			Question:  question(t, w, in),
			Want:      in.Want,
			Exclusive: in.Exclusive,
		}
	}
	a.read(ctx, s)
	if ctx.Err() != nil {
		s.Close()
		return nil, ctx.Err()
	}
	s.plan = plan.Build(t.Name, s.inputs)
	for _, planned := range s.plan.Nodes {
		n := s.nodes[planned.Name]
		n.Want = planned.Want
		s.nodes[planned.Name] = n
	}
	return s, nil
}

// refuseUnsupported stops a plan that would ignore part of the topology.
func (a *app) refuseUnsupported(t *topology.Topology) error {
	if len(t.Unsupported) == 0 {
		return nil
	}
	var diags hcl.Diagnostics
	for _, u := range t.Unsupported {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Not supported yet",
			Detail:   fmt.Sprintf("This version of lvsctl reads %s but cannot act on it. Nothing is planned, rather than a part of what is written here.", u.What),
			Subject:  u.Range.Ptr(),
		})
	}
	a.diagnose(nil, diags)
	return exitError{code: exitFailed}
}

// choose turns --only and --except into a test of node names.
func (s scope) choose(t *topology.Topology) (func(string) bool, error) {
	if len(s.only) > 0 && len(s.except) > 0 {
		return nil, fmt.Errorf("--only and --except cannot be used together")
	}
	listed := map[string]bool{}
	for _, name := range slices.Concat(s.only, s.except) {
		found := false
		for _, n := range t.Nodes {
			if n.Role != topology.Client && (n.Name == name || n.Group == name) {
				listed[n.Name], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no node %q to configure in topology %s\nIts nodes are %s.", name, t.Name, nodeNames(t))
		}
	}
	return func(name string) bool {
		return listed[name] == (len(s.only) > 0)
	}, nil
}

func nodeNames(t *topology.Topology) string {
	var names []string
	for _, n := range t.Nodes {
		if n.Role != topology.Client {
			names = append(names, n.Name)
		}
	}
	return strings.Join(names, ", ")
}

// dialing says how nodes are reached: as the topology and the ssh config have
// it, or in the topology's lab.
func (a *app) dialing(t *topology.Topology, sc scope) (*remote.Dialer, func(*topology.Node) remote.Target, error) {
	cfg := remote.Config{SSHConfig: a.sshConfig, Silence: a.timeout, Prompt: passphrase()}
	target := sshTarget
	if sc.lab {
		l, err := lab.Open(t.Name)
		if err != nil || !l.Running() {
			return nil, nil, fmt.Errorf("the lab of topology %s is not up\nBring it up with: lvsctl lab up", t.Name)
		}
		cfg.SSHConfig = l.SSHConfig()
		target = func(n *topology.Node) remote.Target { return remote.Target{Name: n.Name, Address: n.Name} }
	}
	d, err := remote.NewDialer(cfg)
	return d, target, err
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
		fmt.Fprint(tty, question)
		answer, err := term.ReadPassword(int(tty.Fd()))
		fmt.Fprintln(tty)
		return answer, err
	}
}

func input(w roles.Want) plan.Input {
	_, table := w.State.Modules["ip_vs"] // a destroy leaves the table to others
	in := plan.Input{
		Name: w.Node.Name, Role: string(w.Node.Role), Address: w.Node.Address,
		Exclusive:    w.Node.Exclusive && table,
		Persist:      string(w.Node.Persist),
		RequireTools: w.Node.Packages == topology.PackagesRequire,
		Want:         w.State, Ranges: w.Ranges, Schedulers: w.Schedulers, Servers: w.Servers,
	}
	for _, i := range w.Node.Interfaces {
		for _, p := range i.Addresses {
			in.Base = append(in.Base, state.AddressKey{Prefix: p, Dev: i.Name})
		}
	}
	return in
}

func question(t *topology.Topology, w roles.Want, in plan.Input) live.Question {
	q := live.Question{Topology: t.Name, Schedulers: in.Schedulers}
	for k := range in.Want.Sysctls {
		q.Sysctls = append(q.Sysctls, k)
	}
	for k := range in.Want.Packages {
		q.Packages = append(q.Packages, k)
	}
	for k := range in.Want.Modules {
		q.Modules = append(q.Modules, k)
	}
	slices.Sort(q.Sysctls)
	slices.Sort(q.Packages)
	slices.Sort(q.Modules)
	return q
}

// read dials and reads all nodes at once.
func (a *app) read(ctx context.Context, s *survey) {
	var group errgroup.Group
	group.SetLimit(max(a.parallelism, 1))
	progress := a.progress("Reading", len(s.inputs))
	defer progress.end()
	var mu sync.Mutex
	for i := range s.inputs {
		group.Go(func() error {
			in := &s.inputs[i]
			start := time.Now()
			mu.Lock()
			n := s.nodes[in.Name]
			mu.Unlock()
			n.Runner, in.Err = n.Dial(ctx)
			if in.Err == nil {
				var node live.Node
				if node, in.Err = live.Read(ctx, n.Runner, n.Question); in.Err == nil {
					in.Live = &node
				}
			}
			mu.Lock()
			s.nodes[in.Name] = n
			mu.Unlock()
			progress.node(in.Name, start, in.Err)
			return nil
		})
	}
	_ = group.Wait() // the functions return nil: each node's error is its own
}

package apply

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/shell/shelltest"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// TestScriptsAreSh renders every script that the examples lead to, there and back,
// and has each shell read it.
func TestScriptsAreSh(t *testing.T) {
	shells := shelltest.Each(t)
	folders, err := filepath.Glob("../examples/*/*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	seen, scripts := map[string]bool{}, 0
	for _, file := range folders {
		folder := filepath.Dir(file)
		if seen[folder] {
			continue
		}
		seen[folder] = true
		t.Run(filepath.Base(folder), func(t *testing.T) {
			top, _, diags := topology.Load(t.Context(), folder, topology.Options{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			wants, diags := roles.Wants(top)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for _, destroy := range []bool{false, true} {
				for _, script := range rendered(t, top.Name, wants, destroy) {
					scripts++
					for name, args := range shells {
						cmd := exec.Command(args[0], append(args[1:], "-n")...)
						cmd.Stdin = strings.NewReader("body() { :\n" + script + "\n}\n")
						if out, err := cmd.CombinedOutput(); err != nil {
							t.Errorf("%s: %v: %s of\n%s", name, err, out, script)
						}
					}
				}
			}
		})
	}
	if scripts < 50 {
		t.Errorf("only %d scripts", scripts)
	}
}

// rendered are all scripts for nodes that are empty, or have all of it.
func rendered(t *testing.T, name string, wants []roles.Want, destroy bool) (scripts []string) {
	t.Helper()
	var inputs []plan.Input
	questions := map[string]live.Question{}
	for _, w := range wants {
		in := plan.Input{Name: w.Node.Name, Role: string(w.Node.Role), Persist: w.Node.Persist, Want: w.State, Ranges: w.Ranges, Schedulers: w.Schedulers, Servers: w.Servers, Replies: w.Replies, Chosen: true}
		in.Live = &live.Node{State: state.New(), Record: state.NewRecord(name)}
		in.Live.Facts.Root, in.Live.Facts.Schedulers = true, map[string]bool{}
		for _, s := range w.Schedulers {
			in.Live.Facts.Schedulers[s] = true
		}
		in.Live.State.Manager, in.Live.State.Init = "apt-get", state.InitSystemd
		for k := range w.State.Sysctls {
			in.Live.State.Sysctls[k] = "before"
		}
		if destroy {
			drain := w.State.Drain
			in.Live.State, in.Live.Record.Set = w.State.Clone(), w.State.Clone()
			in.Want = state.New()
			in.Want.Drain = drain
		}
		for _, i := range w.Node.Interfaces {
			in.Live.State.Links[i.Name] = state.Link{Up: true}
			for _, p := range i.Addresses {
				k := state.AddressKey{Prefix: p, Dev: i.Name}
				in.Base = append(in.Base, k)
				in.Live.State.Addresses[k] = state.Address{}
			}
		}
		inputs = append(inputs, in)
		questions[in.Name] = live.Question{Topology: name, Schedulers: w.Schedulers}
	}
	p := plan.Build(name, inputs)
	r := &run{Plan: p, opts: Options{Rollback: time.Minute, Owner: "it's@me"}, batches: map[batchKey]chan struct{}{}, stageOf: map[int]batchKey{}, result: &Result{Outcomes: map[int]Outcome{}}}
	byNode, forBoot := r.split()
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if len(n.Problems) > 0 || n.Unreadable != nil {
			t.Errorf("%s is not planned: %v %v", n.Name, n.Problems, n.Unreadable)
			continue
		}
		q := questions[n.Name]
		scripts = append(scripts, live.NewScript(q).Lines.String())
		w := &work{plan: n, settled: n.Settled, live: inputs[0].Live.State}
		for _, b := range byNode[n.Name] {
			tr := &transaction{id: "0123", actions: b.actions, before: n.Settled}
			script, err := r.batchScript(w, tr, "lvsctl-0")
			if err != nil {
				t.Fatal(err)
			}
			scripts = append(scripts, script, rollbackScript(tr, name))
		}
		if len(forBoot[n.Name]) > 0 {
			script, err := r.persistScript(w, forBoot[n.Name], "lvsctl-0", name, map[bool]string{true: "", false: "{}"}[destroy])
			if err != nil {
				t.Fatal(err)
			}
			scripts = append(scripts, script)
		}
	}
	return scripts
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/adopt"
	"github.com/lvsctl/lvsctl/internal/survey"
	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// A description is a draft that was written and loaded again.
type description struct {
	text  []byte
	name  string // the topology's
	wants []roles.Want
}

// describe writes a draft and loads what was written. What the language refuses is taken
// from the draft, with a remark.
func (m *importing) describe(ctx context.Context, d *adopt.Draft) (description, error) {
	dir, err := os.MkdirTemp("", "lvsctl-import-")
	if err != nil {
		return description{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, m.fileName(d))
	var o topology.Options
	for _, s := range adopt.Secrets(*d) {
		o.Vars = append(o.Vars, s.Name+"="+s.Value)
	}
	for {
		text := adopt.Write(*d)
		if err := os.WriteFile(path, text, private); err != nil {
			return description{}, err
		}
		t, files, diags := topology.Load(ctx, path, o)
		var wants []roles.Want
		if !diags.HasErrors() {
			wants, diags = roles.Wants(t)
		}
		switch {
		case !diags.HasErrors():
			return description{text, t.Name, wants}, nil
		case !m.withdraw(d, refusals(text, diags)):
			m.stderr.diagnose(files, diags)
			return description{}, errors.New("the cluster cannot be described: see above\nWhat was read contradicts what lvsctl needs.")
		}
	}
}

// fileName is the name of the file, by which a topology without a name is called.
func (m *importing) fileName(d *adopt.Draft) string {
	if d.Topology.Name == "" && m.out != "" {
		name := strings.TrimSuffix(filepath.Base(m.out), ".hcl")
		if abs, err := filepath.Abs(m.out); err == nil {
			name = strings.TrimSuffix(filepath.Base(abs), ".hcl")
		}
		return name + ".hcl"
	}
	return "cluster.hcl"
}

// A refusal is a block that the language refuses, and why.
type refusal struct {
	adopt.Element
	line string // what is refused
	why  string
}

// refusals finds the blocks that errors are in.
func refusals(text []byte, diags hcl.Diagnostics) []refusal {
	lines := strings.Split(string(text), "\n")
	var list []refusal
	for _, diag := range diags {
		if diag.Severity != hcl.DiagError || diag.Subject == nil {
			continue
		}
		at := min(diag.Subject.Start.Line, len(lines)) - 1
		for i := at; i >= 0; i-- {
			if head := blockHead.FindStringSubmatch(lines[i]); head != nil {
				list = append(list, refusal{adopt.Element{Block: head[1], Name: head[2]}, lines[at], diag.Summary + ": " + strings.ReplaceAll(diag.Detail, "\n", " ")})
				break
			}
		}
	}
	return list
}

var blockHead = regexp.MustCompile(`^([a-z_]+) "([^"]+)" \{`)

// withdraw takes from a draft what is refused: services whole, of nodes their gateways,
// routes and parameters. It returns false if there is none of these.
func (m *importing) withdraw(d *adopt.Draft, refused []refusal) bool {
	withdrawn := false
	for _, r := range refused {
		what := "left out, and stays as it is on its directors"
		if r.Block == "virtual_server" {
			before := len(d.Topology.Services)
			d.Topology.Services = slices.DeleteFunc(d.Topology.Services, func(v *topology.VirtualServer) bool { return v.Name == r.Name })
			if len(d.Topology.Services) == before {
				continue
			}
			for i, other := range d.Remarks {
				if other.At == r.Element {
					d.Remarks[i].At = adopt.Element{}
				}
			}
		} else if part := withdrawFrom(d, r); part != "" {
			what = "without its " + part + ", which stays as it is on the node"
		} else {
			continue
		}
		withdrawn = true
		d.Remark(adopt.Remark{Kind: adopt.Lost, Text: fmt.Sprintf("%s %s is %s: lvsctl refuses it. %s", r.Block, r.Name, what, r.why)})
	}
	return withdrawn
}

// withdrawFrom takes from a node, or a group, the part that is refused, and says which.
func withdrawFrom(d *adopt.Draft, r refusal) string {
	line := strings.TrimSpace(r.line)
	part := ""
	for _, n := range d.Topology.Nodes {
		if n.Name != r.Name && n.Group != r.Name || string(n.Role) != r.Block {
			continue
		}
		switch {
		case strings.HasPrefix(line, "gateway") && n.Gateway != (topology.Gateways{}):
			n.Gateway, part = topology.Gateways{}, "gateway"
		case n.Routes != nil && (strings.HasPrefix(line, "route") || strings.HasPrefix(line, "via") || strings.HasPrefix(line, "to ") || strings.HasPrefix(line, "dev")):
			n.Routes, part = nil, "routes"
		case n.Sysctls != nil && (strings.HasPrefix(line, "sysctl") || strings.HasPrefix(line, `"net`)):
			n.Sysctls, part = nil, "kernel parameters"
		}
	}
	return part
}

// prove plans the topology against the nodes, over the connections that they were read by.
func (m *importing) prove(ctx context.Context, d description) (adopt.Proof, error) {
	byNode := map[string]*importedNode{}
	for _, n := range m.nodes {
		if n.err == nil {
			byNode[n.node] = n
		}
	}
	nodes := make([]survey.Node, len(d.wants))
	for i, w := range d.wants {
		nodes[i] = survey.Node{Input: survey.Input(w)}
		if n := byNode[w.Node.Name]; n != nil {
			nodes[i].Chosen, nodes[i].Runner = true, n.runner
			nodes[i].Dial = m.dialer.to(w.Node)
		}
	}
	s, err := survey.Take(ctx, d.name, nodes, survey.Options{Parallelism: m.parallelism})
	if err != nil {
		return adopt.Proof{}, err
	}
	for _, n := range s.Plan.Unreadable() {
		return adopt.Proof{}, named(n.Name, n.Unreadable)
	}
	return adopt.Prove(s.Plan, s.Inputs()), nil
}

package topology

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// Options are what the command line and the environment add to a topology.
type Options struct {
	Vars     []string // NAME=VALUE, from --var
	VarFiles []string // from --var-file
	Environ  []string // NAME=VALUE; LVSCTL_VAR_* are variables, env() reads the rest
	Version  string   // of this program, for required_version; "" satisfies every one
}

// Load reads a topology from a folder or a file. The files are returned for
// printing diagnostics with, whether or not there were errors; the topology is
// nil when there were. Evaluation has limits, and ends with the context.
func Load(ctx context.Context, path string, o Options) (*Topology, map[string]*hcl.File, hcl.Diagnostics) {
	r := lang.Within(ctx, func() *loaded { return load(ctx, path, o) })
	if r == nil {
		return nil, nil, lang.Unfinished(ctx)
	}
	return r.topology, r.files, r.diags
}

// loaded is what Load returns.
type loaded struct {
	topology *Topology
	files    map[string]*hcl.File
	diags    hcl.Diagnostics
}

func load(ctx context.Context, path string, o Options) *loaded {
	module, ok := lang.Load(ctx, path, grammar, lang.Input{Vars: o.Vars, VarFiles: o.VarFiles, Environ: o.Environ})
	l := &loader{
		scope:  scope{module.Scope},
		module: module,
		nodes:  map[string]*node{},
		groups: map[string]*group{},

		serviceAt: map[string]hcl.Range{},
	}
	if ok {
		l.topology(o)
	}
	if module.Failed() {
		l.result = nil
	}
	return &loaded{l.result, module.Files(), module.Sorted()}
}

// grammar is every block that a topology can consist of, beside variables and
// locals.
var grammar = lang.Grammar{
	Blocks: []hcl.BlockHeaderSchema{
		{Type: "lvsctl"},
		{Type: "ssh"},
		{Type: string(Director), LabelNames: []string{"name"}},
		{Type: string(RealServer), LabelNames: []string{"name"}},
		{Type: string(Router), LabelNames: []string{"name"}},
		{Type: string(Client), LabelNames: []string{"name"}},
		{Type: "virtual_server", LabelNames: []string{"name"}},
		{Type: "vrrp_instance", LabelNames: []string{"name"}},
	},
	Secrets: []string{"auth_pass"},
}

// A loader goes from blocks to a topology. Its steps are in the order in which
// each needs what the former found.
type loader struct {
	scope  // of the top level
	module *lang.Module
	result *Topology

	ssh      SSH // of every node that says nothing else
	nodes    map[string]*node
	groups   map[string]*group
	services []*service
	vrrp     []*vrrp

	serviceAt       map[string]hcl.Range // by name
	directorNames   []string             // sorted
	brokenDirectors bool                 // there are directors that could not be named

	suggested int // how many wrong names got a suggestion
}

func (l *loader) topology(o Options) {
	l.result = &Topology{Dir: l.module.Dir}
	l.settings(o.Version)

	for _, role := range []Role{Director, RealServer, Router, Client} {
		for _, b := range l.module.Blocks(string(role)) {
			l.readNodes(b)
		}
	}
	l.nameDirectors()
	l.resolveGateways()
	for _, b := range l.module.Blocks("virtual_server") {
		l.readServices(b)
	}
	for _, b := range l.module.Blocks("vrrp_instance") {
		l.readVRRP(b)
	}
	l.assignVRRP()
	l.check()
	l.finish()
}

// settings reads the lvsctl block and the ssh block.
func (l *loader) settings(version string) {
	var raw rawLvsctl
	if b := l.module.Single("lvsctl"); b != nil {
		l.Decode(b.Body, &raw)
	}
	l.result.Name = l.topologyName(raw.Name)
	l.requireVersion(raw.RequiredVersion, version)
	if b := l.module.Single("ssh"); b != nil {
		var raw rawSSH
		l.Decode(b.Body, &raw)
		l.ssh = l.readSSH(&raw, SSH{})
	}
}

// topologyName is the name that was given, else the file's, else the folder's.
func (l *loader) topologyName(a *hcl.Attribute) string {
	if l.IsSet(a) {
		name, ok := l.Text(a)
		if ok {
			l.CheckName("The topology", name, a.Expr.Range())
		}
		return name
	}
	what, name := "file", fileName(l.module.File)
	if name == "" {
		abs, err := filepath.Abs(l.module.Dir)
		what, name = "folder", filepath.Base(abs)
		if err != nil {
			name = ""
		}
	}
	if !lang.IsName(name) {
		l.RefuseInput("No name for the topology", "The %s is called %s, which cannot name files on a node. Write lvsctl { name = \"...\" }.", what, lang.Quote(name))
	}
	return name
}

// fileName is the name that a file gives its topology: a folder can hold several
// topologies that are given one by one. main.hcl gives none: it is a folder's only
// one, given by its file or not.
func fileName(path string) string {
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".json"), ".hcl")
	if path == "" || name == "main" {
		return ""
	}
	return name
}

// nameDirectors keeps what a service without director needs to know.
func (l *loader) nameDirectors() {
	for _, name := range lang.SortedKeys(l.nodes) {
		if l.nodes[name].Role == Director {
			l.directorNames = append(l.directorNames, name)
		}
	}
	l.brokenDirectors = len(l.directorNames) == 0 && l.Errors > 0
}

// finish hands over what was read.
func (l *loader) finish() {
	for _, name := range lang.SortedKeys(l.nodes) {
		l.result.Nodes = append(l.result.Nodes, l.nodes[name].Node)
	}
	for _, s := range l.services {
		l.result.Services = append(l.result.Services, s.VirtualServer)
	}
	for _, v := range l.vrrp {
		l.result.VRRP = append(l.result.VRRP, v.VRRPInstance)
	}
	l.result.Unsupported = unsupported(l.result)
}

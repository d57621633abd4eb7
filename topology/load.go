package topology

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// Options are what the command line and the environment give to a topology.
type Options struct {
	Vars     []string // NAME=VALUE, from --var
	VarFiles []string // from --var-file
	Environ  []string // NAME=VALUE; LVSCTL_VAR_* set variables, env() reads the others
	Version  string   // this program's, for required_version; "" satisfies each constraint
}

// Load reads a topology from a folder or a file. The files are there for printing the
// diagnostics, also after errors. The topology is nil after an error. Evaluation stops
// with a diagnostic at lang's limits, and when ctx ends.
func Load(ctx context.Context, path string, o Options) (*Topology, map[string]*hcl.File, hcl.Diagnostics) {
	r := lang.Within(ctx, func() *loaded { return load(ctx, path, o, mostParts) })
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

func load(ctx context.Context, path string, o Options, size int) *loaded {
	module, ok := lang.Load(ctx, path, grammar, lang.Input{Vars: o.Vars, VarFiles: o.VarFiles, Environ: o.Environ})
	l := &loader{
		scope:  scope{module.Scope},
		module: module,
		nodes:  map[string]*node{},
		groups: map[string]*group{},
		size:   size,

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

// grammar lists the blocks of a topology, beside variable and locals, which are lang's.
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

// A loader makes a topology of blocks. Each step needs the results of the one before.
type loader struct {
	scope  // of the top level
	module *lang.Module
	result *Topology

	ssh      SSH // for nodes without an ssh block
	nodes    map[string]*node
	groups   map[string]*group
	services []*service
	vrrp     []*vrrp

	serviceAt       map[string]hcl.Range // by name
	directorNames   []string             // sorted
	brokenDirectors bool                 // the names of some directors are not known

	suggested int // the number of wrong names that got a suggestion
	size      int // the most parts, see grow
	parts     int
	routers   int
}

func (l *loader) topology(o Options) {
	l.result = &Topology{Dir: l.module.Dir}
	l.settings(o.Version)

	for _, role := range []Role{Director, RealServer, Router, Client} {
		for _, b := range l.module.Blocks(string(role)) {
			l.readNodes(b)
		}
	}
	l.growNodes()
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

// topologyName is the name in the lvsctl block, else that of the file, else that of the
// folder.
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

// fileName is the topology's name by the name of its file: a folder may hold several
// topologies that a user loads one by one. It is "" for main.hcl, which is the only one
// of its folder and has the folder's name.
func fileName(path string) string {
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".json"), ".hcl")
	if path == "" || name == "main" {
		return ""
	}
	return name
}

// nameDirectors collects the directors' names, for services that name none.
func (l *loader) nameDirectors() {
	for _, name := range lang.SortedKeys(l.nodes) {
		if l.nodes[name].Role == Director {
			l.directorNames = append(l.directorNames, name)
		}
	}
	l.brokenDirectors = len(l.directorNames) == 0 && l.Errors > 0
}

// finish puts what was read into the topology.
func (l *loader) finish() {
	l.result.SSH = l.ssh
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

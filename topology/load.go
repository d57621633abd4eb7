package topology

import (
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"
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
// nil when there were.
func Load(path string, o Options) (*Topology, map[string]*hcl.File, hcl.Diagnostics) {
	report := newReport()
	l := &loader{
		scope:  &scope{report: report, names: names{}},
		source: &source{report: report, parser: hclparse.NewParser()},
		nodes:  map[string]*node{},
		groups: map[string]*group{},

		serviceAt: map[string]hcl.Range{},
	}
	files := l.read(path, o)
	if len(files) > 0 && !report.diags.HasErrors() {
		l.topology(files, o)
	}
	if report.diags.HasErrors() {
		l.result = nil
	}
	return l.result, l.source.parser.Files(), report.sorted()
}

// A loader goes from files to a topology. Its steps are in the order in which
// each needs what the former found.
type loader struct {
	*scope  // of the top level
	source  *source
	dynamic []hcl.Body // files with dynamic blocks outside any other
	// valuesMissing: a file of values could not be read, which has been reported.
	valuesMissing bool
	result        *Topology

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

func (l *loader) read(path string, o Options) []*hcl.File {
	var files []*hcl.File
	for _, f := range l.source.find(path, o.VarFiles) {
		if file := l.source.parse(f); file != nil {
			files = append(files, file)
		}
	}
	return files
}

func (l *loader) topology(files []*hcl.File, o Options) {
	l.result = &Topology{Dir: l.source.dir}
	environ := environment(o.Environ)
	l.ctx = &hcl.EvalContext{Functions: functions(l.source.dir, environ), Variables: map[string]cty.Value{}}

	blocks := l.blocks(files)
	l.constants(blocks, o, environ)
	l.expandTopLevel(blocks)
	l.settings(blocks, o.Version)

	for _, role := range []Role{Director, RealServer, Router, Client} {
		for _, b := range blocks[string(role)] {
			l.readNodes(b)
		}
	}
	l.nameDirectors()
	l.resolveGateways()
	for _, b := range blocks["virtual_server"] {
		l.readServices(b)
	}
	for _, b := range blocks["vrrp_instance"] {
		l.readVRRP(b)
	}
	l.assignVRRP()
	l.check()
	l.finish()
}

// constants evaluates variables and locals.
func (l *loader) constants(blocks map[string]hcl.Blocks, o Options, environ map[string]string) {
	var variables []rawVariable
	for _, b := range blocks["variable"] {
		raw := rawVariable{Name: b.Labels[0], NameRange: b.LabelRanges[0]}
		l.decode(b.Body, &raw)
		variables = append(variables, raw)
	}
	l.ctx.Variables["var"] = cty.ObjectVal(l.variables(variables, l.given(o, environ, variables)))
	l.validate(variables)
	l.ctx.Variables["local"] = cty.ObjectVal(l.locals(blocks["locals"]))
}

// settings reads the lvsctl block and the ssh block.
func (l *loader) settings(blocks map[string]hcl.Blocks, version string) {
	for _, kind := range []string{"lvsctl", "ssh"} {
		if all := blocks[kind]; len(all) > 1 {
			l.refuse(all[1].DefRange, "Second "+kind+" block", "A topology has one %s block, and one is at %s.", kind, all[0].DefRange)
		}
	}
	var raw rawLvsctl
	if all := blocks["lvsctl"]; len(all) > 0 {
		l.decode(all[0].Body, &raw)
	}
	l.result.Name = l.topologyName(raw.Name)
	l.requireVersion(raw.RequiredVersion, version)
	if all := blocks["ssh"]; len(all) > 0 {
		var raw rawSSH
		l.decode(all[0].Body, &raw)
		l.ssh = l.readSSH(&raw, SSH{})
	}
}

// topologyName is the name that was given, else the folder's.
func (l *loader) topologyName(a *hcl.Attribute) string {
	if l.isSet(a) {
		name, ok := l.text(a)
		if ok {
			l.name("The topology", name, a.Expr.Range())
		}
		return name
	}
	abs, err := filepath.Abs(l.source.dir)
	name := filepath.Base(abs)
	if err != nil || !only(name, letters+digits, letters+digits+"._-") || len(name) > longestName {
		l.refuseInput("No name for the topology", "The folder is called %s, which cannot name files on a node. Write lvsctl { name = \"...\" }.", quote(name))
	}
	return name
}

// nameDirectors keeps what a service without director needs to know.
func (l *loader) nameDirectors() {
	for _, name := range sortedKeys(l.nodes) {
		if l.nodes[name].Role == Director {
			l.directorNames = append(l.directorNames, name)
		}
	}
	l.brokenDirectors = len(l.directorNames) == 0 && l.errors > 0
}

// finish hands over what was read.
func (l *loader) finish() {
	for _, name := range sortedKeys(l.nodes) {
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

// Package lang is the language that topologies are written in, and knows
// nothing of what they describe: files, variables, locals, functions,
// references, for_each and dynamic blocks, the limits on all of them, and
// reports of what is wrong.
//
// [Load] turns files into a [Module]: blocks by type, and a [Scope] in which
// their expressions are evaluated. The room above decodes each block into a
// type of *hcl.Attribute fields, and reads every field with a method of the
// scope ([Scope.Text], [Scope.Integer], [Scope.Texts] and so on), which refuses
// what is wrong at the place where it was written.
//
// To add a function: a line in [functions]. To add a kind of value that several
// attributes share: a method beside those in read.go.
package lang

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/zclconf/go-cty/cty"
)

// A Grammar is what distinguishes one language of this kind from another.
type Grammar struct {
	// Blocks are the block types outside any other, beside variable and locals.
	Blocks []hcl.BlockHeaderSchema
	// Secrets are the attributes that may hold a sensitive value.
	Secrets []string
}

// An Input is what comes from outside the files.
type Input struct {
	Vars     []string // NAME=VALUE, in the order in which later ones win
	VarFiles []string // paths; each wins over the one before, and Vars win over all
	Environ  []string // NAME=VALUE; LVSCTL_VAR_* are variables, env() reads the rest
}

// A Module is what the files of one folder say: their blocks, and the scope that
// the blocks' expressions are evaluated in.
type Module struct {
	*Scope
	// Dir is the folder of the files, and File the one file if only that was asked for.
	Dir, File string

	grammar Grammar
	source  *source
	byType  map[string]hcl.Blocks
	dynamic []hcl.Body // files with dynamic blocks outside any other
	// valuesMissing: a file of values could not be read, which has been reported.
	valuesMissing bool
}

// Load reads a folder or a file. What is wrong is in the module's report. It is
// not ok when the files themselves cannot be read or parsed; the module then has
// no blocks. The context ends the evaluation, here and later.
func Load(ctx context.Context, path string, g Grammar, in Input) (m *Module, ok bool) {
	return load(ctx, path, g, in, generous)
}

func load(ctx context.Context, path string, g Grammar, in Input, l limits) (m *Module, ok bool) {
	report := newReport()
	b := newBudget(ctx, l, report)
	m = &Module{
		Scope:   &Scope{Report: report, names: names{}, secrets: g.Secrets, budget: b, outside: newOutside(in)},
		grammar: g,
		source:  &source{Report: report, parser: hclparse.NewParser(), budget: b},
		byType:  map[string]hcl.Blocks{},
	}
	var files []*hcl.File
	for _, path := range m.source.find(path, in.VarFiles) {
		if file := m.source.parse(path); file != nil {
			files = append(files, file)
		}
	}
	m.Dir, m.File = m.source.dir, m.source.file
	if len(files) == 0 || report.Failed() {
		return m, false
	}
	m.ctx = &hcl.EvalContext{Functions: m.functions(), Variables: map[string]cty.Value{}}
	m.sortBlocks(files)
	m.constants(in)
	m.expandDynamic()
	return m, true
}

// constants evaluates variables and locals.
func (m *Module) constants(in Input) {
	var variables []rawVariable
	for _, b := range m.byType["variable"] {
		raw := rawVariable{Name: b.Labels[0], NameRange: b.LabelRanges[0]}
		m.Decode(b.Body, &raw)
		variables = append(variables, raw)
	}
	m.readSensitive(variables)
	m.ctx.Variables["var"] = cty.ObjectVal(m.variables(variables, m.given(in, variables)))
	m.validate(variables)
	m.ctx.Variables["local"] = cty.ObjectVal(m.locals(m.byType["locals"]))
}

// Files are the files that were parsed, by name, for printing diagnostics with.
// Sensitive values in them are blotted out.
func (m *Module) Files() map[string]*hcl.File { return m.source.files() }

package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/zclconf/go-cty/cty"
)

// constantBlocks make the scope that the others are evaluated in, so a dynamic
// block cannot make them.
var constantBlocks = []hcl.BlockHeaderSchema{
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "locals"},
}

func isConstant(kind string) bool {
	return slices.ContainsFunc(constantBlocks, func(b hcl.BlockHeaderSchema) bool { return b.Type == kind })
}

// schema is every block outside any other, and more.
func (g Grammar) schema(more ...hcl.BlockHeaderSchema) *hcl.BodySchema {
	return &hcl.BodySchema{Blocks: slices.Concat(g.Blocks, constantBlocks, more)}
}

// sortBlocks sorts the blocks of all files by type, dynamic ones among them as
// they are.
func (m *Module) sortBlocks(files []*hcl.File) {
	schema := m.grammar.schema(hcl.BlockHeaderSchema{Type: "dynamic", LabelNames: []string{"type"}})
	for _, file := range files {
		content, diags := file.Body.Content(schema)
		if diags.HasErrors() {
			m.source.hideStray(file)
		}
		m.Add(diags)
		for _, b := range content.Blocks {
			m.byType[b.Type] = append(m.byType[b.Type], b)
		}
		if slices.ContainsFunc(content.Blocks, func(b *hcl.Block) bool { return b.Type == "dynamic" }) {
			m.dynamic = append(m.dynamic, file.Body)
		}
	}
}

// expandDynamic adds the blocks that dynamic blocks outside any other make.
func (m *Module) expandDynamic() {
	at := map[hcl.Range]bool{}
	for _, b := range m.byType["dynamic"] {
		at[b.DefRange] = true
		if isConstant(b.Labels[0]) {
			m.Refuse(b.LabelRanges[0], "Block cannot be dynamic", "%s blocks are read before anything is expanded.", b.Labels[0])
		}
	}
	for _, body := range m.dynamic {
		expanded := dynblock.Expand(body, m.ctx, dynblock.OptCheckForEach(iterable))
		content, diags := expanded.Content(m.grammar.schema())
		m.addExpanded(diags)
		for _, b := range content.Blocks {
			if at[b.DefRange] && !isConstant(b.Type) {
				m.byType[b.Type] = append(m.byType[b.Type], b)
			}
		}
	}
}

// Blocks returns the blocks of a type, in the order of the files.
func (m *Module) Blocks(kind string) hcl.Blocks { return m.byType[kind] }

// Single returns the block of a type that a module has once at most, or nil.
func (m *Module) Single(kind string) *hcl.Block {
	all := m.byType[kind]
	if len(all) == 0 {
		return nil
	}
	if len(all) > 1 {
		m.Refuse(all[1].DefRange, "Second "+kind+" block", "A topology has one %s block, and one is at %s.", kind, all[0].DefRange)
	}
	return all[0]
}

// Decode fills a struct of *hcl.Attribute fields and blocks from a block's body,
// with the dynamic blocks in it expanded.
func (s *Scope) Decode(body hcl.Body, raw any) {
	expanded := dynblock.Expand(body, s.ctx, dynblock.OptCheckForEach(iterable))
	s.addExpanded(gohcl.DecodeBody(expanded, nil, raw))
}

// addExpanded reports what went wrong when dynamic blocks were expanded.
func (s *Scope) addExpanded(diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Expression != nil && d.EvalContext != nil && usesSecrets(d.Expression, d.EvalContext) {
			s.Add(withoutValues(hcl.Diagnostics{d}))
		} else {
			s.Add(hcl.Diagnostics{d})
		}
	}
}

// iterable refuses what dynamic blocks cannot be made of.
func iterable(v cty.Value, expr hcl.Expression, ctx *hcl.EvalContext) hcl.Diagnostics {
	if !v.IsWhollyKnown() {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Subject: expr.Range().Ptr(), Extra: unreadable{}}}
	}
	return refuseSensitive(v, expr, ctx)
}

func refuseSensitive(v cty.Value, expr hcl.Expression, _ *hcl.EvalContext) hcl.Diagnostics {
	if !v.IsMarked() && !v.ContainsMarked() {
		return nil
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Sensitive value in a plain place",
		Detail:   "What for_each makes is shown in plans, so it cannot come from a sensitive variable.",
		Subject:  expr.Range().Ptr(),
	}}
}

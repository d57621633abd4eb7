package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// The strings of a JSON file are templates that HCL parses whenever they are
// evaluated, so there is no parsed expression to put meters into. A meteredJSON
// body hands out expressions that evaluate the same, as the HCL JSON syntax
// specification says ("Expressions"), with meters.
type meteredJSON struct {
	hcl.Body
	budget *budget
}

func (b *meteredJSON) Content(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	content, diags := b.Body.Content(schema)
	return b.content(content), diags
}

func (b *meteredJSON) PartialContent(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	content, rest, diags := b.Body.PartialContent(schema)
	return b.content(content), &meteredJSON{rest, b.budget}, diags
}

func (b *meteredJSON) JustAttributes() (hcl.Attributes, hcl.Diagnostics) {
	attrs, diags := b.Body.JustAttributes()
	return b.attributes(attrs), diags
}

func (b *meteredJSON) content(c *hcl.BodyContent) *hcl.BodyContent {
	if c == nil {
		return nil
	}
	metered := *c
	metered.Attributes = b.attributes(c.Attributes)
	metered.Blocks = make(hcl.Blocks, len(c.Blocks))
	for i, block := range c.Blocks {
		copied := *block
		copied.Body = &meteredJSON{block.Body, b.budget}
		metered.Blocks[i] = &copied
	}
	return &metered
}

func (b *meteredJSON) attributes(attrs hcl.Attributes) hcl.Attributes {
	metered := make(hcl.Attributes, len(attrs))
	for name, a := range attrs {
		copied := *a
		copied.Expr = &jsonExpr{a.Expr, b.budget}
		metered[name] = &copied
	}
	return metered
}

type jsonExpr struct {
	hcl.Expression
	budget *budget
}

// UnwrapExpression lets HCL look at how the expression is written.
func (e *jsonExpr) UnwrapExpression() hcl.Expression { return e.Expression }

func (e *jsonExpr) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	literal, diags := e.Expression.Value(nil) // its strings as they are written
	if ctx == nil || diags.HasErrors() || literal.IsNull() {
		return literal, diags
	}
	at := e.Range()
	e.budget.at = at
	if e.budget.spend(1) != nil {
		return cty.DynamicVal, ended(at)
	}
	switch ty := literal.Type(); {
	case ty == cty.String:
		start := hcl.Pos{Line: at.Start.Line, Column: at.Start.Column + 1, Byte: at.Start.Byte + 1} // after the quote
		template, diags := hclsyntax.ParseTemplate([]byte(literal.AsString()), at.Filename, start)
		if diags.HasErrors() {
			return cty.DynamicVal, diags
		}
		return e.budget.meter(template).Value(ctx)
	case ty.IsTupleType():
		return e.tuple(ctx)
	case ty.IsObjectType():
		return e.object(ctx)
	}
	return literal, nil
}

func (e *jsonExpr) tuple(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	parts, diags := hcl.ExprList(e.Expression)
	values := make([]cty.Value, len(parts))
	for i, part := range parts {
		v, more := (&jsonExpr{part, e.budget}).Value(ctx)
		values[i], diags = v, append(diags, more...)
	}
	return cty.TupleVal(values), diags
}

func (e *jsonExpr) object(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	pairs, diags := hcl.ExprMap(e.Expression)
	values, known, marks := map[string]cty.Value{}, true, []cty.ValueMarks{}
	for _, p := range pairs {
		v, more := (&jsonExpr{p.Value, e.budget}).Value(ctx)
		diags = append(diags, more...)
		key, more := (&jsonExpr{p.Key, e.budget}).Value(ctx)
		diags = append(diags, more...)
		name, err := convert.Convert(key, cty.String)
		name, keyMarks := name.Unmark()
		marks = append(marks, keyMarks)
		switch {
		case err != nil || name.IsNull():
			diags = append(diags, keyError(p, "A key is text."))
		case !name.IsKnown():
			known = false
		default:
			if _, twice := values[name.AsString()]; twice {
				diags = append(diags, keyError(p, fmt.Sprintf("The key %s is there already.", Quote(name.AsString()))))
			}
			values[name.AsString()] = v
		}
	}
	if !known || diags.HasErrors() {
		return cty.DynamicVal.WithMarks(marks...), diags
	}
	return cty.ObjectVal(values).WithMarks(marks...), diags
}

func keyError(p hcl.KeyValuePair, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Wrong key of an object", Detail: detail, Subject: p.Key.Range().Ptr()}
}

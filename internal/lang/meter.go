package lang

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A metered expression is one that makes values, or that a loop evaluates again
// and again.
type metered struct {
	hclsyntax.Expression
	budget *budget
}

// UnwrapExpression lets HCL look at how the expression is written.
func (e *metered) UnwrapExpression() hcl.Expression { return e.Expression }

func (e *metered) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	at := e.Range()
	e.budget.at = at
	if e.budget.spend(1) != nil {
		return cty.DynamicVal, ended(at)
	}
	v, diags := e.Expression.Value(ctx)
	if e.budget.over {
		return cty.DynamicVal, ended(at)
	}
	if diags.HasErrors() {
		return v, diags
	}
	if err := e.budget.made(v); e.budget.over {
		return cty.DynamicVal, ended(at)
	} else if err != nil {
		e := excess{at, "Value too large", capitalised(err.Error()) + "."}
		if errors.Is(err, errLongNumber) {
			e.summary = "Number too large"
		}
		return cty.DynamicVal, append(diags, e.diagnostics()...)
	}
	return v, diags
}

// around puts a meter around an expression of whatever kind.
func (b *budget) around(e hclsyntax.Expression) hclsyntax.Expression {
	switch inner := b.meter(e).(type) {
	case *metered:
		return inner
	case *hclsyntax.ScopeTraversalExpr:
		// HCL finds references by walking to this very type, which must not be hidden.
		return &metered{&hclsyntax.ParenthesesExpr{Expression: inner, SrcRange: inner.SrcRange}, b}
	default:
		return &metered{inner, b}
	}
}

// ended says that there is no value, and nothing more: the reason is reported
// once, for the module.
func ended(at hcl.Range) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Subject: at.Ptr(), Extra: unreadable{}}}
}

// meterBody puts meters into every expression of a body.
func (b *budget) meterBody(body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		a.Expr = b.meter(a.Expr)
	}
	for _, block := range body.Blocks {
		b.meterBody(block.Body)
	}
}

// meter puts meters into an expression: around what makes a value, and around
// what a loop evaluates.
func (b *budget) meter(e hclsyntax.Expression) hclsyntax.Expression {
	inner := func(parts ...*hclsyntax.Expression) {
		for _, p := range parts {
			if *p != nil {
				*p = b.meter(*p)
			}
		}
	}
	each := func(parts []hclsyntax.Expression) {
		for i := range parts {
			inner(&parts[i])
		}
	}
	switch e := e.(type) {
	case *hclsyntax.FunctionCallExpr:
		each(e.Args)
		return &metered{e, b}
	case *hclsyntax.TemplateExpr:
		if e.IsStringLiteral() {
			return e
		}
		for i, part := range e.Parts {
			if _, literal := part.(*hclsyntax.LiteralValueExpr); !literal {
				e.Parts[i] = b.around(part)
			}
		}
		return &metered{e, b}
	case *hclsyntax.TupleConsExpr:
		each(e.Exprs)
		return &metered{e, b}
	case *hclsyntax.ObjectConsExpr:
		for i := range e.Items {
			inner(&e.Items[i].KeyExpr, &e.Items[i].ValueExpr)
		}
		return &metered{e, b}
	case *hclsyntax.ForExpr:
		inner(&e.CollExpr, &e.KeyExpr, &e.CondExpr)
		e.ValExpr = b.around(e.ValExpr)
		return &metered{e, b}
	case *hclsyntax.SplatExpr:
		inner(&e.Source)
		e.Each = b.around(e.Each)
		return &metered{e, b}
	case *hclsyntax.ObjectConsKeyExpr:
		inner(&e.Wrapped)
	case *hclsyntax.TemplateJoinExpr:
		inner(&e.Tuple)
		return &metered{e, b}
	case *hclsyntax.TemplateWrapExpr:
		inner(&e.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		inner(&e.Expression)
	case *hclsyntax.ConditionalExpr:
		inner(&e.Condition, &e.TrueResult, &e.FalseResult)
	case *hclsyntax.BinaryOpExpr:
		inner(&e.LHS, &e.RHS)
	case *hclsyntax.UnaryOpExpr:
		inner(&e.Val)
	case *hclsyntax.IndexExpr:
		inner(&e.Collection, &e.Key)
	case *hclsyntax.RelativeTraversalExpr:
		inner(&e.Source)
	}
	return e
}

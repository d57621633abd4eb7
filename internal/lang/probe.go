package lang

import (
	"errors"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// can and try are as in HCL's tryfunc, but for two things: each expression is
// evaluated once, and a result that depends on whether a sensitive value fits is
// sensitive too.

var canFunc = function.New(&function.Spec{
	Description: "Whether an expression has a value.",
	Params:      []function.Parameter{{Name: "expression", Type: customdecode.ExpressionClosureType}},
	Type:        function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		closure := customdecode.ExpressionClosureFromVal(args[0])
		v, diags := closure.Value()
		can := cty.BoolVal(!diags.HasErrors())
		if !diags.HasErrors() && !v.IsWhollyKnown() {
			can = cty.UnknownVal(cty.Bool)
		}
		if usesSecrets(closure.Expression, closure.EvalContext) {
			can = can.Mark(sensitive)
		}
		return can, nil
	},
})

var tryFunc = function.New(&function.Spec{
	Description: "The value of the first expression that has one.",
	VarParam:    &function.Parameter{Name: "expressions", Type: customdecode.ExpressionClosureType},
	Type:        function.StaticReturnType(cty.DynamicPseudoType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		secret := false
		var failures strings.Builder
		for _, arg := range args {
			closure := customdecode.ExpressionClosureFromVal(arg)
			v, diags := closure.Value()
			hidden := usesSecrets(closure.Expression, closure.EvalContext)
			if !diags.HasErrors() {
				if secret {
					v = v.Mark(sensitive)
				}
				return v, nil
			}
			secret = secret || hidden
			if hidden {
				diags = withoutValues(diags)
			}
			for _, d := range diags {
				failures.WriteString("\n- " + d.Summary + ": " + d.Detail)
			}
		}
		if len(args) == 0 {
			return cty.NilVal, errors.New("at least one argument is required")
		}
		return cty.NilVal, errors.New("no expression succeeded:" + failures.String())
	},
})

package lang

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// names is what the roots of a reference hold: "var" and "local", each with its
// names, and "each" where there is one.
type names map[string]map[string]bool

// A Scope is where one block's expressions are evaluated, and its attributes read.
// The methods that read an attribute are not ok when it is absent, null or
// refused; what is refused has been reported.
type Scope struct {
	*Report
	ctx     *hcl.EvalContext
	names   names
	secrets []string // the attributes that may hold a sensitive value
	budget  *budget
	outside *outside
}

// withEach is the scope of one for_each instance.
func (s *Scope) withEach(key, value cty.Value) *Scope {
	ctx := s.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
	return &Scope{
		Report:  s.Report,
		secrets: s.secrets,
		budget:  s.budget,
		outside: s.outside,
		ctx:     ctx,
		names:   names{"var": s.names["var"], "local": s.names["local"], "each": {"key": true, "value": true}},
	}
}

// Eval evaluates an expression. What depends on a variable or a local that was
// refused is unknown, and not ok.
func (s *Scope) Eval(expr hcl.Expression) (cty.Value, bool) {
	known := true
	for _, ref := range expr.Variables() {
		known = s.resolves(ref) && known
	}
	if !known {
		return cty.DynamicVal, false
	}
	if s.budget.spend(1) != nil {
		s.Errors++
		return cty.DynamicVal, false
	}
	read := s.outside.secretsRead
	v, diags := expr.Value(s.ctx)
	if diags.HasErrors() && (s.outside.secretsRead > read || usesSecrets(expr, s.ctx)) {
		diags = withoutValues(diags)
	}
	s.Add(diags)
	if diags.HasErrors() {
		return cty.DynamicVal, false
	}
	if enormous(v) {
		s.Refuse(expr.Range(), "Number too large", "%s", excessNumber)
		return cty.DynamicVal, false
	}
	if !v.IsWhollyKnown() {
		s.Errors++
		return v, false
	}
	return v, true
}

// resolves reports a reference that leads nowhere. HCL would too, but without
// saying what there is.
func (s *Scope) resolves(ref hcl.Traversal) bool {
	root, at := ref.RootName(), ref.SourceRange()
	members, ok := s.names[root]
	switch {
	case !ok && root == "each":
		s.Refuse(at, "No each here", "each.key and each.value exist only in a block with for_each.")
		return false
	case !ok:
		s.Refuse(at, "Unknown reference", "There is no %s here. An expression can refer to var.NAME, local.NAME and, in a block with for_each, each.key and each.value.%s Text stands in quotes.",
			Quote(root), DidYouMean(root, SortedKeys(s.names)))
		return false
	}
	if len(ref) < 2 {
		s.Refuse(at, "Incomplete reference", "%s by itself has no value. Write %s.NAME.", root, root)
		return false
	}
	step, ok := ref[1].(hcl.TraverseAttr)
	if !ok {
		s.Refuse(at, "Incomplete reference", "Write %s.NAME, with a dot.", root)
		return false
	}
	if !members[step.Name] {
		suggestion := ""
		if near := Nearest(step.Name, SortedKeys(members)); near != "" {
			suggestion = fmt.Sprintf(" Did you mean %s.%s?", root, near)
		}
		s.Refuse(at, "Unknown reference", "There is no %s.%s.%s", root, step.Name, suggestion)
		return false
	}
	return true
}

// Value evaluates an attribute and converts it.
func (s *Scope) Value(a *hcl.Attribute, ty cty.Type) (cty.Value, bool) {
	return s.read(a, ty, s.refuseSecret)
}

// Open is Value for what may be sensitive.
func (s *Scope) Open(a *hcl.Attribute, ty cty.Type) (cty.Value, bool) {
	return s.read(a, ty, func(*hcl.Attribute) bool { return true })
}

// refuseSecret: everything a topology says is printed in plans and kept in
// records.
func (s *Scope) refuseSecret(a *hcl.Attribute) bool {
	s.Refuse(a.Expr.Range(), "Sensitive value in a plain place", "%s is shown in plans and kept on nodes, so it cannot come from a sensitive variable. Only %s can.", a.Name, strings.Join(s.secrets, " and "))
	return false
}

// read evaluates an attribute and converts it; a sensitive value needs leave.
func (s *Scope) read(a *hcl.Attribute, ty cty.Type, leave func(*hcl.Attribute) bool) (cty.Value, bool) {
	if a == nil {
		return cty.NilVal, false
	}
	v, ok := s.Eval(a.Expr)
	if !ok {
		return v, false
	}
	secret := v.ContainsMarked()
	if secret && !leave(a) || v.IsNull() {
		return v, false
	}
	converted, err := convert.Convert(v, ty)
	switch {
	case err != nil && secret:
		s.Refuse(a.Expr.Range(), "Wrong kind of value", "%s must be %s.", a.Name, kindOf(ty))
	case err != nil:
		s.Refuse(a.Expr.Range(), "Wrong kind of value", "%s must be %s: %s.", a.Name, kindOf(ty), err)
	case enormous(converted):
		s.Refuse(a.Expr.Range(), "Number too large", "%s", excessNumber)
	default:
		return converted, true
	}
	return converted, false
}

func kindOf(ty cty.Type) string {
	switch {
	case ty == cty.String:
		return "text"
	case ty == cty.Number:
		return "a number"
	case ty == cty.Bool:
		return "true or false"
	}
	return fmt.Sprintf("a %s", ty.FriendlyName())
}

// IsSet reports whether an attribute is there and not null. An expression that
// cannot be evaluated counts: it is reported where it is read.
func (s *Scope) IsSet(a *hcl.Attribute) bool {
	if a == nil {
		return false
	}
	v, diags := a.Expr.Value(s.ctx)
	return diags.HasErrors() || !v.IsNull()
}

// IsEmpty reports whether an attribute has no elements.
func (s *Scope) IsEmpty(a *hcl.Attribute) bool {
	v, diags := a.Expr.Value(s.ctx)
	return !diags.HasErrors() && v.IsKnown() && (v.IsNull() || v.CanIterateElements() && v.LengthInt() == 0)
}

// Require reports a missing attribute, at the head of its block.
func (s *Scope) Require(a *hcl.Attribute, name string, block hcl.Range, why string) bool {
	if s.IsSet(a) {
		return true
	}
	s.Refuse(block, "Missing "+name, "%s", why)
	return false
}

// SortedKeys returns the keys of a map, sorted.
func SortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

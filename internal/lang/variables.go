package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// The raw types are the blocks as they are written, not evaluated yet.

type rawVariable struct {
	Name        string          `hcl:"name,label"`
	NameRange   hcl.Range       `hcl:"name,label_range"`
	Type        *hcl.Attribute  `hcl:"type,optional"`
	Default     *hcl.Attribute  `hcl:"default,optional"`
	Description *hcl.Attribute  `hcl:"description,optional"`
	Sensitive   *hcl.Attribute  `hcl:"sensitive,optional"`
	Validations []rawValidation `hcl:"validation,block"`
}

type rawValidation struct {
	Range        hcl.Range      `hcl:",def_range"`
	Condition    *hcl.Attribute `hcl:"condition,optional"`
	ErrorMessage *hcl.Attribute `hcl:"error_message,optional"`
}

// A variable is a declared variable.
type variable struct {
	raw       rawVariable
	typ       cty.Type
	defaults  *typeexpr.Defaults
	value     cty.Value // NilVal until something gives it one
	sensitive bool
}

// literal reports whether text from outside HCL is the value itself, and not an
// expression to parse.
func (v *variable) literal() bool { return v.raw.Type == nil || v.typ.IsPrimitiveType() }

// readSensitive finds out which variables are sensitive, before anything that
// may show a value. One that may be sensitive is.
func (m *Module) readSensitive(blocks []rawVariable) {
	known := map[string]bool{}
	for _, raw := range blocks {
		before := m.Errors
		secret := m.constant().Flag(raw.Sensitive) || m.Errors > before
		known[raw.Name] = known[raw.Name] || secret
		if secret && raw.Default != nil {
			m.source.hide(raw.Default)
		}
	}
	m.outside.variables = known
}

// constant is a scope in which nothing can be referred to.
func (m *Module) constant() *Scope {
	alone := *m.Scope
	alone.names = names{}
	return &alone
}

// declare reads a variable block, all but its value from outside.
func (s *Scope) declare(raw rawVariable) *variable {
	v := &variable{raw: raw, typ: cty.DynamicPseudoType, sensitive: s.outside.isSecret(raw.Name)}
	if !hclsyntax.ValidIdentifier(raw.Name) {
		s.Refuse(raw.NameRange, "Not a variable name", "%s cannot be written as var.NAME. Use letters, digits, _ and -, starting with a letter.", Quote(raw.Name))
	}
	if raw.Type != nil {
		typ, defaults, diags := typeexpr.TypeConstraintWithDefaults(raw.Type.Expr)
		s.Add(diags)
		if !diags.HasErrors() {
			v.typ, v.defaults = typ, defaults
		}
	}
	s.Text(raw.Description)
	if raw.Default != nil {
		v.value = s.valueOf(v, raw.Default.Expr)
	}
	return v
}

// valueOf evaluates an expression to a value of a variable. A value that cannot
// be had is unknown.
func (s *Scope) valueOf(v *variable, expr hcl.Expression) cty.Value {
	var value cty.Value
	var ok bool
	if v.sensitive {
		value, ok = s.evalHidden(expr)
	} else {
		value, ok = s.Eval(expr)
	}
	if !ok {
		return cty.DynamicVal
	}
	return s.typed(v, value, expr.Range())
}

// evalHidden is Eval for what must not be shown, be it right or wrong.
func (s *Scope) evalHidden(expr hcl.Expression) (cty.Value, bool) {
	alone := *s
	alone.Report = newReport()
	value, ok := alone.Eval(expr)
	s.Add(withoutValues(alone.diags))
	if !ok {
		s.Errors++
	}
	return value, ok
}

// typed converts a value to the variable's type.
func (s *Scope) typed(v *variable, value cty.Value, at hcl.Range) cty.Value {
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	converted, err := convert.Convert(value, v.typ)
	if err == nil {
		return converted
	}
	detail := fmt.Sprintf("Variable %s is declared as %s: %s.", Quote(v.raw.Name), typeexpr.TypeString(v.typ), err)
	if v.sensitive {
		detail = fmt.Sprintf("Variable %s is declared as %s, and its value, which is sensitive and not shown, is not.", Quote(v.raw.Name), typeexpr.TypeString(v.typ))
	}
	if at.Filename == "" {
		s.RefuseInput("Wrong kind of value", "%s", detail)
	} else {
		s.Refuse(at, "Wrong kind of value", "%s", detail)
	}
	return cty.DynamicVal
}

// variables returns what var.NAME is: the given values over the defaults, in
// Terraform's order of precedence.
func (m *Module) variables(blocks []rawVariable, given []givenValue) map[string]cty.Value {
	declared := map[string]*variable{}
	constant := m.constant()
	for _, raw := range blocks {
		if first, twice := declared[raw.Name]; twice {
			m.Refuse(raw.NameRange, "Variable declared twice", "%s is declared at %s already. Remove one.", Quote(raw.Name), first.raw.NameRange)
			continue
		}
		declared[raw.Name] = constant.declare(raw)
	}
	for _, g := range given {
		v := declared[g.name]
		if v == nil {
			g.unknown(m.Report, DidYouMean(g.name, SortedKeys(declared)))
			continue
		}
		v.value = g.read(constant, v)
	}
	values := map[string]cty.Value{}
	for name, v := range declared {
		switch {
		case v.value == cty.NilVal && m.valuesMissing:
			v.value = cty.DynamicVal
		case v.value == cty.NilVal:
			m.Refuse(v.raw.NameRange, "Missing value", "Variable %s has no default. Give it with --var %s=VALUE, in a --var-file, or as LVSCTL_VAR_%s.", Quote(name), name, name)
			v.value = cty.DynamicVal
		case v.sensitive:
			v.value = v.value.Mark(sensitive)
		}
		values[name] = v.value
	}
	m.names["var"] = present(values)
	return values
}

// validate holds every variable against its validation blocks, which may refer
// to any variable.
func (s *Scope) validate(blocks []rawVariable) {
	for _, raw := range blocks {
		for _, rule := range raw.Validations {
			if !s.Require(rule.Condition, "condition", rule.Range, "A validation needs the condition that must hold.") ||
				!s.Require(rule.ErrorMessage, "error_message", rule.Range, "A validation needs the text to say when its condition does not hold.") {
				continue
			}
			condition, ok := s.Open(rule.Condition, cty.Bool)
			if !ok {
				continue
			}
			// Only whether it holds is said, which a sensitive value survives.
			if condition, _ = condition.Unmark(); condition.True() {
				continue
			}
			message, ok := s.Text(rule.ErrorMessage)
			if !ok {
				continue
			}
			s.Refuse(rule.Condition.Expr.Range(), "Invalid value for variable", "Variable %s: %s", Quote(raw.Name), message)
		}
	}
}

func present[V any](m map[string]V) map[string]bool {
	set := make(map[string]bool, len(m))
	for k := range m {
		set[k] = true
	}
	return set
}

package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A givenValue is a variable's value from outside the topology: from the
// environment, a file of values, or the command line.
type givenValue struct {
	name string
	from string         // "LVSCTL_VAR_x", "--var"; "" for a file, which has a range
	text string         // unless it is from a file
	attr *hcl.Attribute // from a file
}

// given returns all values in the order in which later ones win. The
// environment only counts where a variable is declared: it is shared with
// programs that never heard of this topology.
func (m *Module) given(in Input, blocks []rawVariable) []givenValue {
	var all []givenValue
	for _, raw := range blocks {
		key := variablePrefix + raw.Name
		if text, ok := m.outside.environ[key]; ok {
			all = append(all, givenValue{name: raw.Name, from: key, text: text})
		}
	}
	for _, path := range in.VarFiles {
		attrs, ok := m.valuesIn(path)
		m.valuesMissing = m.valuesMissing || !ok
		for _, name := range SortedKeys(attrs) {
			all = append(all, givenValue{name: name, attr: attrs[name]})
		}
	}
	for _, assignment := range in.Vars {
		name, text, ok := strings.Cut(assignment, "=")
		switch {
		case !ok && m.outside.hasSecrets():
			m.RefuseInput("Not an assignment", "A --var has no =. Write --var NAME=VALUE.")
		case !ok:
			m.RefuseInput("Not an assignment", "--var %s has no value. Write --var NAME=VALUE.", Quote(assignment))
		default:
			all = append(all, givenValue{name: strings.TrimSpace(name), from: "--var", text: text})
		}
	}
	return all
}

// valuesIn reads a file of values. Where a variable is sensitive, nothing of the
// file is shown but the values of those that are not.
func (m *Module) valuesIn(path string) (hcl.Attributes, bool) {
	src, ok := m.source.readFile(path)
	if !ok {
		return nil, false
	}
	file, diags := m.source.parseSyntax(path, src)
	var attrs hcl.Attributes
	if !diags.HasErrors() {
		attrs, diags = file.Body.JustAttributes()
	}
	switch {
	case !m.outside.hasSecrets():
		m.Add(diags)
	case diags.HasErrors():
		m.source.hideAll(path, src)
		m.source.refuseHidden(diags)
	default:
		for name, a := range attrs {
			if m.outside.isSecret(name) {
				m.source.hide(a)
			}
		}
	}
	return attrs, !diags.HasErrors()
}

// unknown reports a value for a variable that nobody declared.
func (g givenValue) unknown(r *Report, suggestion string) {
	const why = "The topology has no variable %s.%s"
	if g.attr != nil {
		r.Refuse(g.attr.NameRange, "Unknown variable", why, Quote(g.name), suggestion)
		return
	}
	r.RefuseInput("Unknown variable", g.from+": "+why, Quote(g.name), suggestion)
}

// read turns a given value into one of the variable's type. Nothing can be
// referred to from outside.
func (g givenValue) read(constant *Scope, v *variable) cty.Value {
	if g.attr != nil {
		return constant.valueOf(v, g.attr.Expr)
	}
	if v.literal() {
		return constant.typed(v, cty.StringVal(g.text), hcl.Range{})
	}
	value, diags := constant.parseValue(g)
	if diags.HasErrors() && v.sensitive {
		constant.RefuseInput("Not an expression", "The value of variable %s, which is sensitive and not shown, cannot be read as %s.", Quote(g.name), typeexpr.TypeString(v.typ))
		return cty.DynamicVal
	}
	constant.Add(diags)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	return constant.typed(v, value, hcl.Range{})
}

// parseValue evaluates an expression from outside the files.
func (s *Scope) parseValue(g givenValue) (cty.Value, hcl.Diagnostics) {
	where := "<" + g.from + " " + g.name + ">"
	tokens, _ := hclsyntax.LexExpression([]byte(g.text), where, hcl.InitialPos)
	if e := excessIn(tokens); e != nil {
		return cty.DynamicVal, e.diagnostics()
	}
	expr, diags := hclsyntax.ParseExpression([]byte(g.text), where, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	alone := *s
	alone.Report = newReport()
	value, ok := alone.Eval(s.budget.meter(expr))
	if !ok {
		value = cty.DynamicVal
	}
	return value, alone.diags
}

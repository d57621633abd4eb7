package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// An Instance is one of the things that a block makes: itself, or with for_each
// one a key.
type Instance struct {
	*Scope
	Block *hcl.Block
	Name  string // NAME, or NAME-KEY
	Group string // NAME with for_each, else ""
}

var forEachSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "for_each"}}}

// IsGroup reports whether a block has for_each.
func IsGroup(block *hcl.Block) bool {
	content, _, _ := block.Body.PartialContent(forEachSchema)
	return content.Attributes["for_each"] != nil
}

// Instances multiplies a block by its for_each. The block's name is checked, and
// so is each NAME-KEY.
func (m *Module) Instances(block *hcl.Block) []Instance {
	name, at := block.Labels[0], block.LabelRanges[0]
	if !m.CheckName("The "+block.Type, name, at) {
		return nil
	}
	content, _, _ := block.Body.PartialContent(forEachSchema)
	attr := content.Attributes["for_each"]
	if attr == nil {
		return []Instance{{Scope: m.Scope, Block: block, Name: name}}
	}
	keys, ok := m.forEach(attr)
	if !ok {
		return nil
	}
	var all []Instance
	for it := keys.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if keys.Type().IsSetType() {
			key = value
		}
		full := name + "-" + key.AsString()
		if m.CheckName("With this key of for_each, the "+block.Type, full, attr.Expr.Range()) {
			all = append(all, Instance{Scope: m.withEach(key, value), Block: block, Name: full, Group: name})
		}
	}
	return all
}

// forEach evaluates for_each to a map, an object or a set of strings.
func (m *Module) forEach(attr *hcl.Attribute) (cty.Value, bool) {
	v, ok := m.Eval(attr.Expr)
	if !ok {
		return v, false
	}
	if diags := refuseSensitive(v, attr.Expr, nil); diags.HasErrors() {
		m.Add(diags)
		return v, false
	}
	ty := v.Type()
	switch {
	case v.IsNull():
		m.Refuse(attr.Expr.Range(), "Nothing to iterate", "for_each is null. Use an empty map for no instances.")
		return v, false
	case ty.IsMapType(), ty.IsObjectType():
		return v, true
	case ty.IsSetType() && v.LengthInt() == 0:
		return v, true
	case ty.IsSetType() && ty.ElementType() == cty.String:
		return v, m.withoutNull(v, attr)
	case ty.IsTupleType(), ty.IsListType():
		m.Refuse(attr.Expr.Range(), "for_each of a list", "for_each is a map or a set of strings, so that each instance keeps its name when another goes. Write for_each = toset([...]).")
	default:
		m.Refuse(attr.Expr.Range(), "Wrong kind of value", "for_each is a map or a set of strings, not %s.", ty.FriendlyName())
	}
	return v, false
}

// withoutNull refuses a set that holds null, which names no instance.
func (m *Module) withoutNull(set cty.Value, attr *hcl.Attribute) bool {
	for it := set.ElementIterator(); it.Next(); {
		if _, v := it.Element(); v.IsNull() {
			m.Refuse(attr.Expr.Range(), "Null in for_each", "Each element of the set names an instance, and one of them is null. Leave it out: toset([for x in ... : x if x != null]).")
			return false
		}
	}
	return true
}

package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// An Element is one member of a list or a map, and where it was written.
type Element struct {
	Key   string // of a map; the text of a member, where texts are read
	Value cty.Value
	At    hcl.Range
}

// List reads a list, set or tuple of any elements; a single value is a list of
// one.
func (s *Scope) List(a *hcl.Attribute) ([]Element, bool) {
	v, ok := s.Value(a, cty.DynamicPseudoType)
	if !ok {
		return nil, false
	}
	ty := v.Type()
	if !ty.IsListType() && !ty.IsSetType() && !ty.IsTupleType() {
		return []Element{{Value: v, At: a.Expr.Range()}}, true
	}
	exprs, diags := hcl.ExprList(a.Expr)
	located := !diags.HasErrors() && len(exprs) == v.LengthInt() && !ty.IsSetType()
	var all []Element
	for it := v.ElementIterator(); it.Next(); {
		_, value := it.Element()
		e := Element{Value: value, At: a.Expr.Range()}
		if located {
			e.At = exprs[len(all)].Range()
		}
		all = append(all, e)
	}
	return all, true
}

// Texts reads a list of strings.
func (s *Scope) Texts(a *hcl.Attribute) (words []Element, ok bool) {
	all, ok := s.List(a)
	if !ok {
		return nil, false
	}
	for _, e := range all {
		if e.Value.IsNull() || !e.Value.Type().IsPrimitiveType() {
			s.Refuse(e.At, "Wrong kind of value", "%s must be text, or a list of texts.", a.Name)
			ok = false
			continue
		}
		e.Key = AsText(e.Value)
		if s.Plain(a.Name, e.Key, e.At) {
			words = append(words, e)
		} else {
			ok = false
		}
	}
	return words, ok
}

// Entries reads a map or an object, sorted by key. Each entry is placed at its
// key where the map is written out.
func (s *Scope) Entries(a *hcl.Attribute) ([]Element, bool) {
	v, ok := s.Value(a, cty.DynamicPseudoType)
	if !ok {
		return nil, false
	}
	if !v.Type().IsMapType() && !v.Type().IsObjectType() {
		s.Refuse(a.Expr.Range(), "Wrong kind of value", "%s must be a map, such as { \"name\" = 1 }.", a.Name)
		return nil, false
	}
	places := map[string]hcl.Range{}
	if pairs, diags := hcl.ExprMap(a.Expr); !diags.HasErrors() {
		for _, p := range pairs {
			if key, diags := p.Key.Value(s.ctx); !diags.HasErrors() && key.IsKnown() && !key.IsNull() && !key.IsMarked() && key.Type() == cty.String {
				places[key.AsString()] = p.Key.Range()
			}
		}
	}
	var all []Element
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		at, located := places[key.AsString()]
		if !located {
			at = a.Expr.Range()
		}
		if s.Plain("a key of "+a.Name, key.AsString(), at) {
			all = append(all, Element{Key: key.AsString(), Value: value, At: at})
		}
	}
	slices.SortFunc(all, func(a, b Element) int { return strings.Compare(a.Key, b.Key) })
	return all, true
}

// AsText is a primitive value as it would be interpolated.
func AsText(v cty.Value) string {
	switch v.Type() {
	case cty.Number:
		return v.AsBigFloat().Text('f', -1)
	case cty.Bool:
		if v.True() {
			return "true"
		}
		return "false"
	}
	return v.AsString()
}

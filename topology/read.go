package topology

import (
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// longestText is longer than any value a node understands.
const longestText = 4096

// text reads a string. Whatever reaches a node passes here: a control character
// would end a line in a configuration file, or act on a terminal.
func (s *scope) text(a *hcl.Attribute) (string, bool) {
	v, ok := s.value(a, cty.String)
	if !ok {
		return "", false
	}
	return v.AsString(), s.plain(a.Name, v.AsString(), a.Expr.Range())
}

// plain reports whether text is printable and of a sane length.
func (s *scope) plain(what, text string, at hcl.Range) bool {
	if len(text) > longestText {
		s.refuse(at, "Text too long", "%s has %d bytes; at most %d make sense.", what, len(text), longestText)
		return false
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			s.refuse(at, "Control character in text", "%s is %s, which holds a character that cannot be printed (%U). Remove it.", what, quote(text), r)
			return false
		}
	}
	return true
}

// flag reads true or false; absent is false.
func (s *scope) flag(a *hcl.Attribute) bool {
	v, ok := s.value(a, cty.Bool)
	return ok && v.True()
}

// ternary reads true, false or nothing.
func (s *scope) ternary(a *hcl.Attribute) *bool {
	v, ok := s.value(a, cty.Bool)
	if !ok {
		return nil
	}
	b := v.True()
	return &b
}

// integer reads a whole number between two bounds.
func (s *scope) integer(a *hcl.Attribute, least, most int) (int, bool) {
	v, ok := s.value(a, cty.Number)
	if !ok {
		return 0, false
	}
	return s.whole(a.Name, v, a.Expr.Range(), least, most)
}

func (s *scope) whole(what string, v cty.Value, at hcl.Range, least, most int) (int, bool) {
	n, acc := v.AsBigFloat().Int64()
	if acc != big.Exact || n < int64(least) || n > int64(most) {
		s.refuse(at, "Number out of range", "%s is %s, and must be a whole number from %d to %d.", what, v.AsBigFloat().Text('g', 10), least, most)
		return 0, false
	}
	return int(n), true
}

// integerOr is integer with a default.
func (s *scope) integerOr(a *hcl.Attribute, least, most, otherwise int) int {
	if n, ok := s.integer(a, least, most); ok {
		return n
	}
	return otherwise
}

// duration reads "10s", "1m30s" or a number of seconds.
func (s *scope) duration(a *hcl.Attribute, least, most time.Duration) (time.Duration, bool) {
	v, ok := s.value(a, cty.String)
	if !ok {
		return 0, false
	}
	text := v.AsString()
	if strings.Trim(text, "-0123456789") == "" && text != "" {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		s.refuse(a.Expr.Range(), "Not a duration", "%s is %s. Write a number of seconds, or a number with its unit such as \"300s\" or \"5m\".", a.Name, quote(v.AsString()))
		return 0, false
	}
	if d < least || d > most {
		s.refuse(a.Expr.Range(), "Duration out of range", "%s is %s, and must be between %s and %s.", a.Name, d, least, most)
		return 0, false
	}
	return d, true
}

// seconds is duration for what the kernel counts in whole seconds.
func (s *scope) seconds(a *hcl.Attribute, least, most int) (int, bool) {
	d, ok := s.duration(a, time.Duration(least)*time.Second, time.Duration(most)*time.Second)
	if !ok {
		return 0, false
	}
	if d%time.Second != 0 {
		s.refuse(a.Expr.Range(), "Duration out of range", "%s is %s, and must be whole seconds.", a.Name, d)
		return 0, false
	}
	return int(d / time.Second), true
}

// choice reads one of a few words.
func (s *scope) choice(a *hcl.Attribute, words []string) (string, bool) {
	text, ok := s.text(a)
	if !ok {
		return "", false
	}
	return text, s.oneOf(a.Name, text, a.Expr.Range(), words)
}

func (s *scope) oneOf(what, text string, at hcl.Range, words []string) bool {
	if slices.Contains(words, text) {
		return true
	}
	s.refuse(at, "Unknown "+what, "%s is not a %s. It can be %s.%s", quote(text), what, orList(words), didYouMean(text, words))
	return false
}

// element is one member of a list or a map, and where it was written.
type element struct {
	key   string // of a map
	value cty.Value
	at    hcl.Range
}

// list reads a list, set or tuple of any elements; a single value is a list of
// one.
func (s *scope) list(a *hcl.Attribute) ([]element, bool) {
	v, ok := s.value(a, cty.DynamicPseudoType)
	if !ok {
		return nil, false
	}
	ty := v.Type()
	if !ty.IsListType() && !ty.IsSetType() && !ty.IsTupleType() {
		return []element{{value: v, at: a.Expr.Range()}}, true
	}
	exprs, diags := hcl.ExprList(a.Expr)
	located := !diags.HasErrors() && len(exprs) == v.LengthInt() && !ty.IsSetType()
	var all []element
	for it := v.ElementIterator(); it.Next(); {
		_, value := it.Element()
		e := element{value: value, at: a.Expr.Range()}
		if located {
			e.at = exprs[len(all)].Range()
		}
		all = append(all, e)
	}
	return all, true
}

// texts reads a list of strings.
func (s *scope) texts(a *hcl.Attribute) (words []element, ok bool) {
	all, ok := s.list(a)
	if !ok {
		return nil, false
	}
	for _, e := range all {
		if e.value.IsNull() || !e.value.Type().IsPrimitiveType() {
			s.refuse(e.at, "Wrong kind of value", "%s must be text, or a list of texts.", a.Name)
			ok = false
			continue
		}
		e.key = asText(e.value)
		if s.plain(a.Name, e.key, e.at) {
			words = append(words, e)
		} else {
			ok = false
		}
	}
	return words, ok
}

// entries reads a map or an object, sorted by key. Each entry is placed at its
// key where the map is written out.
func (s *scope) entries(a *hcl.Attribute) ([]element, bool) {
	v, ok := s.value(a, cty.DynamicPseudoType)
	if !ok {
		return nil, false
	}
	if !v.Type().IsMapType() && !v.Type().IsObjectType() {
		s.refuse(a.Expr.Range(), "Wrong kind of value", "%s must be a map, such as { \"name\" = 1 }.", a.Name)
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
	var all []element
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		at, located := places[key.AsString()]
		if !located {
			at = a.Expr.Range()
		}
		if s.plain("a key of "+a.Name, key.AsString(), at) {
			all = append(all, element{key: key.AsString(), value: value, at: at})
		}
	}
	slices.SortFunc(all, func(a, b element) int { return strings.Compare(a.key, b.key) })
	return all, true
}

// asText is a primitive value as it would be interpolated.
func asText(v cty.Value) string {
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

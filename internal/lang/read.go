package lang

import (
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// longestText is longer than any value a node understands.
const longestText = 4096

// Text reads a string. Whatever reaches a node passes here: a control character
// would end a line in a configuration file, or act on a terminal.
func (s *Scope) Text(a *hcl.Attribute) (string, bool) {
	v, ok := s.Value(a, cty.String)
	if !ok {
		return "", false
	}
	return v.AsString(), s.Plain(a.Name, v.AsString(), a.Expr.Range())
}

// Plain reports whether text is printable and of a sane length.
func (s *Scope) Plain(what, text string, at hcl.Range) bool {
	if len(text) > longestText {
		s.Refuse(at, "Text too long", "%s has %d bytes; at most %d make sense.", what, len(text), longestText)
		return false
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			s.Refuse(at, "Control character in text", "%s is %s, which holds a character that cannot be printed (%U). Remove it.", what, Quote(text), r)
			return false
		}
	}
	return true
}

// Flag reads true or false; absent is false.
func (s *Scope) Flag(a *hcl.Attribute) bool {
	v, ok := s.Value(a, cty.Bool)
	return ok && v.True()
}

// Ternary reads true, false or nothing.
func (s *Scope) Ternary(a *hcl.Attribute) *bool {
	v, ok := s.Value(a, cty.Bool)
	if !ok {
		return nil
	}
	b := v.True()
	return &b
}

// Integer reads a whole number between two bounds.
func (s *Scope) Integer(a *hcl.Attribute, least, most int) (int, bool) {
	v, ok := s.Value(a, cty.Number)
	if !ok {
		return 0, false
	}
	return s.Whole(a.Name, v, a.Expr.Range(), least, most)
}

// Whole is Integer for a value that has been evaluated already.
func (s *Scope) Whole(what string, v cty.Value, at hcl.Range, least, most int) (int, bool) {
	v, err := convert.Convert(v, cty.Number)
	if err != nil || v.IsNull() || enormous(v) {
		s.Refuse(at, "Wrong kind of value", "%s must be a number.", what)
		return 0, false
	}
	n, acc := v.AsBigFloat().Int64()
	if acc != big.Exact || n < int64(least) || n > int64(most) {
		s.Refuse(at, "Number out of range", "%s is %s, and must be a whole number from %d to %d.", what, v.AsBigFloat().Text('g', 10), least, most)
		return 0, false
	}
	return int(n), true
}

// IntegerOr is Integer with a default.
func (s *Scope) IntegerOr(a *hcl.Attribute, least, most, otherwise int) int {
	if n, ok := s.Integer(a, least, most); ok {
		return n
	}
	return otherwise
}

// Duration reads "10s", "1m30s" or a number of seconds.
func (s *Scope) Duration(a *hcl.Attribute, least, most time.Duration) (time.Duration, bool) {
	v, ok := s.Value(a, cty.String)
	if !ok {
		return 0, false
	}
	text := v.AsString()
	if strings.Trim(text, "-0123456789") == "" && text != "" {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		s.Refuse(a.Expr.Range(), "Not a duration", "%s is %s. Write a number of seconds, or a number with its unit such as \"300s\" or \"5m\".", a.Name, Quote(v.AsString()))
		return 0, false
	}
	if d < least || d > most {
		s.Refuse(a.Expr.Range(), "Duration out of range", "%s is %s, and must be between %s and %s.", a.Name, d, least, most)
		return 0, false
	}
	return d, true
}

// Seconds is Duration for what the kernel counts in whole seconds.
func (s *Scope) Seconds(a *hcl.Attribute, least, most int) (int, bool) {
	d, ok := s.Duration(a, time.Duration(least)*time.Second, time.Duration(most)*time.Second)
	if !ok {
		return 0, false
	}
	if d%time.Second != 0 {
		s.Refuse(a.Expr.Range(), "Duration out of range", "%s is %s, and must be whole seconds.", a.Name, d)
		return 0, false
	}
	return int(d / time.Second), true
}

// Choice reads one of a few words.
func (s *Scope) Choice(a *hcl.Attribute, words []string) (string, bool) {
	text, ok := s.Text(a)
	if !ok {
		return "", false
	}
	return text, s.OneOf(a.Name, text, a.Expr.Range(), words)
}

// OneOf refuses a word that is none of some, and suggests the nearest.
func (s *Scope) OneOf(what, text string, at hcl.Range, words []string) bool {
	if slices.Contains(words, text) {
		return true
	}
	s.Refuse(at, "Unknown "+what, "%s is not a %s. It can be %s.%s", Quote(text), what, OrList(words), DidYouMean(text, words))
	return false
}

package lang

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// HCL's parser and its evaluator recurse: once a bracket, and once an operator
// of a chain such as 1+1+1. Go cannot recover from an overflown stack, so both
// are counted on the tokens, which are found without recursion, before anything
// is parsed. A number such as 1e9999999 is short, and takes minutes to print.
const (
	deepestNesting  = 100
	longestChain    = 1000
	largestExponent = 400
)

var (
	excessNesting = fmt.Sprintf("This is nested more than %d levels deep, or a chain of more than %d operators. Split it with locals.", deepestNesting, longestChain)
	errLongNumber = fmt.Errorf("a number has at most %d digits", largestExponent)
	excessNumber  = capitalised(errLongNumber.Error()) + "."
)

// An excess is where something is deeper, longer or larger than anyone writes
// by hand.
type excess struct {
	at              hcl.Range
	summary, reason string
}

func (e *excess) diagnostics() hcl.Diagnostics {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: e.summary, Detail: e.reason}
	if e.at.Filename != "" {
		d.Subject = e.at.Ptr()
	}
	return hcl.Diagnostics{d}
}

// level is one open bracket, quote or template sequence.
type level struct {
	// links counts what the parser recurses on since the last separator.
	links int
	// endsAtNewline is whether a newline separates: in bodies and objects, not in
	// parentheses, nor in for expressions.
	endsAtNewline bool
}

// excessIn returns the first excess among tokens, or nil.
func excessIn(tokens hclsyntax.Tokens) *excess {
	levels := []level{{endsAtNewline: true}}
	for i, t := range tokens {
		top := &levels[len(levels)-1]
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			if t.Type == hclsyntax.TokenOBrack || t.Type == hclsyntax.TokenTemplateControl {
				top.links++ // a[b][b] and %{if}%{if} nest without brackets inside one another
			}
			inFor := i+1 < len(tokens) && string(tokens[i+1].Bytes) == "for"
			levels = append(levels, level{endsAtNewline: t.Type == hclsyntax.TokenOBrace && !inFor})
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			if len(levels) > 1 {
				levels = levels[:len(levels)-1]
			}
		case hclsyntax.TokenComma:
			top.links = 0
		case hclsyntax.TokenNewline:
			if top.endsAtNewline {
				top.links = 0
			}
		case hclsyntax.TokenPlus, hclsyntax.TokenMinus, hclsyntax.TokenStar, hclsyntax.TokenSlash, hclsyntax.TokenPercent,
			hclsyntax.TokenBang, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenQuestion, hclsyntax.TokenDot,
			hclsyntax.TokenEqualOp, hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq,
			hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq:
			top.links++
		case hclsyntax.TokenNumberLit:
			if isEnormous(t.Bytes) {
				return &excess{t.Range, "Number too large", excessNumber}
			}
		}
		if len(levels) > deepestNesting || levels[len(levels)-1].links > longestChain {
			return &excess{t.Range, "Expression too deep", excessNesting}
		}
	}
	return nil
}

// isEnormous reports whether a number literal is too long to write out.
func isEnormous(literal []byte) bool {
	mantissa, exponent, _ := bytes.Cut(bytes.ToLower(literal), []byte("e"))
	if len(mantissa) > largestExponent {
		return true
	}
	n, err := strconv.Atoi(string(exponent))
	return len(exponent) > 0 && (err != nil || n > largestExponent || n < -largestExponent)
}

// enormous is the same of a value, which may have been multiplied.
func enormous(v cty.Value) bool {
	if v.Type() != cty.Number || v.IsNull() || !v.IsKnown() {
		return false
	}
	v, _ = v.Unmark()
	return isLong(v.AsBigFloat())
}

// excessInJSON does the same for JSON, whose strings are templates, or whole
// expressions where HCL wants one, that are parsed when they are evaluated.
func excessInJSON(src []byte, name string) *excess {
	at := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
	depth := 0
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '{' || c == '[':
			if depth++; depth > deepestNesting {
				return &excess{at, "Expression too deep", excessNesting}
			}
		case c == '}' || c == ']':
			depth--
		case c >= '0' && c <= '9':
			end := i + len(src[i:]) - len(bytes.TrimLeft(src[i:], "0123456789.eE+-"))
			if isEnormous(src[i:end]) {
				return &excess{at, "Number too large", excessNumber}
			}
			i = end - 1
		case c == '"':
			end := stringEnd(src, i)
			if e := excessInString(src[i:end]); e != nil {
				e.at = at
				return e
			}
			i = end - 1
		}
	}
	return nil
}

// stringEnd returns the index after the string that starts at src[start].
func stringEnd(src []byte, start int) int {
	for i := start + 1; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(src)
}

func excessInString(quoted []byte) *excess {
	var s string
	if !bytes.ContainsAny(quoted, "([{") || json.Unmarshal(quoted, &s) != nil {
		return nil // neither a template nor a call, or a syntax error for the parser to report
	}
	template, _ := hclsyntax.LexTemplate([]byte(s), "", hcl.InitialPos)
	if e := excessIn(template); e != nil {
		return e
	}
	expression, _ := hclsyntax.LexExpression([]byte(s), "", hcl.InitialPos)
	return excessIn(expression)
}

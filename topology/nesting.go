package topology

import (
	"encoding/json"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// HCL's parser and its evaluator recurse: once a bracket, and once an operator
// of a chain such as 1+1+1. Go cannot recover from an overflown stack, so both
// are counted on the tokens, which are found without recursion, before anything
// is parsed.
const (
	deepestNesting = 100
	longestChain   = 1000
)

// level is one open bracket, quote or template sequence.
type level struct {
	// links counts what the parser recurses on since the last separator.
	links int
	// endsAtNewline is whether a newline separates: in bodies and objects, not in
	// parentheses, nor in for expressions.
	endsAtNewline bool
}

// tooDeep returns where an expression is nested deeper, or chained longer, than
// anyone writes by hand.
func tooDeep(tokens hclsyntax.Tokens) *hcl.Range {
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
		}
		if len(levels) > deepestNesting || levels[len(levels)-1].links > longestChain {
			return t.Range.Ptr()
		}
	}
	return nil
}

// tooDeepJSON does the same for JSON, whose strings are templates, or whole
// expressions where HCL wants one, that are parsed when they are evaluated.
func tooDeepJSON(src []byte) bool {
	depth := 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '{', '[':
			if depth++; depth > deepestNesting {
				return true
			}
		case '}', ']':
			depth--
		case '"':
			end := stringEnd(src, i)
			if tooDeepString(src[i:end]) {
				return true
			}
			i = end - 1
		}
	}
	return false
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

func tooDeepString(quoted []byte) bool {
	var s string
	if len(quoted) <= deepestNesting || json.Unmarshal(quoted, &s) != nil {
		return false // too short to nest, or a syntax error for the parser to report
	}
	template, _ := hclsyntax.LexTemplate([]byte(s), "", hcl.InitialPos)
	if tooDeep(template) != nil {
		return true
	}
	if strings.ContainsAny(s, "([{") {
		expression, _ := hclsyntax.LexExpression([]byte(s), "", hcl.InitialPos)
		return tooDeep(expression) != nil
	}
	return false
}

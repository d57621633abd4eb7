package lang

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A file of values may lie in the topology's folder, and be read as one of its files
// because nobody said --var-file. What stands outside any block there may be a sensitive
// variable's value, and nothing in the file tells: none of it is shown.

// hideStray blots out the values outside any block of a file that was parsed, or a JSON
// file as a whole.
func (s *source) hideStray(file *hcl.File) {
	body, native := file.Body.(*hclsyntax.Body)
	if !native {
		s.hideAll(file.Body.MissingItemRange().Filename, file.Bytes)
		return
	}
	for _, a := range body.Attributes {
		s.hide(a.AsHCLAttribute())
	}
}

// hideStrayTokens is hideStray for a native file with syntax errors: it blots out what
// follows each equals sign outside any block, as far as the end of the line, or of what
// begins there.
func (s *source) hideStrayTokens(name string, tokens hclsyntax.Tokens) {
	depth, from := 0, -1
	for i, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth = max(depth-1, 0)
		case hclsyntax.TokenEqual:
			if depth == 0 && from < 0 {
				from = i
			}
		}
		ends := t.Type == hclsyntax.TokenNewline && depth == 0 || t.Type == hclsyntax.TokenEOF
		if ends && from >= 0 {
			s.hidden = append(s.hidden, hcl.Range{Filename: name, Start: tokens[from].Range.Start, End: t.Range.Start})
			from = -1
		}
	}
}

// isHidden reports whether a range has something of what is blotted out.
func (s *source) isHidden(r *hcl.Range) bool {
	return r != nil && slices.ContainsFunc(s.hidden, func(h hcl.Range) bool {
		return h.Filename == r.Filename && r.Start.Byte <= h.End.Byte && h.Start.Byte <= r.End.Byte
	})
}

// Shown is the text of a file of a topology as a diff may show it: without the values of
// sensitive variables. The file is in native syntax, without errors.
func Shown(name string, src []byte) []byte {
	s := &source{Report: newReport(), parser: hclparse.NewParser()}
	file, diags := s.parser.ParseHCL(src, name)
	if diags.HasErrors() {
		return nil
	}
	s.hideStray(file)
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		value := b.Body.Attributes["default"]
		if _, secret := b.Body.Attributes["sensitive"]; secret && value != nil {
			s.hide(value.AsHCLAttribute())
		}
	}
	return s.files()[name].Bytes
}

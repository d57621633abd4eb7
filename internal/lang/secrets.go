package lang

import (
	"bytes"
	"errors"
	"fmt"
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A sensitive value is in three places, and shown from none of them:
//
//   - in the value itself, which carries a mark. Marks survive every function
//     and operator; the attributes that read a value refuse a marked one.
//   - in the text of an error. Whatever goes wrong with an expression that uses
//     a marked value is reported without details.
//   - in the source, as the default of a variable or in a file of values. What
//     stands there is blotted out in the files that diagnostics are printed with.

// sensitive marks what came from a sensitive variable.
const sensitive = "sensitive"

const hiddenDetail = "What is wrong is not shown, because a sensitive value takes part."

// hideValues replaces a function's error that may quote a sensitive argument.
func hideValues(err error, args []cty.Value) error {
	if err == nil || errors.Is(err, errOver) {
		return err
	}
	for _, a := range args {
		if a.ContainsMarked() {
			return errors.New("an argument is sensitive, so what is wrong is not shown")
		}
	}
	return err
}

// usesSecrets reports whether an expression refers to a sensitive value.
func usesSecrets(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	for _, ref := range expr.Variables() {
		v, diags := ref.TraverseAbs(ctx)
		if diags.HasErrors() {
			// The reference leads nowhere within the value; the value itself counts.
			v, _ = ref[:min(2, len(ref))].TraverseAbs(ctx)
		}
		if v.ContainsMarked() {
			return true
		}
	}
	return false
}

// withoutValues drops from diagnostics what may quote a sensitive value.
func withoutValues(diags hcl.Diagnostics) hcl.Diagnostics {
	hidden := make(hcl.Diagnostics, len(diags))
	for i, d := range diags {
		hidden[i] = &hcl.Diagnostic{Severity: d.Severity, Summary: d.Summary, Detail: hiddenDetail, Subject: d.Subject, Context: d.Context, Extra: d.Extra}
	}
	return hidden
}

// hide blots out the value of an attribute.
func (s *source) hide(a *hcl.Attribute) {
	end := a.Range.End
	if inner := a.Expr.Range().End; inner.Byte > end.Byte {
		end = inner
	}
	s.hidden = append(s.hidden, hcl.Range{Filename: a.NameRange.Filename, Start: a.NameRange.End, End: end})
}

// hideAll blots out a file.
func (s *source) hideAll(name string, src []byte) {
	s.hidden = append(s.hidden, hcl.Range{Filename: name, End: hcl.Pos{Byte: len(src)}})
}

// files returns the files for printing diagnostics with, without what is hidden.
func (s *source) files() map[string]*hcl.File {
	files := maps.Clone(s.parser.Files())
	for _, r := range s.hidden {
		f := files[r.Filename]
		if f == nil || r.End.Byte > len(f.Bytes) {
			continue
		}
		blotted := *f
		blotted.Bytes = bytes.Clone(f.Bytes)
		secret := bytes.TrimLeft(blotted.Bytes[r.Start.Byte:r.End.Byte], " \t:=")
		for i, c := range secret {
			if c != '\n' {
				secret[i] = '*'
			}
		}
		if len(secret) == len(blotted.Bytes) {
			blotted.Nav = nil // it would name the blocks
		}
		files[r.Filename] = &blotted
	}
	return files
}

// refuseUnparsed reports the syntax errors of a file, and blots out in it what may be
// sensitive. If that can be a default, nothing of the errors is shown but their places.
func (s *source) refuseUnparsed(name string, src []byte, diags hcl.Diagnostics) {
	if isJSON(name) {
		s.hideAll(name, src) // no value has an end that could be found
		s.refuseHidden(diags)
		return
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if s.hideDefaults(name, src, tokens) {
		s.hideStrayTokens(name, tokens)
		s.refuseHidden(diags)
		return
	}
	s.hideStrayTokens(name, tokens)
	for _, d := range diags {
		if s.isHidden(d.Subject) || s.isHidden(d.Context) {
			s.refuseHidden(hcl.Diagnostics{d})
		} else {
			s.Add(hcl.Diagnostics{d})
		}
	}
}

// hideDefaults blots out what may be a sensitive default in a file with syntax errors:
// each variable block with the word sensitive in it, as far as its end can be found. It
// reports whether there is one.
func (s *source) hideDefaults(name string, src []byte, tokens hclsyntax.Tokens) bool {
	word := []byte("sensitive")
	found := false
	for i := 0; i < len(tokens); i++ {
		if string(tokens[i].Bytes) != "variable" {
			continue
		}
		from, depth := i, 0
		for ; i < len(tokens); i++ {
			switch tokens[i].Type {
			case hclsyntax.TokenOBrace:
				depth++
			case hclsyntax.TokenCBrace:
				depth--
			}
			if tokens[i].Type == hclsyntax.TokenCBrace && depth <= 0 {
				break
			}
		}
		r := hcl.Range{Filename: name, Start: tokens[from].Range.Start, End: tokens[min(i, len(tokens)-1)].Range.End}
		if bytes.Contains(src[r.Start.Byte:r.End.Byte], word) {
			s.hidden = append(s.hidden, r)
			found = true
		}
	}
	return found
}

// refuseHidden reports syntax errors of a file that may hold sensitive values:
// where they are, and not what is there.
func (s *source) refuseHidden(diags hcl.Diagnostics) {
	for _, d := range withoutValues(diags) {
		d.Summary = "Cannot parse the file"
		d.Detail = "The text there may hold a sensitive value, and is not shown."
		if d.Subject != nil {
			d.Detail = fmt.Sprintf("At %s: the text there may hold a sensitive value, and is not shown.", d.Subject)
		}
		s.Add(hcl.Diagnostics{d})
	}
}

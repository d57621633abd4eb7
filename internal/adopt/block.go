package adopt

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// A block is a block of HCL that is to be written. It is simpler than hclwrite's, so that
// two can be compared part by part.
type block struct {
	kind     string
	label    string // "" for none
	remarks  []Remark
	children []part
}

// A part is an attribute, or a block in a block.
type part struct {
	name  string
	value value
	block *block // nil for an attribute
}

// A value is a string, an int, a bool, a []value, or an expr that is written as it is.
type value any

type expr string

func (b *block) set(name string, v value) {
	b.children = append(b.children, part{name: name, value: v})
}

// setIf sets an attribute unless its value is the zero one.
func setIf[T comparable](b *block, name string, v T) {
	var zero T
	if v != zero {
		b.set(name, v)
	}
}

// add adds a block in the block.
func (b *block) add(kind, label string) *block {
	c := &block{kind: kind, label: label}
	b.children = append(b.children, part{block: c})
	return c
}

// addUnlessEmpty adds a block if there is something in it.
func (b *block) addUnlessEmpty(c *block) {
	if len(c.children) > 0 {
		b.children = append(b.children, part{block: c})
	}
}

// widest is how many columns a line may have before it is broken.
const widest = 100

// write writes the block. A block with one attribute only stands on one line if there is
// room, as in interface "eth0" { address = "10.0.0.1/24" }.
func (b *block) write(out *strings.Builder, indent int) {
	tabs := strings.Repeat("  ", indent)
	for _, r := range b.remarks {
		comment(out, tabs, r)
	}
	head := tabs + b.kind
	if b.label != "" {
		head += " " + quote(b.label)
	}
	if len(b.children) == 0 {
		out.WriteString(head + " {}\n")
		return
	}
	if one := b.children[0]; len(b.children) == 1 && one.block == nil && indent > 0 {
		line := fmt.Sprintf("%s { %s = %s }\n", head, one.name, text(one.value, 0))
		if len(line) <= widest && strings.Count(line, "\n") == 1 {
			out.WriteString(line)
			return
		}
	}
	out.WriteString(head + " {\n")
	for i, c := range b.children {
		if c.block != nil {
			if i > 0 && indent == 0 && (b.children[i-1].block == nil || b.children[i-1].block.kind != c.block.kind) {
				out.WriteString("\n")
			}
			c.block.write(out, indent+1)
			continue
		}
		if i > 0 && (b.children[i-1].block != nil || b.children[i-1].name == "for_each") {
			out.WriteString("\n")
		}
		fmt.Fprintf(out, "%s  %s = %s\n", tabs, c.name, text(c.value, indent+1))
	}
	out.WriteString(tabs + "}\n")
}

// comment writes a remark as a comment of lines that are not too long.
func comment(out *strings.Builder, tabs string, r Remark) {
	words := strings.Fields(r.String())
	line := tabs + "#"
	for _, w := range words {
		if len(line)+1+len(w) > widest && line != tabs+"#" {
			out.WriteString(line + "\n")
			line = tabs + "#  "
		}
		line += " " + w
	}
	out.WriteString(line + "\n")
}

// String is the remark with where it was read.
func (r Remark) String() string {
	if r.Source == "" {
		return r.Text
	}
	return r.Text + " (" + r.Source + ")"
}

// text is a value in HCL. A list or map that does not fit on a line has an element a line.
func text(v value, indent int) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case expr:
		return string(v)
	case []value:
		words := make([]string, len(v))
		for i, e := range v {
			words[i] = text(e, indent+1)
		}
		return listed("[", words, ",", "]", indent)
	case []entry:
		words := make([]string, len(v))
		for i, e := range v {
			words[i] = quote(e.key) + " = " + text(e.value, indent+1)
		}
		if len(words) == 0 {
			return "{}"
		}
		return listed("{ ", words, ",", " }", indent)
	}
	panic(fmt.Sprintf("no value of HCL: %T", v))
}

// An entry is one of a map, which is a []entry.
type entry struct {
	key   string
	value value
}

func listed(open string, words []string, comma, end string, indent int) string {
	one := open + strings.Join(words, comma+" ") + end
	if len(one)+2*indent+16 <= widest && !strings.Contains(one, "\n") {
		return one
	}
	tabs := strings.Repeat("  ", indent)
	var b strings.Builder
	b.WriteString(strings.TrimSpace(open) + "\n")
	for _, w := range words {
		b.WriteString(tabs + "  " + w + comma + "\n")
	}
	b.WriteString(tabs + strings.TrimSpace(end))
	return b.String()
}

// quote is a string literal of HCL.
func quote(s string) string {
	return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes())
}

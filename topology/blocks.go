package topology

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/zclconf/go-cty/cty"
)

// topLevel is every block a topology can consist of.
var topLevel = []hcl.BlockHeaderSchema{
	{Type: "lvsctl"},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "locals"},
	{Type: "ssh"},
	{Type: string(Director), LabelNames: []string{"name"}},
	{Type: string(RealServer), LabelNames: []string{"name"}},
	{Type: string(Router), LabelNames: []string{"name"}},
	{Type: string(Client), LabelNames: []string{"name"}},
	{Type: "virtual_server", LabelNames: []string{"name"}},
	{Type: "vrrp_instance", LabelNames: []string{"name"}},
}

// constantBlocks make the scope that the others are evaluated in, so a dynamic
// block cannot make them.
var constantBlocks = map[string]bool{"variable": true, "locals": true}

// blocks returns the blocks of all files by type, dynamic ones among them as
// they are.
func (l *loader) blocks(files []*hcl.File) map[string]hcl.Blocks {
	schema := &hcl.BodySchema{Blocks: append(topLevel[:len(topLevel):len(topLevel)],
		hcl.BlockHeaderSchema{Type: "dynamic", LabelNames: []string{"type"}})}
	byType := map[string]hcl.Blocks{}
	for _, file := range files {
		content, diags := file.Body.Content(schema)
		l.add(diags)
		for _, b := range content.Blocks {
			if b.Type == "dynamic" {
				l.dynamic = append(l.dynamic, file.Body)
				break
			}
		}
		for _, b := range content.Blocks {
			byType[b.Type] = append(byType[b.Type], b)
		}
	}
	return byType
}

// expandTopLevel adds the blocks that dynamic blocks outside any other make.
func (l *loader) expandTopLevel(byType map[string]hcl.Blocks) {
	at := map[hcl.Range]bool{}
	for _, b := range byType["dynamic"] {
		at[b.DefRange] = true
		if constantBlocks[b.Labels[0]] {
			l.refuse(b.LabelRanges[0], "Block cannot be dynamic", "%s blocks are read before anything is expanded.", b.Labels[0])
		}
	}
	for _, body := range l.dynamic {
		expanded := dynblock.Expand(body, l.ctx, dynblock.OptCheckForEach(iterable))
		content, diags := expanded.Content(&hcl.BodySchema{Blocks: topLevel})
		l.add(diags)
		for _, b := range content.Blocks {
			if at[b.DefRange] && !constantBlocks[b.Type] {
				byType[b.Type] = append(byType[b.Type], b)
			}
		}
	}
}

// iterable refuses what dynamic blocks cannot be made of.
func iterable(v cty.Value, expr hcl.Expression, ctx *hcl.EvalContext) hcl.Diagnostics {
	if !v.IsWhollyKnown() {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Subject: expr.Range().Ptr(), Extra: unreadable{}}}
	}
	return refuseSensitive(v, expr, ctx)
}

func refuseSensitive(v cty.Value, expr hcl.Expression, _ *hcl.EvalContext) hcl.Diagnostics {
	if !v.IsMarked() && !v.ContainsMarked() {
		return nil
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Sensitive value in a plain place",
		Detail:   "What for_each makes is shown in plans, so it cannot come from a sensitive variable.",
		Subject:  expr.Range().Ptr(),
	}}
}

// decode fills a raw block, dynamic blocks in it expanded.
func (s *scope) decode(body hcl.Body, raw any) {
	expanded := dynblock.Expand(body, s.ctx, dynblock.OptCheckForEach(iterable))
	s.add(gohcl.DecodeBody(expanded, nil, raw))
}

// An instance is one of the things that a block makes: itself, or with for_each
// one a key.
type instance struct {
	*scope
	block *hcl.Block
	name  string // NAME, or NAME-KEY
	group string // NAME with for_each, else ""
}

var forEachSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "for_each"}}}

// instances multiplies a block by its for_each.
func (l *loader) instances(block *hcl.Block) []instance {
	name, at := block.Labels[0], block.LabelRanges[0]
	if !l.scope.name("The "+block.Type, name, at) {
		return nil
	}
	content, _, _ := block.Body.PartialContent(forEachSchema)
	attr := content.Attributes["for_each"]
	if attr == nil {
		return []instance{{scope: l.scope, block: block, name: name}}
	}
	keys, ok := l.forEach(attr)
	if !ok {
		return nil
	}
	var all []instance
	for it := keys.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if keys.Type().IsSetType() {
			key = value
		}
		full := name + "-" + key.AsString()
		if l.scope.name("With this key of for_each, the "+block.Type, full, attr.Expr.Range()) {
			all = append(all, instance{scope: l.withEach(key, value), block: block, name: full, group: name})
		}
	}
	return all
}

// forEach evaluates for_each to a map, an object or a set of strings.
func (l *loader) forEach(attr *hcl.Attribute) (cty.Value, bool) {
	v, ok := l.eval(attr.Expr)
	if !ok {
		return v, false
	}
	if diags := refuseSensitive(v, attr.Expr, nil); diags.HasErrors() {
		l.add(diags)
		return v, false
	}
	ty := v.Type()
	switch {
	case v.IsNull():
		l.refuse(attr.Expr.Range(), "Nothing to iterate", "for_each is null. Use an empty map for no instances.")
		return v, false
	case ty.IsMapType(), ty.IsObjectType():
		return v, true
	case ty.IsSetType() && (ty.ElementType() == cty.String || v.LengthInt() == 0):
		return v, true
	case ty.IsTupleType(), ty.IsListType():
		l.refuse(attr.Expr.Range(), "for_each of a list", "for_each is a map or a set of strings, so that each instance keeps its name when another goes. Write for_each = toset([...]).")
	default:
		l.refuse(attr.Expr.Range(), "Wrong kind of value", "for_each is a map or a set of strings, not %s.", ty.FriendlyName())
	}
	return v, false
}

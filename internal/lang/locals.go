package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// locals evaluates the locals, each after those it refers to.
type locals struct {
	*Scope
	attrs  map[string]*hcl.Attribute
	values map[string]cty.Value
	// path is what is being evaluated now, and place where each stands on it: a
	// local that is met again there closes a cycle.
	path  []string
	place map[string]int
}

// locals returns what local.NAME is.
func (m *Module) locals(blocks hcl.Blocks) map[string]cty.Value {
	ev := &locals{Scope: m.Scope, attrs: map[string]*hcl.Attribute{}, values: map[string]cty.Value{}, place: map[string]int{}}
	for _, block := range blocks {
		attrs, diags := block.Body.JustAttributes()
		m.Add(diags)
		for _, name := range SortedKeys(attrs) {
			if first := ev.attrs[name]; first != nil {
				m.Refuse(attrs[name].NameRange, "Local defined twice", "%s is defined at %s already. Remove one.", Quote(name), first.NameRange)
				continue
			}
			if !hclsyntax.ValidIdentifier(name) {
				m.Refuse(attrs[name].NameRange, "Not a name", "%s cannot be written as local.NAME.", Quote(name))
				continue
			}
			ev.attrs[name] = attrs[name]
		}
	}
	m.names["local"] = present(ev.attrs)
	for _, name := range SortedKeys(ev.attrs) {
		ev.evaluate(name)
	}
	return ev.values
}

func (ev *locals) evaluate(name string) {
	if _, done := ev.values[name]; done {
		return
	}
	if i, again := ev.place[name]; again {
		cycle := append(slices.Clone(ev.path[i:]), name)
		ev.Refuse(ev.attrs[name].Range, "Cyclic locals", "local.%s. Each waits for the next; define one of them without the others.", strings.Join(cycle, " -> local."))
		for _, on := range ev.path[i:] {
			ev.values[on] = cty.DynamicVal
		}
		return
	}
	ev.place[name] = len(ev.path)
	ev.path = append(ev.path, name)
	defer func() {
		ev.path = ev.path[:len(ev.path)-1]
		delete(ev.place, name)
	}()

	expr := ev.attrs[name].Expr
	needed := map[string]cty.Value{}
	for _, ref := range expr.Variables() {
		if other := localName(ref); ev.attrs[other] != nil {
			ev.evaluate(other)
			needed[other] = ev.values[other]
		}
	}
	if _, cyclic := ev.values[name]; cyclic {
		return
	}
	// Only what this one refers to: an object of all locals for each of them would
	// cost the square of their number.
	here := *ev.Scope
	here.ctx = ev.ctx.NewChild()
	here.ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(needed)}
	value, ok := here.Eval(expr)
	if !ok {
		value = cty.DynamicVal
	}
	ev.values[name] = value
}

// localName returns NAME of local.NAME, or "".
func localName(ref hcl.Traversal) string {
	if ref.RootName() != "local" || len(ref) < 2 {
		return ""
	}
	step, _ := ref[1].(hcl.TraverseAttr)
	return step.Name
}

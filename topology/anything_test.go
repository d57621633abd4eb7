package topology

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// oddValues are values of every type, right and wrong ones.
var oddValues = []string{
	`null`, `true`, `""`, `"10.0.0.77/24"`, `"rs"`, `-1`, `1.5`, `pow(2, 70)`, `"1e400"`, `"\u0000"`,
	`[]`, `{}`, `[[]]`, `["rs", null]`, `[{}]`, `{ "" = 1 }`, `{ rs = null }`, `{ rs = [] }`, `toset(["a", null])`, `tomap({ a = null })`, `tostring(null)`,
	`var.secret`, `[var.secret]`, `{ a = var.secret }`, `{ (var.secret) = 1 }`, `toset([var.secret])`,
	`var.missing`, `[var.missing]`, `{ a = var.missing }`, `each.key`,
}

// attributes lists the attributes of a raw type, and of the blocks in it, as HCL. %s
// stands for the value.
func attributes(raw reflect.Type) []string {
	var all []string
	for i := range raw.NumField() {
		field := raw.Field(i)
		name, kind, _ := strings.Cut(field.Tag.Get("hcl"), ",")
		switch kind {
		case "optional":
			all = append(all, name+" = %s")
		case "block":
			inner := field.Type
			for inner.Kind() != reflect.Struct {
				inner = inner.Elem()
			}
			head := name
			for j := range inner.NumField() {
				if strings.HasSuffix(inner.Field(j).Tag.Get("hcl"), ",label") {
					head += ` "rs"`
				}
			}
			for _, a := range attributes(inner) {
				all = append(all, head+" {\n"+a+"\n}")
			}
			all = append(all, "dynamic \""+name+"\" {\nfor_each = %s\nlabels = ["+strings.Repeat(name+".value", strings.Count(head, " "))+"]\ncontent {}\n}")
		}
	}
	return all
}

// TestAnyValueAnywhere gives each odd value to each attribute. Load reads or refuses it.
func TestAnyValueAnywhere(t *testing.T) {
	blocks := []struct {
		head string
		raw  any
		rest string
	}{
		{"lvsctl", rawLvsctl{}, ""},
		{"ssh", rawSSH{}, ""},
		{`director "x"`, rawNode{}, `interface "eth0" { address = "10.0.0.71/24" }`},
		{`real_server "x"`, rawNode{}, `interface "eth0" { address = "10.0.0.72/24" }`},
		{`virtual_server "x"`, rawService{}, ""},
		{`vrrp_instance "x"`, rawVRRP{}, ""},
	}
	const before = `
variable "secret" {
  sensitive = true
  default   = "hunter2"
}
`
	file := filepath.Join(t.TempDir(), "main.hcl")
	tried := 0
	for _, b := range blocks {
		all := attributes(reflect.TypeOf(b.raw))
		if !slices.ContainsFunc(all, func(a string) bool { return strings.Contains(a, "= %s") }) {
			t.Fatalf("%s has no attributes", b.head)
		}
		for _, a := range all {
			for _, value := range oddValues {
				tried++
				src := in("TOP", before+b.head+" {\n"+b.rest+"\n"+fmt.Sprintf(a, value)+"\n}")
				if strings.Contains(value, "missing") {
					src += "variable \"missing\" { }\n"
				}
				if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
					t.Fatal(err)
				}
				topo, _, diags := Load(t.Context(), file, Options{})
				if (topo == nil) != diags.HasErrors() {
					t.Errorf("%s\n%s = %s: topology %v, errors %v", b.head, a, value, topo != nil, diags.HasErrors())
				}
				if strings.Contains(summaries(diags), "hunter2") {
					t.Errorf("%s\n%s = %s shows a secret:\n%s", b.head, a, value, summaries(diags))
				}
				if strings.Contains(value, "var.secret") && topo != nil && !strings.HasPrefix(a, "auth_pass ") {
					t.Errorf("%s\n%s = %s is taken, and will be shown", b.head, a, value)
				}
				if slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return strings.Contains(d.Detail, "panic") }) {
					t.Errorf("%s\n%s = %s:\n%s", b.head, a, value, summaries(diags))
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d tried", tried)
	}
}

package lang

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// things is a language of one kind of block.
var things = Grammar{
	Blocks:  []hcl.BlockHeaderSchema{{Type: "thing", LabelNames: []string{"name"}}},
	Secrets: []string{"secret"},
}

type rawThing struct {
	ForEach *hcl.Attribute `hcl:"for_each,optional"`
	Value   *hcl.Attribute `hcl:"value,optional"`
	Secret  *hcl.Attribute `hcl:"secret,optional"`
}

// loaded loads a module of one file.
func loaded(t testing.TB, src string, in Input) *Module {
	t.Helper()
	path := filepath.Join(t.TempDir(), "main.hcl")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	m, _ := Load(t.Context(), path, things, in)
	return m
}

// values are the values of all things, as text, by name.
func values(m *Module) map[string]string {
	have := map[string]string{}
	for _, b := range m.Blocks("thing") {
		for _, i := range m.Instances(b) {
			var raw rawThing
			i.Decode(i.Block.Body, &raw)
			if text, ok := i.Text(raw.Value); ok {
				have[i.Name] = text
			}
		}
	}
	return have
}

// evaluated is an expression's value, as text.
func evaluated(t testing.TB, expr string) string {
	t.Helper()
	m := loaded(t, "locals {\n x = "+expr+"\n}\nthing \"x\" { value = local.x }", Input{Environ: []string{"HOME=/root"}})
	have := values(m)
	if m.Failed() {
		t.Errorf("%s:\n%s", expr, summaries(m.Sorted()))
	}
	return have["x"]
}

// summaries is one line a diagnostic.
func summaries(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		b.WriteString(d.Summary + ": " + d.Detail + "\n")
	}
	return b.String()
}

package topology

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad loads arbitrary files. Load must return.
func FuzzLoad(f *testing.F) {
	for _, test := range refusals {
		if len(test.src) < 10000 {
			f.Add([]byte(test.src), false, "x=1")
		}
	}
	golden, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range golden {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, false, "x=[1]")
	}
	f.Add([]byte(in("TOP", web)), false, "x")
	f.Add([]byte(`{"director": {"lb": {"interface": {"eth0": {"address": "${var.x}"}}}}}`), true, "x={}")
	f.Add([]byte(`{"variable": {"x": {"type": "map(string)"}}, "locals": {"a": "${local.a}"}}`), true, "x={a=1}")
	f.Add([]byte(`{"dynamic": {"router": {"for_each": ["a"], "labels": ["${router.value}"], "content": {"address": "h"}}}}`), true, "")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, src []byte, json bool, assignment string) {
		name := filepath.Join(dir, "main.hcl")
		if json {
			name += ".json"
		}
		if err := os.WriteFile(name, src, 0o600); err != nil {
			t.Fatal(err)
		}
		topo, _, diags := Load(t.Context(), name, Options{Vars: []string{assignment}, Environ: []string{"LVSCTL_VAR_x=1"}})
		if (topo == nil) != diags.HasErrors() {
			t.Errorf("topology %v, errors %v", topo != nil, diags.HasErrors())
		}
	})
}

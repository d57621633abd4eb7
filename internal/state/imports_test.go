package state

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestImports checks which packages import which. It reads the import lines, because go
// list may answer from its cache. Every package may import internal/plural.
func TestImports(t *testing.T) {
	const module = "github.com/lvsctl/lvsctl/"
	allowed := map[string][]string{
		"cmd":                 {"topology", "roles", "plan", "apply", "internal"},
		"topology":            {"internal/lang", "internal/netsystem"},
		"roles":               {"topology", "internal/state", "internal/keepalived"},
		"plan":                {"internal/keepalived", "internal/netsystem", "internal/live", "internal/persist", "internal/state", "internal/shell"},
		"apply":               {"plan", "internal/live", "internal/state", "internal/persist", "internal/remote", "internal/shell"},
		"internal/status":     {"topology", "roles", "plan", "internal/state", "internal/survey"},
		"internal/survey":     {"topology", "roles", "plan", "apply", "internal/live", "internal/state", "internal/remote"},
		"internal/adopt":      {"topology", "roles", "plan", "internal/keepalived", "internal/lang", "internal/live", "internal/netsystem", "internal/state"},
		"internal/ci":         {"plan"},
		"internal/live":       {"internal/keepalived", "internal/persist", "internal/state", "internal/remote", "internal/shell"},
		"internal/persist":    {"internal/netsystem", "internal/state", "internal/shell"},
		"internal/state":      {"internal/shell"},
		"internal/remote":     {"internal/shell"},
		"internal/shell":      {},
		"internal/lang":       {},
		"internal/lab":        {},
		"internal/keepalived": {},
		"internal/golden":     {},
		"internal/graph":      {"topology"},
		"internal/netsystem":  {},
		"internal/plural":     {},
	}
	room := func(folder string) string {
		words := strings.Split(folder, "/")
		if words[0] == "internal" && len(words) > 1 {
			return path.Join(words[0], words[1])
		}
		return words[0]
	}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || strings.HasPrefix(name, ".") && file != root):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		here := room(filepath.ToSlash(rel))
		list, known := allowed[here]
		if !known {
			t.Errorf("%s: room %s has no line in this table", file, here)
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range parsed.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			folder, ours := strings.CutPrefix(imported, module)
			there := room(folder)
			if !ours || there == here || there == "internal/plural" {
				continue
			}
			if !slices.ContainsFunc(list, func(a string) bool { return there == a || strings.HasPrefix(there, a+"/") }) {
				t.Errorf("%s imports %s, which room %s may not", file, imported, here)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

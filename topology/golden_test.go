package topology

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestDiagnostics compares what a user reads with golden files. Each archive in testdata
// has the files of a topology, options in "args" (one --var or --var-file on each line),
// and "diagnostics", which -update writes.
func TestDiagnostics(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{}
			var o Options
			want, golden := "", -1
			for i, f := range archive.Files {
				switch f.Name {
				case "diagnostics":
					want, golden = string(f.Data), i
				case "args":
					o = options(t, string(f.Data))
				default:
					files[f.Name] = string(f.Data)
				}
			}
			t.Chdir(write(t, files))
			have := rendered(t, o)
			if *update {
				if golden < 0 {
					golden = len(archive.Files)
					archive.Files = append(archive.Files, txtar.File{Name: "diagnostics"})
				}
				archive.Files[golden].Data = []byte(have)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, have); d != "" {
				t.Errorf("diagnostics (-want +have):\n%s", d)
			}
		})
	}
}

func options(t *testing.T, args string) (o Options) {
	t.Helper()
	for line := range strings.Lines(args) {
		flag, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch flag {
		case "--var":
			o.Vars = append(o.Vars, value)
		case "--var-file":
			o.VarFiles = append(o.VarFiles, value)
		default:
			t.Fatalf("unknown option %q", flag)
		}
	}
	return o
}

// rendered loads the topology in the current folder and renders its diagnostics as a
// terminal shows them.
func rendered(t *testing.T, o Options) string {
	t.Helper()
	_, files, diags := Load(t.Context(), ".", o)
	var b bytes.Buffer
	if err := hcl.NewDiagnosticTextWriter(&b, files, 100, false).WriteDiagnostics(diags); err != nil {
		t.Fatal(err)
	}
	// A txtar file cannot end in a blank line.
	return strings.TrimRight(b.String(), "\n") + "\n"
}

package adopt

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/topology"
)

// A given topology is one of the project's own that loads.
type given struct {
	name string
	*topology.Topology
}

// allGiven are the topologies of the examples, and those in the packages' testdata.
func allGiven(t *testing.T) []given {
	t.Helper()
	var list []given
	try := func(name, path string, o topology.Options) {
		if have, _, diags := topology.Load(context.Background(), path, o); !diags.HasErrors() {
			list = append(list, given{name, have})
		}
	}
	folders := map[string]bool{}
	for _, root := range []string{"../../examples", "../../topology/testdata", "../../testdata"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case filepath.Ext(path) == ".hcl":
				folders[filepath.Dir(path)] = true
			case filepath.Ext(path) == ".txtar":
				unpack(t, path, try)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(folders)) {
		try(path, path, topology.Options{})
	}
	own, err := filepath.Glob("testdata/topologies/*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range own {
		have, files, diags := topology.Load(context.Background(), path, topology.Options{})
		if diags.HasErrors() {
			t.Fatal(path, diags, len(files))
		}
		list = append(list, given{filepath.Base(path), have})
	}
	if len(list) < 20 {
		t.Fatalf("only %d topologies were found", len(list))
	}
	return list
}

// unpack tries each folder of an archive.
func unpack(t *testing.T, path string, try func(string, string, topology.Options)) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "cluster")
	folders := map[string]bool{}
	var o topology.Options
	for _, f := range archive.Files {
		if f.Name == "args" {
			for _, word := range strings.Fields(string(f.Data)) {
				if v, ok := strings.CutPrefix(word, "--var="); ok {
					o.Vars = append(o.Vars, v)
				}
			}
		}
		if filepath.Ext(f.Name) != ".hcl" {
			continue
		}
		file := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
		folders[filepath.Dir(file)] = true
	}
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		try(path+strings.TrimPrefix(folder, dir), folder, o)
	}
}

// load reads what was written, with its secrets.
func load(t *testing.T, d Draft, text []byte) (*topology.Topology, hcl.Diagnostics) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster.hcl")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var o topology.Options
	for _, s := range Secrets(d) {
		o.Vars = append(o.Vars, s.Name+"="+s.Value)
	}
	have, _, diags := topology.Load(context.Background(), path, o)
	return have, diags
}

// loaded is load of what has to load.
func loaded(t *testing.T, d Draft, text []byte) *topology.Topology {
	t.Helper()
	have, diags := load(t, d, text)
	if diags.HasErrors() {
		t.Fatalf("what was written does not load: %v\n%s", diags, text)
	}
	return have
}

// alike compares topologies without where they were read.
var alike = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, netip.AddrPort{}), cmpopts.EquateEmpty(),
	cmpopts.IgnoreTypes(hcl.Range{}),
	cmpopts.IgnoreFields(topology.Topology{}, "Dir"),
	cmpopts.IgnoreFields(topology.Unsupported{}, "Range"),
}

// TestWrittenLoads writes each topology of the project and loads it again: it is the same,
// and is written in the same way again.
func TestWrittenLoads(t *testing.T) {
	for _, g := range allGiven(t) {
		t.Run(g.name, func(t *testing.T) {
			d := Draft{Topology: g.Topology}
			text := Write(d)
			have := loaded(t, d, text)
			if diff := cmp.Diff(g.Topology, have, alike); diff != "" {
				t.Errorf("not the same topology (-want +have):\n%s\n%s", diff, text)
			}
			if again := Write(Draft{Topology: have}); !bytes.Equal(text, again) {
				t.Errorf("written in another way:\n%s", cmp.Diff(string(text), string(again)))
			}
			if formatted, _, diags := lang.Format("x.hcl", text); diags.HasErrors() || !bytes.Equal(text, formatted) {
				t.Errorf("lvsctl fmt changes it:\n%s", cmp.Diff(string(text), string(formatted)))
			}
			if strings.Count(string(text), "\x00") > 0 {
				t.Errorf("a mark was left:\n%q", text)
			}
		})
	}
}

package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFolders checks that every folder with a topology is tested.
func TestFolders(t *testing.T) {
	files, err := filepath.Glob("*/cluster.hcl")
	if err != nil {
		t.Fatal(err)
	}
	contents, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	for _, e := range table {
		if tried[e.name] {
			t.Errorf("%s is in the table twice", e.name)
		}
		tried[e.name] = true
	}
	for _, f := range files {
		name := filepath.Dir(f)
		if !tried[name] {
			t.Errorf("%s is not in the table: add what it promises", name)
		}
		delete(tried, name)
		if !strings.Contains(string(contents), "("+name+"/)") {
			t.Errorf("README.md does not list %s", name)
		}
		if _, err := os.Stat(filepath.Join(name, "README.md")); err != nil {
			t.Errorf("%s says nothing of itself: %v", name, err)
		}
		for _, args := range [][]string{{"validate", name}, {"fmt", "--check", "--diff", name}} {
			if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
				t.Errorf("lvsctl %s: %v\n%s", strings.Join(args, " "), err, out)
			}
		}
	}
	for name := range tried {
		t.Errorf("%s is in the table and has no folder", name)
	}
}

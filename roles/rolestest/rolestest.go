// Package rolestest makes topologies and what they want out of HCL, for tests.
package rolestest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// Load reads a topology from the text of its file, whose name is cluster.hcl. It returns an
// error for a topology that is refused.
func Load(t testing.TB, text string) (*topology.Topology, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cluster.hcl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	top, _, diags := topology.Load(t.Context(), file, topology.Options{})
	if diags.HasErrors() {
		return nil, diags
	}
	return top, nil
}

// Wants returns what a topology wants of its nodes. It fails the test if the topology is
// refused.
func Wants(t testing.TB, text string) []roles.Want {
	t.Helper()
	top, err := Load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	wants, diags := roles.Wants(top)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return wants
}

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/roles"
	"github.com/lvsctl/lvsctl/topology"
)

// loaded is a valid topology, what it wants of its nodes, and the files that it was read
// from.
type loaded struct {
	*topology.Topology
	wants []roles.Want
	files map[string]*hcl.File
}

// load reads the topology at a command's PATH. It prints the topology's problems. The error
// only has the exit code.
func (a *app) load(ctx context.Context, args []string) (*loaded, error) {
	path := "."
	if len(args) > 0 {
		path = args[0]
	}
	t, files, diags := topology.Load(ctx, path, topology.Options{Vars: a.vars, VarFiles: a.varFiles, Environ: os.Environ(), Version: version})
	l := &loaded{Topology: t, files: files}
	if !diags.HasErrors() {
		var contradictions hcl.Diagnostics
		l.wants, contradictions = roles.Wants(t)
		diags = append(diags, contradictions...)
	}
	a.stderr.diagnose(files, diags)
	if diags.HasErrors() {
		return nil, exitError{code: exitFailed}
	}
	return l, nil
}

// refuseUnsupported prints the parts of the topology that a plan would ignore, and returns
// an error if there are any.
func (a *app) refuseUnsupported(l *loaded) error {
	if len(l.Unsupported) == 0 {
		return nil
	}
	var diags hcl.Diagnostics
	for _, u := range l.Unsupported {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Not supported yet",
			Detail:   fmt.Sprintf("This version of lvsctl reads %s but cannot act on it. Nothing is planned, rather than a part of what is written here.", u.What),
			Subject:  u.Range.Ptr(),
		})
	}
	a.stderr.diagnose(l.files, diags)
	return exitError{code: exitFailed}
}

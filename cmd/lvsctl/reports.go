package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/lvsctl/lvsctl/internal/ci"
	"github.com/lvsctl/lvsctl/plan"
)

// reports are what a drift is written as beside what is printed.
type reports struct {
	junit, prometheus string // files
	github            bool
}

func (r *reports) flags(set *pflag.FlagSet) {
	set.StringVar(&r.junit, "junit", "", "write a JUnit report to `FILE`, a case a node")
	set.StringVar(&r.prometheus, "prometheus", "", "write numbers to `FILE` for the textfile collector of Prometheus's node exporter")
	set.BoolVar(&r.github, "github", false, "print GitHub's annotations at the topology's lines; on standard error beside --json and --markdown")
}

// public is the mode of a report: other programs' users read it.
const public fs.FileMode = 0o644

func (a *app) report(doc plan.Document, r reports, as format) error {
	if r.github {
		out := a.stdout
		if as.json || as.markdown {
			out = a.stderr
		}
		for _, command := range ci.GitHub(doc, inWorkspace, visible) {
			out.line(painted(command))
		}
	}
	for _, f := range []struct {
		path  string
		write func() ([]byte, error)
	}{
		{r.junit, func() ([]byte, error) { return ci.JUnit(doc, visible) }},
		{r.prometheus, func() ([]byte, error) { return ci.Prometheus(doc) }},
	} {
		if f.path == "" {
			continue
		}
		text, err := f.write()
		if err == nil {
			err = replaceFile(f.path, text, public)
		}
		if err != nil {
			return fmt.Errorf("cannot write %s: %w", f.path, err)
		}
	}
	return nil
}

// inWorkspace is a file's path below the folder that GitHub Actions has the repository
// in, or the path as it is where that is none.
func inWorkspace(file string) string {
	root := os.Getenv("GITHUB_WORKSPACE")
	abs, err := filepath.Abs(file)
	if root == "" || err != nil {
		return file
	}
	rel, err := filepath.Rel(root, abs)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return file
	}
	return rel
}

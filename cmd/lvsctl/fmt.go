package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// A formatter formats files, or reports what it would change.
type formatter struct {
	*app
	check, diff bool
	changed     int  // the number of files that are, or would be, changed
	failed      bool // a file has errors, which have been printed
}

func fmtCommand(a *app) *cobra.Command {
	f := &formatter{app: a}
	cmd := &cobra.Command{
		Use:   "fmt [PATH...]",
		Short: "Write topologies in the canonical layout",
		Long: `Rewrites the *.hcl files of each PATH, a folder or a file, the current folder by
default, and prints the names of those it changed. With - for PATH it formats standard
input. JSON files are left alone.

Exit codes: 0 done; 1 error, or with --check there are files that would change.`,
		Example: `  lvsctl fmt
  lvsctl fmt --check --diff clusters/*
  lvsctl fmt - <main.hcl`,
		RunE: func(_ *cobra.Command, args []string) error { return f.run(args) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; list the files that would change, and exit 1 if there are any")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "show what changes")
	return cmd
}

func (f *formatter) run(args []string) error {
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, arg := range args {
		if arg == "-" {
			f.stream()
			continue
		}
		files, diags := lang.Files(arg)
		f.stderr.diagnose(nil, diags)
		f.failed = f.failed || diags.HasErrors()
		for _, file := range files {
			f.file(file)
		}
	}
	if f.failed || f.check && f.changed > 0 {
		return exitError{code: exitFailed}
	}
	return nil
}

// stream formats standard input to standard output.
func (f *formatter) stream() {
	have, err := io.ReadAll(io.LimitReader(f.stdin, lang.LargestFile+1)) // Format refuses the last byte
	if err != nil {
		f.refuse(fmt.Errorf("cannot read the input: %w", err))
		return
	}
	want, ok := f.format("<stdin>", have)
	switch {
	case !ok:
	case f.check || f.diff:
		f.compare("<stdin>", have, want)
	default:
		f.stdout.exact(want)
	}
}

// file formats one file in place.
func (f *formatter) file(path string) {
	have, err := lang.ReadText(path)
	if err != nil {
		f.refuse(fmt.Errorf("cannot read %s: %w", path, err))
		return
	}
	want, ok := f.format(path, have)
	if !ok || !f.compare(path, have, want) || f.check {
		return
	}
	if err := rewrite(path, want); err != nil {
		f.refuse(fmt.Errorf("cannot write %s: %w", path, err))
	}
}

func (f *formatter) format(name string, src []byte) ([]byte, bool) {
	want, files, diags := lang.Format(name, src)
	f.stderr.diagnose(files, diags)
	f.failed = f.failed || diags.HasErrors()
	return want, !diags.HasErrors()
}

// compare reports whether formatting changes a file, and prints its name or diff if so.
func (f *formatter) compare(name string, have, want []byte) bool {
	if bytes.Equal(have, want) {
		return false
	}
	f.changed++
	fmt.Fprintln(f.stdout, name)
	if f.diff {
		f.stdout.exact(diff.Diff(name, lang.Shown(name, have), name+" formatted", lang.Shown(name, want)))
	}
	return true
}

func (f *formatter) refuse(err error) {
	f.fail(err)
	f.failed = true
}

// rewrite writes new content to a topology's file. The file keeps its mode, and a symbolic
// link stays one.
func rewrite(path string, content []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return replaceFile(path, content, info.Mode().Perm())
}

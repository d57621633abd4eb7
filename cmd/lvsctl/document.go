package main

import (
	"errors"
	"io"

	"github.com/spf13/pflag"

	"github.com/lvsctl/lvsctl/plan"
)

// format is what a plan or a drift is printed as: text, unless it says otherwise.
type format struct{ json, markdown bool }

func (f *format) flags(set *pflag.FlagSet, what string) {
	set.BoolVar(&f.json, "json", false, "print the "+what+" as JSON, in the schema that plan, drift and apply share")
	set.BoolVar(&f.markdown, "markdown", false, "print the "+what+" as Markdown: a comment for a pull request, of at most 65,000 characters")
}

func (f *format) check() error {
	if f.json && f.markdown {
		return errors.New("--json and --markdown cannot be used together")
	}
	return nil
}

func (a *app) printDocument(doc plan.Document, d plan.Detail, as format) error {
	switch {
	case as.json:
		return a.stdout.json(doc)
	case as.markdown:
		_, err := io.WriteString(a.stdout, doc.Markdown(d, visible))
		return err
	}
	a.printLines(doc.Lines(d))
	a.printSummary(doc.Summary.Text)
	return nil
}

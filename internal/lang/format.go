package lang

import (
	"bytes"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Files returns the files of the topology at path that [Format] can write:
// those in native syntax, sorted.
func Files(path string) ([]string, hcl.Diagnostics) {
	report := newReport()
	s := &source{Report: report, parser: hclparse.NewParser()}
	var native []string
	for _, file := range s.find(path, nil) {
		if filepath.Ext(file) == ".hcl" {
			native = append(native, file)
		}
	}
	return native, report.diags
}

// Format returns a file in the canonical layout. A file with syntax errors is
// not formatted; the parsed file is returned for printing them with.
func Format(name string, src []byte) ([]byte, map[string]*hcl.File, hcl.Diagnostics) {
	report := newReport()
	s := &source{Report: report, parser: hclparse.NewParser()}
	if text, err := readable(bytes.NewReader(src)); err != nil {
		s.refuseUnreadable(name, err)
	} else {
		s.parseText(name, text)
	}
	if report.diags.HasErrors() {
		return nil, s.files(), report.diags
	}
	return hclwrite.Format(src), s.files(), nil
}

package lang

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// LargestFile is what one file may hold, in bytes: far above what anyone writes, and
// far below what hurts.
const LargestFile = 4 << 20

// source is the files of a topology, and the folder they are in.
type source struct {
	*Report
	dir    string
	file   string // "" for a whole folder
	parser *hclparse.Parser
	budget *budget // nil where nothing is evaluated
	opened []os.FileInfo
	hidden []hcl.Range // what may hold a sensitive value
}

// find returns the files of the topology at path, sorted. A file given with
// --var-file holds values, not blocks, wherever it lies.
func (s *source) find(path string, varFiles []string) []string {
	info, err := os.Stat(path)
	if err != nil {
		s.RefuseInput("No topology", "Cannot read %s: %s.", Quote(path), reason(err))
		return nil
	}
	if !info.IsDir() {
		s.dir, s.file = filepath.Dir(path), path
		if !isTopologyFile(filepath.Base(path)) {
			s.RefuseInput("Not a topology", "%s is neither *.hcl nor *.hcl.json.", Quote(path))
			return nil
		}
		return []string{path}
	}
	s.dir = path
	entries, err := os.ReadDir(path)
	if err != nil {
		s.RefuseInput("No topology", "Cannot list %s: %s.", Quote(path), reason(err))
		return nil
	}
	var files []string
	for _, e := range entries {
		file := filepath.Join(path, e.Name())
		if !e.IsDir() && isTopologyFile(e.Name()) && !holdsValues(file, varFiles) {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		s.RefuseInput("No topology", "There is no *.hcl file in %s. Give the folder or the file of a topology as the argument.", Quote(path))
	}
	sort.Strings(files)
	return files
}

func isTopologyFile(name string) bool {
	return !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json"))
}

func holdsValues(file string, varFiles []string) bool {
	info, err := os.Stat(file)
	for _, v := range varFiles {
		if other, otherErr := os.Stat(v); err == nil && otherErr == nil && os.SameFile(info, other) {
			return true
		}
	}
	return false
}

// parse reads one file; nil when it could not be read or parsed.
func (s *source) parse(path string) *hcl.File {
	src, ok := s.readFile(path)
	if !ok {
		return nil
	}
	return s.parseText(path, src)
}

func (s *source) readFile(path string) ([]byte, bool) {
	src, info, err := readBelow(filepath.Split(path))
	if err != nil {
		s.refuseUnreadable(path, err)
		return nil, false
	}
	s.opened = append(s.opened, info)
	return src, true
}

func (s *source) refuseUnreadable(path string, err error) {
	s.RefuseInput("Cannot read "+Quote(path), "%s.", capitalised(reason(err)))
}

// parseText parses what a file of blocks holds. A file with syntax errors is
// dropped: what is left of it would only cause more of them.
func (s *source) parseText(path string, src []byte) *hcl.File {
	file, diags := s.parseSyntax(path, src)
	if diags.HasErrors() {
		s.refuseUnparsed(path, src, diags)
		return nil
	}
	s.Add(diags)
	return file
}

// parseSyntax parses one file of either syntax, and puts meters into it.
func (s *source) parseSyntax(path string, src []byte) (*hcl.File, hcl.Diagnostics) {
	if isJSON(path) {
		if e := excessInJSON(src, path); e != nil {
			return nil, e.diagnostics()
		}
		file, diags := s.parser.ParseJSON(src, path)
		if s.budget != nil && !diags.HasErrors() {
			file.Body = &meteredJSON{file.Body, s.budget}
		}
		return file, diags
	}
	tokens, _ := hclsyntax.LexConfig(src, path, hcl.InitialPos)
	if e := excessIn(tokens); e != nil {
		return nil, e.diagnostics()
	}
	file, diags := s.parser.ParseHCL(src, path)
	if s.budget != nil && !diags.HasErrors() {
		s.budget.meterBody(file.Body.(*hclsyntax.Body))
	}
	return file, diags
}

func isJSON(path string) bool { return strings.HasSuffix(path, ".json") }

// ReadText reads one file of a topology, within the limits that Load keeps.
func ReadText(path string) ([]byte, error) {
	src, _, err := readBelow(filepath.Split(path))
	return src, err
}

// readBelow reads a regular text file in a folder or below it. Whoever wrote the
// folder's files decides what is read and quoted, so no path and no symbolic
// link leads out of it: os.Root holds that.
func readBelow(dir, path string) ([]byte, os.FileInfo, error) {
	if dir == "" {
		dir = "."
	}
	if !filepath.IsLocal(path) {
		return nil, nil, errors.New("it is not below the topology's folder")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would block for ever
	if err != nil {
		// What the kernel did not refuse, os.Root did.
		if errno := syscall.Errno(0); !errors.As(err, &errno) {
			err = errors.New("it is a symbolic link that leads out of its folder; put the file itself there")
		}
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errors.New("it is not a regular file")
	}
	src, err := readable(f)
	return src, info, err
}

// readable reads text of a sane size.
func readable(r io.Reader) ([]byte, error) {
	src, err := io.ReadAll(io.LimitReader(r, LargestFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(src) > LargestFile:
		return nil, fmt.Errorf("it is larger than %d MiB", LargestFile>>20)
	case !utf8.Valid(src):
		return nil, errors.New("it is not UTF-8 text")
	}
	return src, nil
}

// reason is an error without the path and the call that the message has named.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

func capitalised(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

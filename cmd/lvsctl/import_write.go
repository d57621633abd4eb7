package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lvsctl/lvsctl/topology"
)

// importTarget is where an import is written to: a file, or standard output if path is "".
type importTarget struct{ path string }

// target finds out where to write, before any node is read. A folder gets main.hcl. What is
// there already is looked at when it is known what to write.
func (m *importing) target() (importTarget, error) {
	if m.out == "" {
		return importTarget{}, nil
	}
	info, err := os.Stat(m.out)
	switch {
	case err == nil && info.IsDir():
		if others, err := filepath.Glob(filepath.Join(m.out, "*.hcl")); err == nil {
			for _, o := range others {
				if filepath.Base(o) != "main.hcl" {
					return importTarget{}, fmt.Errorf("%s is a topology already: it has %s\nName another folder, or a file.", m.out, filepath.Base(o))
				}
			}
		}
		return importTarget{filepath.Join(m.out, "main.hcl")}, nil
	case err == nil, strings.HasSuffix(m.out, ".hcl"):
		if !strings.HasSuffix(m.out, ".hcl") {
			return importTarget{}, fmt.Errorf("%s is no topology\nName a folder, or a file that ends in .hcl.", m.out)
		}
		return importTarget{m.out}, nil
	case errors.Is(err, fs.ErrNotExist):
		return importTarget{filepath.Join(m.out, "main.hcl")}, nil
	}
	return importTarget{}, err
}

// header is the first line of what is written: by it the same import knows its own file.
func (m *importing) header() string {
	words := append([]string(nil), m.args...)
	if m.name != "" {
		words = append(words, "--name", m.name)
	}
	for _, f := range m.from {
		words = append(words, "--from", f)
	}
	words = append(words, m.sayings()...)
	return "# Written by lvsctl import " + strings.Join(words, " ")
}

// sayings are the words by which a person says what nodes are.
func (m *importing) sayings() []string {
	var words []string
	for _, role := range []topology.Role{topology.Director, topology.RealServer, topology.Router} {
		for _, n := range *m.said[role] {
			words = append(words, "--"+strings.ReplaceAll(string(role), "_", "-"), n)
		}
	}
	return words
}

// write writes the topology under its header. A file that is there is replaced only if the
// same import has written it and nobody has changed it since.
func (t importTarget) write(a *app, header string, text []byte) error {
	if t.path == "" {
		a.stdout.exact(append([]byte(header+"\n\n"), text...))
		return nil
	}
	digest := sha256.Sum256(text)
	whole := append([]byte(header+" ("+hex.EncodeToString(digest[:4])+")\n\n"), text...)
	have, err := os.ReadFile(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !ownImport(have, header):
		return fmt.Errorf("%s is there already, and is not what this import has written\nName another file with --out, or compare: lvsctl import ... | diff %s -", t.path, t.path)
	}
	if err := os.MkdirAll(filepath.Dir(t.path), 0o755); err != nil {
		return err
	}
	if err := replaceFile(t.path, whole, 0o644); err != nil {
		return fmt.Errorf("cannot write the topology: %w", err)
	}
	a.stderr.linef("Wrote %s", t.path)
	return nil
}

// ownImport reports whether a file is what an import with a header wrote, unchanged.
func ownImport(have []byte, header string) bool {
	first, rest, ok := bytes.Cut(have, []byte("\n\n"))
	digest := sha256.Sum256(rest)
	return ok && string(first) == header+" ("+hex.EncodeToString(digest[:4])+")"
}

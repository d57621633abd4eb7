package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeNamesTests checks that the tests that the README names exist.
func TestReadmeNamesTests(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	err = filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(readme), -1)
	for _, name := range named {
		if !strings.Contains(code.String(), "\nfunc "+name+"(t *testing.T) {") {
			t.Errorf("README.md names %s, and there is no such test", name)
		}
	}
	if len(named) == 0 {
		t.Error("README.md names no tests")
	}
}

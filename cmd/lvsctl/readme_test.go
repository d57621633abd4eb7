package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeShowsRecipes sees that what the README shows of a recipe, below a link to
// its file, stands in that file.
func TestReadmeShowsRecipes(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)\\]\\((docs/recipes/[^)]+)\\)[^`]*?\n\n```\\w+\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(shown) != 3 {
		t.Fatalf("README.md shows %d recipes", len(shown))
	}
	for _, recipe := range shown {
		file, err := os.ReadFile(filepath.Join("../..", recipe[1]))
		if err != nil {
			t.Fatal(err)
		}
		lines := map[string]bool{}
		for line := range strings.Lines(string(file)) {
			lines[strings.TrimSpace(line)] = true
		}
		for line := range strings.Lines(recipe[2]) {
			if !lines[strings.TrimSpace(line)] {
				t.Errorf("%s has no line %q", recipe[1], line)
			}
		}
	}
}

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

// TestWalkthrough checks that the functions that docs/walkthrough.md names exist in the
// files that it names.
func TestWalkthrough(t *testing.T) {
	page, err := os.ReadFile("../../docs/walkthrough.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 40 {
		t.Errorf("docs/walkthrough.md names %d functions", len(rows))
	}
	for _, row := range rows {
		code, err := os.ReadFile(filepath.Join("../..", row[1]))
		if err != nil {
			t.Error(err)
			continue
		}
		begin := `(?m)^func (\([^)]*\) )?` + row[2] + `[\[(]`
		if strings.HasSuffix(row[1], ".sh") {
			begin = `(?m)^` + row[2] + `\(\)`
		}
		if !regexp.MustCompile(begin).Match(code) {
			t.Errorf("%s has no function %s", row[1], row[2])
		}
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplaceFile checks that a file is replaced by a private one, or left as it is.
func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "p")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.WriteFile(file, []byte("old"), 0o666))
	check(os.Chmod(file, 0o666))
	old, err := os.Open(file)
	check(err)
	defer old.Close()
	check(replaceFile(file, []byte("new"), private))
	info, err := os.Stat(file)
	check(err)
	if info.Mode() != private {
		t.Errorf("mode %v", info.Mode())
	}
	text := make([]byte, 3)
	if _, err := old.Read(text); err != nil || string(text) != "old" {
		t.Errorf("who has the old file open reads %q, %v", text, err)
	}

	for name, make := range map[string]func(path string) error{
		"link":   func(path string) error { return os.Symlink("p", path) },
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		path := filepath.Join(dir, name)
		check(make(path))
		if err := replaceFile(path, []byte("evil"), private); err == nil || !strings.Contains(err.Error(), "is no regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "new" {
		t.Errorf("%q, %v", text, err)
	}
	if err := replaceFile(filepath.Join(dir, "none", "p"), nil, private); err == nil {
		t.Error("a file in no folder")
	}
	names, err := filepath.Glob(filepath.Join(dir, ".p.*"))
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

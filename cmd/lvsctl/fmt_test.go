package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const crooked = "director   \"lb\" {\ninterface \"eth0\" {address=\"10.0.0.1/24\"}\n}\n"
const straight = "director \"lb\" {\n  interface \"eth0\" { address = \"10.0.0.1/24\" }\n}\n"

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFmtRewrites(t *testing.T) {
	dir := folder(t, "dr", crooked)
	file := filepath.Join(dir, "main.hcl")
	if err := os.WriteFile(filepath.Join(dir, "other.hcl.json"), []byte("{ }"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := lvsctl(t, "", "fmt", dir)
	if code != 0 || stdout != file+"\n" || stderr != "" {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if have := content(t, file); have != straight {
		t.Errorf("want %q, have %q", straight, have)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if have := content(t, filepath.Join(dir, "other.hcl.json")); have != "{ }" {
		t.Errorf("JSON became %q", have)
	}
	if code, stdout, _ := lvsctl(t, "", "fmt", dir); code != 0 || stdout != "" {
		t.Errorf("again: exit %d, stdout %q", code, stdout)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
}

func TestFmtKeepsLinks(t *testing.T) {
	dir := folder(t, "dr", crooked)
	link := filepath.Join(dir, "link.hcl")
	if err := os.Symlink("main.hcl", link); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := lvsctl(t, "", "fmt", link); code != 0 {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	if have := content(t, filepath.Join(dir, "main.hcl")); have != straight {
		t.Errorf("have %q", have)
	}
}

func TestFmtCheck(t *testing.T) {
	dir := folder(t, "dr", crooked)
	file := filepath.Join(dir, "main.hcl")
	code, stdout, _ := lvsctl(t, "", "fmt", "-check", dir)
	if code != 1 || stdout != file+"\n" {
		t.Errorf("exit %d, stdout %q", code, stdout)
	}
	code, stdout, _ = lvsctl(t, "", "fmt", "--check", "--diff", dir)
	if code != 1 || !strings.Contains(stdout, "\n-director   \"lb\" {\n") || !strings.Contains(stdout, "\n+director \"lb\" {\n") {
		t.Errorf("exit %d, stdout %q", code, stdout)
	}
	if have := content(t, file); have != crooked {
		t.Errorf("written: %q", have)
	}
}

func TestFmtStream(t *testing.T) {
	if code, stdout, stderr := lvsctl(t, crooked, "fmt", "-"); code != 0 || stdout != straight || stderr != "" {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, stdout, _ := lvsctl(t, crooked, "fmt", "--check", "-"); code != 1 || stdout != "<stdin>\n" {
		t.Errorf("exit %d, stdout %q", code, stdout)
	}
}

func TestFmtLeavesBrokenFilesAlone(t *testing.T) {
	for name, broken := range map[string]string{
		"syntax":   "director   {{",
		"too deep": "a = " + strings.Repeat("(", 100000),
		"binary":   "\xff\xfe",
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, "dr", broken)
			code, stdout, stderr := lvsctl(t, "", "fmt", dir)
			if code != 1 || stdout != "" || stderr == "" {
				t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			if have := content(t, filepath.Join(dir, "main.hcl")); have != broken {
				t.Errorf("became %q", have)
			}
			if code, stdout, _ := lvsctl(t, broken, "fmt", "-"); code != 1 || stdout != "" {
				t.Errorf("as input: exit %d, stdout %q", code, stdout)
			}
		})
	}
}

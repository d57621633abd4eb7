package lang

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No file that is read lies outside its folder, whatever a link says, and
// nothing of one is quoted.
func TestLinksThatLeadOut(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "shadow")
	folder := func(t *testing.T, links map[string]string) string {
		dir := t.TempDir()
		for name, text := range map[string]string{outside: "root:secret:", filepath.Join(dir, "main.hcl"): "variable \"x\" { default = 1 }", filepath.Join(dir, "inside"): "x = 2"} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for link, target := range links {
			if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	t.Run("topology", func(t *testing.T) {
		for _, target := range []string{outside, "/../.." + outside, "../nowhere", "/proc/self/environ"} {
			dir := folder(t, map[string]string{"more.hcl": target})
			for _, path := range []string{dir, filepath.Join(dir, "more.hcl")} {
				m, _ := Load(t.Context(), path, things, Input{})
				refusedUnseen(t, m)
			}
			if text, err := ReadText(filepath.Join(dir, "more.hcl")); err == nil {
				t.Errorf("read %q", text)
			}
		}
	})
	t.Run("values", func(t *testing.T) {
		dir := folder(t, map[string]string{"values": outside})
		m, _ := Load(t.Context(), dir, things, Input{VarFiles: []string{filepath.Join(dir, "values")}})
		refusedUnseen(t, m)
	})
	t.Run("inside", func(t *testing.T) {
		dir := folder(t, map[string]string{"values": "inside", "more.hcl": "main.json", "data": "."})
		if err := os.WriteFile(filepath.Join(dir, "main.json"), []byte("thing \"a\" { value = file(\"data/inside\") }"), 0o600); err != nil {
			t.Fatal(err)
		}
		m, _ := Load(t.Context(), dir, things, Input{VarFiles: []string{filepath.Join(dir, "values")}})
		if have := values(m)["a"]; have != "x = 2" {
			t.Errorf("have %q\n%s", have, summaries(m.Sorted()))
		}
	})
}

func refusedUnseen(t *testing.T, m *Module) {
	t.Helper()
	have := shown(t, m.Files(), m.Sorted())
	if !strings.Contains(have, "leads out of its folder") && !strings.Contains(have, "no such file") {
		t.Errorf("not refused:\n%s", have)
	}
	if strings.Contains(have, "secret") || strings.Contains(have, "PATH=") {
		t.Errorf("quoted:\n%s", have)
	}
}

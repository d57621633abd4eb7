package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const smallTopology = `director "lb" {
  interface "eth0" { address = "10.0.0.1/24" }
}

real_server "rs" {
  for_each = toset(["1", "2"])
  interface "eth0" { address = "10.0.0.1${each.key}/24" }
}

virtual_server "web" {
  vip          = "10.0.0.100"
  port         = 80
  mode         = "dr"
  real_servers = ["rs"]
}
`

// lvsctl runs one command line with a standard input and returns its exit code and output.
func lvsctl(t *testing.T, input string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(args, newApp(strings.NewReader(input), &out, &err))
	return code, out.String(), err.String()
}

func folder(t *testing.T, name, content string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestValidate(t *testing.T) {
	dir := folder(t, "dr", smallTopology)
	const want = "topology \"dr\" is valid: 1 director, 2 real servers, 1 virtual server\n"
	for _, path := range []string{dir, filepath.Join(dir, "main.hcl")} {
		code, stdout, stderr := lvsctl(t, "", "validate", path)
		if code != 0 || stdout != want || stderr != "" {
			t.Errorf("%s: exit %d\nwant %q\nhave %q\nstderr %q", path, code, want, stdout, stderr)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"mistake": {strings.Replace(smallTopology, `"dr"`, `"ddr"`, 1), "\"ddr\" is not a mode."},
		"syntax":  {"director {", "main.hcl line 1"},
		"nothing": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, "dr", test.content)
			code, stdout, stderr := lvsctl(t, "", "validate", dir)
			if name == "nothing" {
				if code != 0 || stdout != "topology \"dr\" is valid: nothing in it\n" {
					t.Errorf("exit %d, stdout %q", code, stdout)
				}
				return
			}
			if code != 1 || stdout != "" || !strings.Contains(stderr, test.want) {
				t.Errorf("exit %d, stdout %q\nwant %q in stderr:\n%s", code, stdout, test.want, stderr)
			}
		})
	}
	if code, _, stderr := lvsctl(t, "", "validate", filepath.Join(t.TempDir(), "none")); code != 1 || !strings.Contains(stderr, "no such file") {
		t.Errorf("missing folder: exit %d\n%s", code, stderr)
	}
}

func TestValidateWarns(t *testing.T) {
	dir := folder(t, "dr", strings.Replace(smallTopology, `["rs"]`, "[]", 1))
	code, stdout, stderr := lvsctl(t, "", "validate", dir)
	if code != 0 || stdout == "" || !strings.Contains(stderr, "Warning: ") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

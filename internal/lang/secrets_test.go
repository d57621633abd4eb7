package lang

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// secret is text that must not be seen, and secretNumber a number; both are
// found in whatever they are part of.
const secret, secretNumber = "hunter2", "73319"

const declared = `
variable "s" { 
  sensitive = true
  default   = "hunter2"
}
variable "n" {
  sensitive = true
  default   = 73319
}
variable "l" {
  sensitive = true
  default   = ["hunter2", "hunter2"]
}
variable "m" {
  sensitive = true
  default   = { hunter2 = "hunter2" }
}
locals {
  s = "x${var.s}x"
}
`

// shown is everything a user can see of diagnostics.
func shown(t testing.TB, files map[string]*hcl.File, diags hcl.Diagnostics) string {
	t.Helper()
	var b bytes.Buffer
	if err := hcl.NewDiagnosticTextWriter(&b, files, 200, false).WriteDiagnostics(diags); err != nil {
		t.Fatal(err)
	}
	return b.String() + summaries(diags)
}

func leaks(text string) bool {
	return strings.Contains(text, secret) || strings.Contains(text, secretNumber)
}

// No function shows a sensitive argument, in whatever position and whatever else
// is wrong, and none gives it away without its mark.
func TestNoFunctionShowsSecrets(t *testing.T) {
	m := loaded(t, declared, Input{Environ: []string{"LVSCTL_VAR_s=" + secret}})
	if m.Failed() {
		t.Fatal(summaries(m.Sorted()))
	}
	secrets := []string{`var.s`, `var.n`, `var.l`, `var.m`, `local.s`, `[var.s]`, `{ a = var.s }`, `[var.l, var.l]`, `env("LVSCTL_VAR_s")`}
	others := []string{`"a"`, `1`, `["a", "b"]`, `{ a = "b" }`}
	names := SortedKeys(m.ctx.Functions)
	if len(names) < 60 {
		t.Fatalf("only %d functions", len(names))
	}
	calls, refused, files := 0, 0, m.Files()
	for _, name := range names {
		for _, args := range arguments(secrets, others) {
			expr := name + "(" + strings.Join(args, ", ") + ")"
			calls++
			if !hidden(t, m, files, expr) {
				refused++
			}
		}
	}
	// Otherwise nothing was tried.
	if refused < calls/10 || calls-refused < calls/100 {
		t.Errorf("%d of %d calls were refused", refused, calls)
	}
}

// arguments are lists of one to three arguments with each secret in each
// position.
func arguments(secrets, others []string) [][]string {
	var all [][]string
	for _, s := range secrets {
		all = append(all, []string{s})
		for _, a := range others {
			all = append(all, []string{s, a}, []string{a, s})
			for _, b := range others {
				all = append(all, []string{s, a, b}, []string{a, s, b}, []string{a, b, s})
			}
		}
	}
	return all
}

// hidden evaluates an expression, and fails if a secret can be seen afterwards.
// It reports whether the expression has a value.
func hidden(t *testing.T, m *Module, files map[string]*hcl.File, text string) bool {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(text), "main.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", text, diags)
	}
	s := *m.Scope
	s.Report = newReport()
	v, ok := s.Eval(s.budget.meter(expr))
	if have := shown(t, files, s.diags); leaks(have) {
		t.Errorf("%s shows a secret:\n%s", text, have)
	}
	if ok {
		bare, paths := v.UnmarkDeepWithPaths()
		if len(paths) == 0 && leaks(fmt.Sprintf("%#v", bare)) {
			t.Errorf("%s gives a secret away: %#v", text, bare)
		}
	}
	return ok
}

// What is no function does not show secrets either.
func TestNoOperatorShowsSecrets(t *testing.T) {
	m := loaded(t, declared, Input{Environ: []string{"LVSCTL_VAR_s=" + secret}})
	files := m.Files()
	for _, expr := range []string{
		`var.s + 1`, `-var.s`, `!var.s`, `var.s ? 1 : 2`, `var.s.x`, `var.s[0]`, `var.m.x`, `var.m["x"]`, `{ a = 1 }[var.s]`,
		`["a"][var.s]`, `var.l[9]`, `var.l.x`, `var.m[*].x`, `"${var.l}"`, `"${var.m}"`, `"a${var.l}b"`, `{ (var.l) = 1 }`,
		`{ for x in [1, 2] : var.s => x }`, `{ for x in [1, 2] : env("LVSCTL_VAR_s") => x }`, `[for x in var.s : x]`, `[for x in [1] : x if var.s]`,
		`true ? var.m : [1]`, `true ? { a = var.m } : { b = 1 }`, `var.s > 1`, `try(var.s.x, var.l.y)`, `try(tonumber(var.s), 1) + "x"`, `upper(var.s...)`,
		`"%{ for x in var.s }x%{ endfor }"`, `"%{ if var.s }x%{ endif }"`, `nothing(var.s)`, `[var.s].x`, `zipmap([var.s, var.s], [1]).x`,
		`jsondecode(jsonencode(var.m)).x`, `can(var.s.x) ? 1 : var.l.x`,
	} {
		hidden(t, m, files, expr)
	}
}

// Whether a sensitive value fits depends on the value.
func TestProbesOfSecretsAreSecret(t *testing.T) {
	m := loaded(t, declared, Input{})
	for _, text := range []string{`can(regex("^h", var.s))`, `try(regex("^x", var.s), "no")`, `[for c in ["g", "h"] : c if can(regex("^${c}", var.s))]`} {
		expr, _ := hclsyntax.ParseExpression([]byte(text), "main.hcl", hcl.InitialPos)
		if v, ok := m.Eval(expr); !ok || !v.ContainsMarked() {
			t.Errorf("%s: have %#v, want it sensitive", text, v)
		}
	}
}

// The source lines that a diagnostic is printed with do not show what is
// sensitive, wherever it is written and whatever is wrong with it.
func TestNoSourceLineShowsSecrets(t *testing.T) {
	const variable = "variable \"s\" {\n  sensitive = true\n  type = %s\n}\n"
	number := fmt.Sprintf(variable, "number")
	tests := map[string]struct {
		files map[string]string
		in    Input
	}{
		"default":             {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = true\n type = number\n default = \"hunter2\"\n}"}},
		"default, function":   {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = true\n default = parseint(\"hunter2\", 10)\n}"}},
		"default, no quotes":  {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = true\n default = hunter2\n}"}},
		"default, heredoc":    {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = true\n type = number\n default = <<-EOT\n  a\n  hunter2\n EOT\n}"}},
		"default, open quote": {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = true\n default = \"hunter2\n}\nthing \"x\" { }"}},
		"default, bad syntax": {files: map[string]string{"main.hcl": "variable \"s\" {\n default = \"hunter2\" oops\n sensitive = true\n}"}},
		"default, directive":  {files: map[string]string{"main.hcl": "variable \"s\" {\n default = \"%{hunter2}\"\n sensitive = true\n}"}},
		"flag that is wrong":  {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = \"yes\"\n type = number\n default = \"hunter2\"\n}"}},
		"flag unknown":        {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = env(\"LVSCTL_VAR_s\")\n type = number\n default = \"hunter2\"\n}"}, in: Input{Environ: []string{"LVSCTL_VAR_s=hunter2"}}},
		"declared twice":      {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = true\n}\nvariable \"s\" {\n type = number\n default = \"hunter2\"\n}"}},
		"one line of JSON":    {files: map[string]string{"main.hcl.json": `{"variable": {"s": {"sensitive": true, "default": "hunter2", "type": "number"}}, "thong": {}}`}},
		"JSON, bad syntax":    {files: map[string]string{"main.hcl.json": `{"variable": {"s": {"sensitive": true, "default": "hunter2" oops}}}`}},
		"file, type":          {files: map[string]string{"main.hcl": number, "values": "s = \"hunter2\""}, in: Input{VarFiles: []string{"values"}}},
		"file, one line":      {files: map[string]string{"main.hcl": number + "variable \"o\" { type = number }", "values": "o = \"x\"\ns = \"hunter2\""}, in: Input{VarFiles: []string{"values"}}},
		"file, function":      {files: map[string]string{"main.hcl": number, "values": "s = parseint(\"hunter2\", 10)"}, in: Input{VarFiles: []string{"values"}}},
		"file, no quotes":     {files: map[string]string{"main.hcl": number, "values": "s = hunter2"}, in: Input{VarFiles: []string{"values"}}},
		"file, bad syntax":    {files: map[string]string{"main.hcl": number, "values": "s = \"hunter2"}, in: Input{VarFiles: []string{"values"}}},
		"file, directive":     {files: map[string]string{"main.hcl": number, "values": "s = \"%{hunter2}\""}, in: Input{VarFiles: []string{"values"}}},
		"file, twice":         {files: map[string]string{"main.hcl": number, "values": "s = 1\ns = \"hunter2\""}, in: Input{VarFiles: []string{"values"}}},
		"file, a block":       {files: map[string]string{"main.hcl": number, "values": "hunter2 \"hunter2\" {\n}"}, in: Input{VarFiles: []string{"values"}}},
		"file, misspelt":      {files: map[string]string{"main.hcl": number, "values": "ss = \"hunter2\""}, in: Input{VarFiles: []string{"values"}}},
		"file, JSON":          {files: map[string]string{"main.hcl": number, "values.json": `{"x": 1, "s": "hunter2"}`}, in: Input{VarFiles: []string{"values.json"}}},
		"file, JSON syntax":   {files: map[string]string{"main.hcl": number, "values.json": `{"s": "hunter2" "x"}`}, in: Input{VarFiles: []string{"values.json"}}},
		"not given":           {files: map[string]string{"main.hcl": number, "values.hcl": "s = \"hunter2\""}},
		"not given, list":     {files: map[string]string{"main.hcl": number, "values.hcl": "s = [\n  \"hunter2\",\n  oops.oops,\n]"}},
		"not given, syntax":   {files: map[string]string{"main.hcl": number, "values.hcl": "o = 1\ns = \"hunter2\" }"}},
		"not given, quote":    {files: map[string]string{"main.hcl": number, "values.hcl": "s = \"hunter2\no = 1\n"}},
		"not given, heredoc":  {files: map[string]string{"main.hcl": number, "values.hcl": "s = <<E\nhunter2\nE\no = }"}},
		"not given, JSON":     {files: map[string]string{"main.hcl": number, "values.hcl.json": `{"s": "hunter2"}`}},
		"not given, no JSON":  {files: map[string]string{"main.hcl": number, "values.hcl.json": "s = \"hunter2\""}},
		"not given, bad JSON": {files: map[string]string{"main.hcl": number, "values.hcl.json": `{"s": hunter2}`}},
		"option, type":        {files: map[string]string{"main.hcl": number}, in: Input{Vars: []string{"s=hunter2"}}},
		"option, expression":  {files: map[string]string{"main.hcl": fmt.Sprintf(variable, "list(number)")}, in: Input{Vars: []string{"s=[hunter2]"}}},
		"option, no =":        {files: map[string]string{"main.hcl": number}, in: Input{Vars: []string{"hunter2"}}},
		"option, misspelt":    {files: map[string]string{"main.hcl": number}, in: Input{Vars: []string{"ss=hunter2"}}},
		"environment":         {files: map[string]string{"main.hcl": number}, in: Input{Environ: []string{"LVSCTL_VAR_s=hunter2"}}},
		"through env":         {files: map[string]string{"main.hcl": fmt.Sprintf(variable, "string") + "locals {\n x = env(\"LVSCTL_VAR_s\")\n}\nthing \"x\" { value = tonumber(local.x) }\nthing \"y\" { value = local.x }"}, in: Input{Environ: []string{"LVSCTL_VAR_s=hunter2"}}},
		"through a default":   {files: map[string]string{"main.hcl": fmt.Sprintf(variable, "string") + "variable \"o\" {\n type = number\n default = env(\"LVSCTL_VAR_s\")\n}"}, in: Input{Environ: []string{"LVSCTL_VAR_s=hunter2"}}},
		"through file":        {files: map[string]string{"main.hcl": fmt.Sprintf(variable, "string") + "thing \"y\" { value = tonumber(file(\"values\")) }\nthing \"x\" { value = file(\"values\") }", "values": "s = \"hunter2\""}, in: Input{VarFiles: []string{"values"}}},
		"through the source":  {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = true\n default = \"hunter2\"\n}\nthing \"y\" { value = tonumber(file(\"main.hcl\")) }"}},
		"label":               {files: map[string]string{"main.hcl": fmt.Sprintf(variable, "string") + "dynamic \"thing\" {\n for_each = [1]\n labels = [parseint(var.s, 10)]\n content {}\n}\ndynamic \"thing\" {\n for_each = [1]\n labels = [var.s]\n content {}\n}"}, in: Input{Vars: []string{"s=hunter2"}}},
		"for_each":            {files: map[string]string{"main.hcl": fmt.Sprintf(variable, "string") + "thing \"a\" { for_each = toset([var.s]) }\nthing \"b\" { for_each = tomap(var.s) }\ndynamic \"thing\" {\n for_each = tonumber(var.s)\n labels = [\"x\"]\n content {}\n}"}, in: Input{Vars: []string{"s=hunter2"}}},
		"value":               {files: map[string]string{"main.hcl": fmt.Sprintf(variable, "string") + "thing \"a\" { value = var.s }\nthing \"b\" { value = [var.s] }"}, in: Input{Vars: []string{"s=hunter2"}}},
		"validation":          {files: map[string]string{"main.hcl": "variable \"s\" {\n sensitive = true\n validation {\n condition = tonumber(var.s) > 1\n error_message = \"no\"\n}\n validation {\n condition = false\n error_message = \"bad ${var.s}\"\n}\n}"}, in: Input{Vars: []string{"s=hunter2"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for name, text := range test.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m, _ := Load(t.Context(), ".", things, test.in)
			values(m)
			if !m.Failed() {
				t.Error("not refused")
			}
			if have := shown(t, m.Files(), m.Sorted()); leaks(have) {
				t.Errorf("a secret is shown:\n%s", have)
			}
		})
	}
}

// What is not sensitive is shown as ever, beside what is.
func TestOtherValuesAreShown(t *testing.T) {
	src := "variable \"s\" {\n  sensitive = true\n  default = \"hunter2\"\n}\nvariable \"o\" {\n  type = number\n  default = \"shown\"\n}\n"
	m := loaded(t, src, Input{})
	have := shown(t, m.Files(), m.Sorted())
	if !strings.Contains(have, `default = "shown"`) {
		t.Errorf("have:\n%s", have)
	}
	if !slices.ContainsFunc(m.Sorted(), func(d *hcl.Diagnostic) bool { return strings.Contains(d.Detail, "a number is required") }) {
		t.Errorf("have:\n%s", have)
	}
}

// TestFormatShowsNoSecrets: neither errors of a file that is formatted nor its difference
// to the canonical layout show what may be sensitive, and the rest of both is shown.
func TestFormatShowsNoSecrets(t *testing.T) {
	const seen = "router \"seen\" {}\n"
	for name, c := range map[string]struct {
		text   string
		failed bool
	}{
		"default":        {"variable \"s\" {\n    sensitive = true\n  default = \"hunter2\"\n}\n", false},
		"default, list":  {"variable \"s\" {\n  default = [\n\"hunter2\",\n \"hunter2\"]\n sensitive=true\n}\n", false},
		"values":         {"s = \"hunter2\"\nother   = { a = 73319 }\n", false},
		"default, error": {"variable \"s\" {\n sensitive = true\n default = \"hunter2\" \"x\"\n}\n", true},
		"values, error":  {"s = \"hunter2\" }\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			want, files, diags := Format("main.hcl", []byte(seen+c.text))
			if diags.HasErrors() != c.failed {
				t.Fatalf("refused: %s", summaries(diags))
			}
			if have := shown(t, files, diags); leaks(have) {
				t.Errorf("a secret is shown:\n%s", have)
			}
			if c.failed {
				return
			}
			for _, text := range []string{seen + c.text, string(want)} {
				if have := string(Shown("main.hcl", []byte(text))); leaks(have) || !strings.HasPrefix(have, seen) || len(have) != len(text) {
					t.Errorf("of\n%s\nis shown\n%s", text, have)
				}
			}
		})
	}
}

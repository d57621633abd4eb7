package lang

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// doubling is locals of which each is the one before it twice.
func doubling(first, next string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "locals {\n a0 = %s\n", first)
	for i := range 60 {
		fmt.Fprintf(&b, " a%d = %s\n", i+1, strings.ReplaceAll(next, "A", fmt.Sprintf("local.a%d", i)))
	}
	return b.String() + "}\nthing \"x\" { value = local.a60 }"
}

func thing(expr string) string { return "thing \"x\" { value = " + expr + " }" }

// Whatever a topology asks for, it is refused soon and in few words, and memory
// is not filled.
func TestBombs(t *testing.T) {
	long := "local.long"
	withLong := func(expr string) string {
		return "locals {\n k = join(\"\", [for i in range(1000) : \"0123456789\"])\n long = join(\"\", [for i in range(100) : local.k])\n}\n" + thing(expr)
	}
	large, steps := "at most 100000 elements", "takes too much"
	tests := map[string]struct{ src, want string }{
		"setproduct of ranges":   {thing("length(setproduct(range(1000), range(1000), range(1000)))"), large},
		"nested fors":            {thing("length([for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]])"), "too"},
		"nested fors of nothing": {thing("length([for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c if false]]])"), steps},
		"for in a template":      {thing("\"%{ for a in range(1000) }%{ for b in range(1000) }%{ for c in range(1000) }x%{ endfor }%{ endfor }%{ endfor }\""), "too"},
		"for of objects":         {thing("length({ for a in range(1000) : a => { for b in range(1000) : b => { for c in range(1000) : c => 1 } } })"), "too"},
		"splats":                 {thing("length([for a in range(1000) : [for b in range(1000) : range(1000)[*]]])"), "too"},
		"doubling text":          {doubling(`"x"`, `"${A}${A}"`), "MiB of text"},
		"doubling lists":         {doubling(`["x"]`, `[A, A]`), "elements"},
		"doubling objects":       {doubling(`{ x = 1 }`, `{ a = A, b = A }`), "elements"},
		"doubling by concat":     {doubling(`["x"]`, `concat(A, A)`), large},
		"doubling by a for":      {doubling(`["x"]`, `[for i in [1, 2] : A]`), "too"},
		"doubling numbers":       {doubling("10", "A * A"), "400 digits"},
		"doubling in a list":     {doubling("[10]", "[A[0] * A[0]]"), "400 digits"},
		"nesting":                {doubling("1", "[[[A]]]"), "100 levels deep"},
		"replace":                {withLong("replace(" + long + ", \"0\", " + long + ")"), "MiB of text"},
		"replace nothing":        {withLong("replace(" + long + ", \"\", " + long + ")"), "MiB of text"},
		"regex_replace":          {withLong("regex_replace(" + long + ", \"0\", " + long + ")"), "MiB of text"},
		"width":                  {thing("format(\"%999999999s\", \"x\")"), "MiB of text"},
		"width, several":         {thing("format(\"%9999999s%9999999s%9999999s\", \"x\", \"x\", \"x\")"), "MiB of text"},
		"precision":              {thing("format(\"%.999999999f\", 1)"), "MiB of text"},
		"width in a list":        {thing("join(\"\", formatlist(\"%99999s\", range(1000)))"), "MiB of text"},
		"huge width":             {thing("format(\"%99999999999999999999999s\", \"x\")"), "MiB of text"},
		"indent":                 {thing("indent(999999999, \"a\\nb\")"), "MiB of text"},
		"join":                   {withLong("join(" + long + ", range(1000))"), "MiB of text"},
		"join many":              {withLong("join(\"\", [for i in range(1000) : " + long + "])"), "too much text"},
		"template of many":       {withLong("\"" + strings.Repeat("${"+long+"}", 1000) + "\""), "too much text"},
		"split":                  {withLong("join(\",\", split(\"\", " + long + "))"), ""},
		"long number":            {withLong("tonumber(" + long + ")"), "400 digits"},
		"long number, parseint":  {withLong("parseint(" + long + ", 10)"), "400 digits"},
		"regex":                  {withLong("regex(" + long + ", " + long + ")"), "steps"},
		"distinct":               {thing("length(distinct(flatten([for a in range(20) : [for b in range(100) : a * b + 0.5]])))"), "steps"},
		"deep JSON":              {withLong("jsondecode(regex_replace(substr(" + long + ", 0, 2000), \".\", \"[\"))"), "100 levels deep"},
		"deeper JSON":            {thing("jsondecode(\"" + strings.Repeat("[", 101) + "\")"), "100 levels deep"},
		"try of a bomb":          {thing("try(length([for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c if false]]]), \"x\")"), steps},
		"try in try":             {thing(strings.Repeat("try(", 90) + "1" + strings.Repeat(")", 90)), ""},
		"big power":              {thing("tostring(pow(10, 100000))"), "400 digits"},
		"for_each":               {"thing \"x\" { for_each = toset([for i in setproduct(range(1000), range(1000)) : tostring(i[0])]) }", large},
		"dynamic":                {"dynamic \"thing\" {\n for_each = setproduct(range(1000), range(1000))\n labels = [\"x\"]\n content {}\n}", large},
		"default":                {"variable \"x\" { default = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]] }", "too"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			small := generous
			small.elements, small.steps = 100_000, 300_000
			m := limited(t, "main.hcl", test.src, small)
			values(m)
			have := summaries(m.Sorted())
			if !strings.Contains(have, test.want) || test.want == "" && m.Failed() && len(have) > 1000 {
				t.Errorf("want %q, have:\n%.2000s", test.want, have)
			}
			if len(m.Sorted()) > 2 {
				t.Errorf("have %d diagnostics:\n%.2000s", len(m.Sorted()), have)
			}
		})
	}
}

// limited loads a file within limits.
func limited(t *testing.T, name, src string, l limits) *Module {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	m, _ := load(t.Context(), path, things, Input{}, l)
	return m
}

const endless = "length([for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c if false]]])"

// The strings of JSON are metered as well.
func TestBombInJSON(t *testing.T) {
	small := generous
	small.steps = 100_000
	for _, src := range []string{
		`{"thing": {"x": {"value": "${` + endless + `}"}}}`,
		`{"locals": {"x": [{"${` + endless + `}": 1}]}}`,
		`{"dynamic": {"thing": {"for_each": "${[` + endless + `]}", "labels": ["x"], "content": {}}}}`,
	} {
		m := limited(t, "main.hcl.json", src, small)
		values(m)
		if have := summaries(m.Sorted()); !strings.Contains(have, "takes too much") || len(m.Sorted()) != 1 {
			t.Errorf("%s: have %s", src, have)
		}
	}
}

// Evaluation ends when its time is over, or when it is interrupted, and says
// nothing else.
func TestEvaluationEnds(t *testing.T) {
	src := thing(endless) + "\nthing \"y\" { value = nothing }"
	path := filepath.Join(t.TempDir(), "main.hcl")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	interrupted, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	short := generous
	short.time = 50 * time.Millisecond
	for _, test := range []struct {
		ctx  context.Context
		l    limits
		want string
	}{
		{interrupted, generous, "Interrupted"},
		{t.Context(), short, "Evaluation takes too much: The topology's expressions take longer than 50ms."},
	} {
		start := time.Now()
		m, _ := load(test.ctx, path, things, Input{}, test.l)
		values(m)
		if have := summaries(m.Sorted()); !strings.HasPrefix(have, test.want) || len(m.Sorted()) != 1 {
			t.Errorf("want %s, have %s", test.want, have)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
	}
}

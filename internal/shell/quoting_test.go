package shell

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	// sh is what text has that is meant for a shell, and hardly any other.
	sh = regexp.MustCompile(`\$[{(A-Za-z@?#0-9"]|\|\| |&& |^(/bin/sh|awk|cat|cp|grep|ip|ipvsadm|kill|modprobe|mv|printf|rm|sed|systemctl|touch) |; (then|do|fi|done|exit|return)\b| \| |[0-9]?>(&|>|/dev/)`)
	// verb is one of fmt's.
	verb = regexp.MustCompile(`%[-+# 0]*[0-9]*(\[[0-9]+\])?[a-zA-Z]`)
)

// TestValuesAreQuoted: values become text of the shell in one place. Whatever is
// printed by fmt is no such text, and what is put together has its values by Quote,
// or as commands.
func TestValuesAreQuoted(t *testing.T) {
	root := filepath.Join("..", "..")
	set := token.NewFileSet()
	for _, room := range []string{"apply", "cmd", "plan", "roles", "topology", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(file string, d fs.DirEntry, err error) error {
			if d != nil && d.IsDir() && d.Name() == "adopt" {
				return fs.SkipDir // it writes topologies, where ${ begins something else
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || strings.Contains(file, "test/") {
				return err
			}
			parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				for _, bad := range unquoted(n) {
					t.Errorf("%s: %s", set.Position(n.Pos()), bad)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// unquoted is what is wrong with one node of a program.
func unquoted(n ast.Node) (list []string) {
	switch n := n.(type) {
	case *ast.CallExpr:
		f, ok := n.Fun.(*ast.SelectorExpr)
		if !ok {
			return nil
		}
		switch {
		case strings.HasSuffix(f.Sel.Name, "rintf") || f.Sel.Name == "Appendf":
			for _, arg := range n.Args {
				if text, ok := literal(arg); ok && sh.MatchString(text) && verb.MatchString(text) {
					list = append(list, "fmt prints text of the shell: "+text)
				}
			}
		case f.Sel.Name == "Line":
			for _, arg := range n.Args {
				if b, ok := arg.(*ast.BinaryExpr); ok {
					list = append(list, unquoted(b)...)
				}
			}
		}
	case *ast.BinaryExpr:
		if n.Op != token.ADD {
			return nil
		}
		parts := operands(n)
		isShell := false
		for _, p := range parts {
			text, ok := literal(p)
			isShell = isShell || ok && sh.MatchString(text)
		}
		for _, p := range parts {
			if _, ok := literal(p); !ok && isShell && !quoted(p) {
				list = append(list, "a value is put into text of the shell as it is")
			}
		}
	}
	return list
}

func literal(e ast.Expr) (string, bool) {
	b, ok := e.(*ast.BasicLit)
	if !ok || b.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(b.Value)
	return text, err == nil
}

func operands(e ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.ADD {
		return append(operands(b.X), operands(b.Y)...)
	}
	return []ast.Expr{e}
}

// quoted reports whether a part is text of the shell by itself.
func quoted(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		switch f.Sel.Name {
		case "Quote", "String", "Definitions", "Itoa", "hookLine":
			return true
		}
	case *ast.Ident:
		switch f.Name {
		case "Definitions", "Quote", "patterns":
			return true
		}
	}
	return false
}

// TestUnquoted holds the test above to finding what it is for.
func TestUnquoted(t *testing.T) {
	for text, want := range map[string]int{
		`fmt.Fprintf(b, "printf '%s\\n' >&2", x)`:     1,
		`fmt.Sprintf("if [ -e '%s' ]; then", x)`:      1,
		`"ping -c 1 " + gateway + " >/dev/null"`:      1,
		`"rm -f " + x + " && " + shell.Quote(y)`:      1,
		`s.Line("rm -f " + x + " || return")`:         1,
		`s.Line(c, " 2>&1")`:                          0,
		`"rm -f " + shell.Quote(x) + " || exit"`:      0,
		`c.String() + " 2>/dev/null"`:                 0,
		`fmt.Errorf("cannot read %s: %w", name, err)`: 0,
		`fmt.Sprintf("%s has no newline", name)`:      0,
		`"the route " + k.name + " is there"`:         0,
	} {
		e, err := parser.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		if have := len(unquoted(e)); have != want {
			t.Errorf("%s: want %d, have %d", text, want, have)
		}
	}
}

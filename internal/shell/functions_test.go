package shell

import (
	"io/fs"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lvsctl/lvsctl/internal/shell/shelltest"
)

var (
	defined = regexp.MustCompile(`(?m)^(lvsctl_[a-z_]+)\(\) [{(]`)
	// A variable is $NAME or NAME=; a function is called by its name alone.
	called = regexp.MustCompile(`(^|[^$A-Za-z_{"/])(lvsctl_[a-z_]+)\b[^=]`)
)

// code is a file's lines without comments, and the functions it defines.
func code(t *testing.T, file string) (lines string, defines []string) {
	t.Helper()
	lines = text(file)
	for _, m := range defined.FindAllStringSubmatch(lines, -1) {
		defines = append(defines, m[1])
	}
	return lines, defines
}

// TestTable holds the table of functions to the files: each function is where the
// table says, and what a file calls of another one stands among its needs.
func TestTable(t *testing.T) {
	home := map[string]string{} // of each function: its file
	names, err := fs.Glob(files, "*.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		_, defines := code(t, file)
		for _, f := range defines {
			if home[f] != "" {
				t.Errorf("%s is in %s and in %s", f, home[f], file)
			}
			home[f] = file
		}
		comments, err := files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(comments), "# ") {
			t.Errorf("%s does not begin with what it is for", file)
		}
	}
	for f, d := range functions {
		if home[string(f)] != d.file {
			t.Errorf("%s is in %q, not in %q", f, home[string(f)], d.file)
		}
		lines, defines := code(t, d.file)
		for _, m := range called.FindAllStringSubmatch(lines, -1) {
			name := m[2]
			if home[name] == "" || slices.Contains(defines, name) {
				continue // a variable, or its own
			}
			if !slices.ContainsFunc(d.needs, func(n Function) bool { return functions[n].file == home[name] }) {
				t.Errorf("%s calls %s, and %s does not say that it needs it", d.file, name, f)
			}
		}
		for _, n := range d.needs {
			_, there := code(t, functions[n].file)
			if !slices.ContainsFunc(there, func(name string) bool { return strings.Contains(lines, name) }) {
				t.Errorf("%s needs nothing of %s", f, functions[n].file)
			}
		}
	}
}

// TestFilesAreSh has every shell read every function, with what it needs, as it is
// sent.
func TestFilesAreSh(t *testing.T) {
	for name, shell := range shelltest.Each(t) {
		for f := range functions {
			checkSyntax(t, name, shell, Definitions(f))
		}
		for _, program := range [][]string{SaveTable(), IfUp()} {
			checkSyntax(t, name, shell, strings.Join(program, "\n"))
		}
	}
}

func checkSyntax(t *testing.T, name string, shell []string, script string) {
	t.Helper()
	cmd := exec.Command(shell[0], append(shell[1:], "-n")...)
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", name, err, out)
	}
}

func TestScript(t *testing.T) {
	var s Script
	s.Line("{ ", Call(MuteICMP, "/a b", "x"), "; } || ", 7)
	s.Line(Call(RefreshRoute, "10.0.0.1"))
	var other Script
	other.Must(PlaceRecord, "it's")
	s.Add(&other)
	want := "{ lvsctl_mute_icmp '/a b' x; } || 7\nlvsctl_refresh_route 10.0.0.1\nlvsctl_place_record 'it'\\''s' || return 0\n"
	have := s.String()
	if !strings.HasSuffix(have, "}\n"+want) {
		t.Errorf("want %s at the end of\n%s", want, have)
	}
	for _, f := range []Function{MuteICMP, RefreshRoute, PlaceRecord, Say, PutOff, giveBack, findRun} {
		if strings.Count(have, string(f)+"() ") != 1 {
			t.Errorf("%s is not defined once", f)
		}
	}
	var closers []string
	for _, c := range s.Closers() {
		closers = append(closers, c.String())
	}
	if want := []string{"lvsctl_refresh_routes", "lvsctl_give_back"}; !slices.Equal(want, closers) {
		t.Errorf("closers: want %v, have %v", want, closers)
	}
}

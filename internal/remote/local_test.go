package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/shell/shelltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// eachShell runs a test with every shell that stands behind /bin/sh somewhere.
func eachShell(t *testing.T, test func(t *testing.T, r *localRunner)) {
	for name, args := range shelltest.Each(t) {
		t.Run(name, func(t *testing.T) {
			test(t, &localRunner{node: "node-1", user: "me", args: append(args[:len(args):len(args)], "-s"), silence: 20 * time.Second, limit: time.Minute})
		})
	}
}

func TestScripts(t *testing.T) {
	var arg []string
	for i := range 400 {
		arg = append(arg, fmt.Sprintf("word '%d'\n$(x)", i))
	}
	quoted := shell.Cmd(append([]string{"printf", "%s"}, arg...)...).String()
	eachShell(t, func(t *testing.T, r *localRunner) {
		for name, c := range map[string]struct {
			body string
			want Output
		}{
			"nothing":                   {"", Output{}},
			"a comment":                 {"# nothing", Output{}},
			"status":                    {"false", Output{Status: 1}},
			"return":                    {"echo a; return 7; echo b", Output{Stdout: "a\n", Status: 7}},
			"exit":                      {"echo a; exit 200; echo b", Output{Stdout: "a\n", Status: 200}},
			"set -e":                    {"set -e\nfalse\necho no", Output{Status: 1}},
			"set -u":                    {"set -u\n: \"$none\"\necho no", Output{Status: 1}},
			"no newline":                {"printf a; printf b >&2", Output{Stdout: "a", Stderr: "b"}},
			"blank lines":               {"printf '\\n\\na\\n\\n'", Output{Stdout: "\n\na\n\n"}},
			"standard input is empty":   {"cat; read x || echo none", Output{Stdout: "none\n"}},
			"a command that reads":      {"cat >/dev/null\necho on", Output{Stdout: "on\n"}},
			"here-document":             {"cat <<'EOF'\n$x `y` 'z\nEOF\necho on", Output{Stdout: "$x `y` 'z\non\n"}},
			"here-document at the end":  {"cat <<EOF\na\nEOF", Output{Stdout: "a\n"}},
			"locale":                    {`echo "$LC_ALL,$LANGUAGE"`, Output{Stdout: "C,\n"}},
			"umask":                     {`umask`, Output{Stdout: "0022\n"}},
			"functions":                 {"f() { echo \"$1\"; }\nf a", Output{Stdout: "a\n"}},
			"a trap on exit":            {"trap 'echo bye' EXIT; echo hi; exit 4", Output{Stdout: "hi\nbye\n", Status: 4}},
			"closed streams":            {"exec >&- 2>&-; exit 5", Output{Status: 5}},
			"quoting":                   {quoted, Output{Stdout: strings.Join(arg, "")}},
			"a background process left": {"sleep 30 &\necho $! >&2; echo on", Output{Stdout: "on\n"}},
		} {
			t.Run(name, func(t *testing.T) {
				have, err := r.Run(t.Context(), Script{Body: c.body})
				if err != nil {
					t.Fatal(err)
				}
				var pid int
				if n, _ := fmt.Sscan(have.Stderr, &pid); n == 1 && name == "a background process left" {
					syscall.Kill(pid, syscall.SIGKILL)
					have.Stderr = ""
				}
				if name == "set -u" { // each shell words it its own way, and dash says 2
					have.Stderr, have.Status = "", min(have.Status, 1)
				}
				if name == "umask" && have.Stdout == "022\n" {
					have.Stdout = "0022\n"
				}
				if d := cmp.Diff(c.want, have); d != "" {
					t.Error(d)
				}
			})
		}
	})
}

func TestScriptsThatCannotRun(t *testing.T) {
	eachShell(t, func(t *testing.T, r *localRunner) {
		for name, c := range map[string]struct {
			body    string
			kind    ErrorKind
			summary string
		}{
			"NUL":                 {"echo \x00", KindScript, "NUL byte at offset 5"},
			"open quote":          {"touch DIR/ran; echo 'a", KindScript, "cannot parse"},
			"open double quote":   {"touch DIR/ran; echo \"a", KindScript, "cannot parse"},
			"open brace":          {"touch DIR/ran; {", KindScript, "cannot parse"},
			"open here-document":  {"touch DIR/ran; cat <<EOF\na", KindScript, "cannot parse"},
			"open substitution":   {"touch DIR/ran; echo $(", KindScript, "cannot parse"},
			"stray word":          {"touch DIR/ran; fi", KindScript, "cannot parse"},
			"trailing backslash":  {"touch DIR/ran; echo \\", KindScript, "cannot parse"},
			"its shell is killed": {"echo a >&2; kill -9 $$; sleep 0.1", KindTruncated, "killed"},
		} {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				_, err := r.Run(t.Context(), Script{Body: strings.ReplaceAll(c.body, "DIR", dir)})
				wantError(t, err, c.kind, c.summary)
				if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
					t.Error("something of it ran")
				}
			})
		}
	})
}

// Whatever part of a script arrives, nothing of its body runs unless all did.
func TestCutTransfer(t *testing.T) {
	eachShell(t, func(t *testing.T, r *localRunner) {
		ran := filepath.Join(t.TempDir(), "ran")
		text := wrap("touch "+ran, "lvsctl-M")
		for n := range len(text) - 1 { // the last byte is a newline
			cmd := exec.Command(r.args[0], r.args[1:]...)
			cmd.Stdin = strings.NewReader(text[:n])
			_ = cmd.Run() // it fails, of course
			if _, err := os.Stat(ran); err == nil {
				t.Fatalf("ran after %d of %d bytes: %q", n, len(text), text[:n])
			}
		}
	})
}

func TestLines(t *testing.T) {
	eachShell(t, func(t *testing.T, r *localRunner) {
		var have []string
		// The script goes on only when the line was seen: lines arrive one by one.
		dir := t.TempDir()
		out, err := r.Run(t.Context(), Script{
			Body: "echo a; until test -e " + dir + "/a; do sleep 0.01; done; echo; echo b; printf c",
			Line: func(line string) {
				have = append(have, line)
				if line == "a" {
					if err := os.WriteFile(filepath.Join(dir, "a"), nil, 0o600); err != nil {
						t.Error(err)
					}
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"a", "", "b", "c"}, have); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff("a\n\nb\nc", out.Stdout); d != "" {
			t.Error(d)
		}
	})
}

// Tools are looked for in their usual folders, then where the login finds them.
func TestPath(t *testing.T) {
	const usual = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"
	for login, want := range map[string]string{
		"":                    usual,
		"/bin:/usr/bin":       usual,
		"/nix/bin":            usual + ":/nix/bin",
		"/nix/bin:/bin:/a b":  usual + ":/nix/bin:/a b",
		".:bin:/x/bin::../y:": usual + ":/x/bin",
		"/x/*:/x/$(y):/x/bin": usual + ":/x/*:/x/$(y):/x/bin",
	} {
		eachShell(t, func(t *testing.T, r *localRunner) {
			sh, err := exec.LookPath(r.args[0])
			if err != nil {
				t.Fatal(err)
			}
			r.args = append([]string{sh}, r.args[1:]...)
			t.Setenv("PATH", login)
			have, err := r.Run(t.Context(), Script{Body: `echo "$PATH"`})
			if err != nil {
				t.Fatal(err)
			}
			if have.Stdout != want+"\n" {
				t.Errorf("of %q: want %s, have %s", login, want, have.Stdout)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	r := newLocal(Target{Name: "node-1"}, 60*time.Second, 5*time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	pid := 0
	start := time.Now()
	_, err := r.Run(ctx, Script{Body: "echo $$; sleep 20", Line: func(s string) {
		fmt.Sscan(s, &pid)
		cancel()
	}})
	wantError(t, err, KindInterrupted, "stopped")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("want context.Canceled, have %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	for syscall.Kill(pid, 0) == nil { // the shell goes with it
		if time.Since(start) > 10*time.Second {
			t.Fatal("the shell lives on")
		}
		time.Sleep(10 * time.Millisecond)
	}
	_, err = r.Run(ctx, Script{Body: "echo"})
	wantError(t, err, KindInterrupted, "stopped")
}

func TestNoSudoHere(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	r := &localRunner{node: "node-1", user: "me", args: []string{"sudo", "-n", "/bin/sh", "-s"}, silence: time.Minute, limit: time.Minute}
	_, err := r.Run(t.Context(), Script{Body: "echo"})
	wantError(t, err, KindSudo, "there is no sudo")
}

// wantError checks a node's error, and that it reads as one.
func wantError(t *testing.T, err error, kind ErrorKind, summary string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("want a %s error, have %v", kind, err)
	}
	if e.Kind != kind || !strings.Contains(e.Summary, summary) {
		t.Errorf("want %s: ...%s..., have %s: %s", kind, summary, e.Kind, e.Error())
	}
	t.Log(e)
	first, _, _ := strings.Cut(e.Error(), "\n")
	if e.Node == "" || e.Address == "" || strings.Count(first, e.Node) != 1 || strings.Contains(e.Error(), "%!") || strings.Contains(e.Error(), "%[") {
		t.Errorf("bad message: %s", e.Error())
	}
	return e
}
